#include "parley/peer/impl/served_list.h"

#include <optional>

#include "parley/rt/context.h"

namespace parley::impl {

void ServedList::add(ServedCall& call) {
  const std::lock_guard lock(lock_);
  if (calls_.find(call.seq) != nullptr) return;
  calls_.add(call);
  call.is_listed = true;
}

void ServedList::take_out(ServedCall& call) {
  const std::lock_guard lock(lock_);
  calls_.remove(call);
}

void ServedList::end(std::int32_t seq, const Status& why) {
  std::optional<rt::Cancel> cancel;
  {
    const std::lock_guard lock(lock_);
    const ServedCall* call = calls_.find(seq);
    if (call == nullptr) return;
    cancel = call->context.cancel();
    if (!cancel) call->context.end(why);
  }
  // Whatever else was made from it ends too, which takes its time.
  if (cancel) (*cancel)(why);
}

}  // namespace parley::impl
