#include "parley/door/impl/inner_listener.h"

#include <mutex>
#include <utility>

namespace parley::door::impl {

void InnerListener::pass(std::unique_ptr<net::Stream> stream) {
  (void)waiting_.send(std::move(stream));
}

Result<std::unique_ptr<net::Stream>> InnerListener::accept(rt::Deadline deadline) {
  auto stream = waiting_.receive(deadline);
  if (!stream && stream.error().code() == Code::out_of_range) {
    return Status(Code::unavailable, "the door is closed");
  }
  return stream;
}

void InnerListener::close() {
  const std::lock_guard lock(lock_);
  if (!std::exchange(is_closed_, true)) waiting_.close();
}

}  // namespace parley::door::impl
