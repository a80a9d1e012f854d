#include "parley/rt/done_call.h"

#include <mutex>

#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/waiting.h"

namespace parley::rt {

namespace impl {

struct DoneLink : DoneHook {
  DoneJob* job = nullptr;
  bool taken = false;  // under the lock of the context: too late to stop
};

DoneJob::DoneJob(Scope& scope, std::string_view name) : Job(scope, name) {}

DoneJob::~DoneJob() = default;

void DoneJob::watch(const Context& context) {
  require_fiber("rt::DoneCall was made");
  node_ = context.node();
  node_->arm();
  link_ = std::make_unique<DoneLink>();
  link_->job = this;
  link_->take = [](DoneHook& hook, List<DoneHook>& to_run) {
    static_cast<DoneLink&>(hook).taken = true;
    to_run.push_back(hook);
  };
  link_->run = [](DoneHook& hook) { static_cast<DoneLink&>(hook).job->start(); };
  keep();
  std::unique_lock lock(node_->lock);
  if (!node_->done.load(std::memory_order_relaxed)) {
    node_->hooks.push_back(*link_);
    return;
  }
  link_->taken = true;
  lock.unlock();
  start();
}

bool DoneJob::unwatch() {
  const std::lock_guard lock(node_->lock);
  if (link_->taken) return false;
  link_->taken = true;
  link_->unlink();
  return true;
}

}  // namespace impl

bool DoneCall::stop() {
  impl::DoneJob* job = std::exchange(job_, nullptr);
  if (job == nullptr) return false;
  const bool stopped = job->unwatch();
  stopped ? job->take_back() : job->wait_started();
  job->let_go();
  return stopped;
}

}  // namespace parley::rt
