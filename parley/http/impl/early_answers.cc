#include "parley/http/impl/early_answers.h"

#include <string_view>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/time.h"

namespace parley::http::impl {

// Deletes itself: a ReadyItem that was ready ends in its run().
class EarlyAnswers::Sender final : public rt::ReadyItem {
 public:
  explicit Sender(std::shared_ptr<EarlyAnswers> of) : of_(std::move(of)) { join(of_->queue_); }

 private:
  After run() override {
    of_->send();
    delete this;
    return After::gone;
  }

  const std::shared_ptr<EarlyAnswers> of_;
};

void EarlyAnswers::put(net::Stream& stream, std::string& out) {
  PARLEY_ASSERT(state_ == State::none && bytes_.empty(), "answers are put aside one time only");
  stream_ = &stream;
  bytes_.swap(out);
  state_.store(State::held, std::memory_order_release);
}

void EarlyAnswers::go() {
  State held = State::held;
  if (!state_.compare_exchange_strong(held, State::called)) return;
  auto* sender = new Sender(shared_from_this());
  sender->ready();
}

void EarlyAnswers::send() {
  State called = State::called;
  if (!state_.compare_exchange_strong(called, State::sending)) return;
  std::string_view left = bytes_;
  while (!left.empty()) {
    const auto size = stream_->write_some(left, rt::Deadline::after(write_timeout_, rt::now()));
    if (!size) {
      status_ = size.error();
      break;
    }
    left.remove_prefix(*size);
  }
  done_.set();
}

Status EarlyAnswers::settle(std::string& out, rt::Deadline deadline) {
  State state = state_.load(std::memory_order_acquire);
  while (state == State::held || state == State::called) {
    if (!state_.compare_exchange_weak(state, State::none)) continue;
    bytes_ += out;
    bytes_.swap(out);
    bytes_.clear();
    return {};
  }
  if (state == State::none) return {};
  if (Status status = done_.wait(deadline); !status.is_ok()) return status;
  state_ = State::none;
  return status_;
}

}  // namespace parley::http::impl
