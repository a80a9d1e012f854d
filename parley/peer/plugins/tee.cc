#include "parley/peer/plugins/tee.h"

#include <utility>

#include "parley/base/guard.h"
#include "parley/peer/impl/hops.h"
#include "parley/peer/push.h"

namespace parley {
namespace {

void copy(const TeeOptions& options, const ServeStep& step) {
  const std::optional<Session> to = options.to(step);
  if (!to) return;
  PushOptions push{.when_full = WhenFull::drop, .metadata = step.metadata()};
  for (const auto& [key, value] : options.mark) push.metadata.set(key, value);
  if (!impl::count_hop(push.metadata, options.max_hops).is_ok()) {
    if (options.counts != nullptr) ++options.counts->dropped;
    return;
  }
  const Pushed pushed = push_raw_to({&*to, 1}, push, step.method(), step.body_codec(), step.body());
  if (options.counts == nullptr) return;
  ++(pushed.sent > 0 ? options.counts->sent : options.counts->dropped);
}

}  // namespace

Plugin tee(TeeOptions options) {
  return {.name = "tee", .serve = [options = std::move(options)](ServeStep& step, Next& next) {
            const bool has_thrown = !guarded([&] { copy(options, step); }).is_ok();
            if (has_thrown && options.counts != nullptr) ++options.counts->dropped;
            return next();
          }};
}

}  // namespace parley
