#include "parley/peer/async_call.h"

#include <utility>

#include "parley/peer/impl/async_call.h"

namespace parley::impl {

CallHandle& CallHandle::operator=(CallHandle&& other) noexcept {
  cancel();
  call_ = std::move(other.call_);
  options_ = other.options_;
  failure_ = std::move(other.failure_);
  is_taken_ = other.is_taken_;
  return *this;
}

bool CallHandle::has_ended() const { return call_ == nullptr || call_->has_ended(); }

Status CallHandle::wait(rt::Deadline deadline) const {
  return call_ == nullptr ? Status() : call_->wait(deadline);
}

Result<wire::Message> CallHandle::take() {
  if (std::exchange(is_taken_, true)) {
    return Status(Code::failed_precondition, "the result of this call has been taken");
  }
  if (call_ != nullptr) return call_->take();
  if (!failure_.is_ok()) return failure_;
  return Status(Code::failed_precondition, "this AsyncCall was moved from: ask the other one");
}

std::string_view CallHandle::method() const { return call_ == nullptr ? "" : call_->method(); }

void CallHandle::cancel() const {
  if (call_ != nullptr) call_->cancel();
}

}  // namespace parley::impl
