#include "parley/peer/impl/farewell.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/line.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"

namespace parley::impl {
namespace {

std::size_t less(std::size_t all, std::size_t part) { return all - std::min(all, part); }

WorkCount less(const WorkCount& all, const WorkCount& part) {
  return {.handlers = less(all.handlers, part.handlers),
          .calls = less(all.calls, part.calls),
          .streams = less(all.streams, part.streams)};
}

// `use` gets the session: a connection, or what dials it again.
template <class Use>
auto with(Connection& connection, Use use) {
  Line* const line = connection.extras().line();
  return line == nullptr ? use(connection) : use(*line);
}

}  // namespace

Farewell::Begun Farewell::begin(const Status& reason, std::optional<Duration> limit) {
  const bool is_cut = limit && *limit <= Duration::zero();
  Begun begun;
  const std::lock_guard lock(lock_);
  begun.is_first = !std::exchange(has_begun_, true);
  if (begun.is_first) {
    start_ = rt::now();
    for (auto& connection : hub_.all()) {
      Part part;
      with(*connection, [&](auto& session) {
        part.under_way = session.under_way(&part.cut_before);
        part.is_ours = session.begin_close(reason, limit);
      });
      part.connection = std::move(connection);
      begun.under_way += part.under_way;
      parts_.push_back(std::move(part));
    }
    begun.sessions = parts_.size();
    begun_.set();
  }
  // Those that others close have a limit of their own so far.
  for (const Part& part : parts_) {
    const bool has_limit = begun.is_first && part.is_ours && !is_cut;
    if (!limit || has_limit) continue;
    with(*part.connection, [&](auto& session) { session.hurry(reason, *limit); });
  }
  return begun;
}

void Farewell::finish() {
  const rt::WithContext bound(rt::Context::background());
  std::unique_lock lock(lock_);
  const bool is_mine = !std::exchange(is_finishing_, true);
  lock.unlock();
  if (is_mine) {
    // Nothing is added to the parts once it has begun.
    rt::Scope closing;
    for (const Part& part : parts_) {
      // Without a fiber to spare one ends after the other; their limits have all begun.
      const auto end_it = [&part] {
        with(*part.connection, [&](auto& session) { session.finish_begun(part.is_ours); });
      };
      if (!closing.try_go("end session", end_it)) end_it();
    }
    closing.join();
    sum_up();
    over_.set();
  }
  (void)over_.wait();
}

void Farewell::sum_up() {
  const std::lock_guard lock(lock_);
  for (const Part& part : parts_) {
    WorkCount cut;
    with(*part.connection, [&](auto& session) { (void)session.under_way(&cut); });
    // What was not there when it began is none of this: calls that waited to be let in.
    cut = less(part.under_way, less(part.under_way, less(cut, part.cut_before)));
    report_.cut += cut;
    report_.finished += less(part.under_way, cut);
    if (cut.all() > 0) ++report_.sessions_cut;
  }
  report_.sessions = parts_.size();
  report_.took = rt::now() - start_;
  parts_.clear();  // handles are not kept by an ended peer
}

ShutdownReport Farewell::report() const {
  const std::lock_guard lock(lock_);
  return report_;
}

}  // namespace parley::impl
