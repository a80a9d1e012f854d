// DoneCall: a function that runs when a context ends. Go's context.AfterFunc. Thread-safe among the
// fibers of one runtime.
//
//   rt::DoneCall abort(request.context(), scope, "abort", [&] { upload.abort(); });
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/rt/context.h"
#include "parley/rt/impl/job.h"

namespace parley::rt {

namespace impl {

struct DoneLink;

class DoneJob : public Job {
 public:
  DoneJob(Scope& scope, std::string_view name);
  ~DoneJob() override;
  void watch(const Context& context);
  // True when it kept the function from running.
  bool unwatch();

 private:
  std::shared_ptr<ContextNode> node_;
  std::unique_ptr<DoneLink> link_;
};

}  // namespace impl

class DoneCall {
 public:
  DoneCall() = default;
  // When `context` has ended, at once if it has, a fiber of `scope` called `name` runs f(). It is
  // started whatever max_fibers says. Inside a fiber only. The scope must outlive this, or its
  // stop(); `name` must outlive it as well: use a literal.
  template <class F>
  DoneCall(const Context& context, Scope& scope, std::string_view name, F&& f)
      : job_(new impl::JobOf<impl::DoneJob, std::decay_t<F>>(std::forward<F>(f), scope, name)) {
    job_->watch(context);
  }
  DoneCall(DoneCall&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
  DoneCall& operator=(DoneCall&& other) noexcept {
    std::swap(job_, other.job_);
    return *this;
  }
  // Stops it.
  ~DoneCall() { (void)stop(); }

  // True when this kept the function from running; false when it was started before, which is not
  // waited for (its scope does that), or when there was nothing to stop.
  bool stop();

 private:
  impl::DoneJob* job_ = nullptr;
};

}  // namespace parley::rt
