// AsyncCall: the answer to a call that goes on while its caller does something else. It needs no
// fiber of its own while it waits.
//
// Belongs to whoever holds it; wait() and cancel() may come from other fibers meanwhile. Inside a
// fiber only. Dropping it gives the call up: nobody waits for it any more, and the other side is
// told. See also Session::call_then and Session::call_into.
//
//   AsyncCall<int> sum = session.call_async<int>("/math/add", 1, 2);
//   AsyncCall<Stock> stock = session.call_async<Stock>("/shop/stock", "tea");
//   if (auto n = sum.get()) use(*n, stock.get());
#pragma once

#include <memory>
#include <utility>

#include "parley/base/result.h"
#include "parley/peer/body.h"
#include "parley/peer/options.h"
#include "parley/rt/deadline.h"
#include "parley/wire/message.h"

namespace parley {

namespace impl {

class AsyncCall;

// What an AsyncCall is whatever its result.
class CallHandle {
 public:
  // `options`: of the peer; the call keeps them.
  CallHandle(std::shared_ptr<AsyncCall> call, const PeerOptions* options)
      : call_(std::move(call)), options_(options) {}
  // It has ended already.
  explicit CallHandle(Status failure) : failure_(std::move(failure)) {}
  CallHandle(CallHandle&& other) noexcept = default;
  CallHandle& operator=(CallHandle&& other) noexcept;
  ~CallHandle() { cancel(); }

  [[nodiscard]] bool has_ended() const;
  Status wait(rt::Deadline deadline) const;
  Result<wire::Message> take();
  void cancel() const;
  [[nodiscard]] std::string_view method() const;
  [[nodiscard]] const PeerOptions& options() const { return *options_; }

 private:
  std::shared_ptr<AsyncCall> call_;
  const PeerOptions* options_ = nullptr;
  Status failure_;
  bool is_taken_ = false;
};

}  // namespace impl

template <class R = void>
class AsyncCall {
 public:
  // True once get() does not wait.
  [[nodiscard]] bool has_ended() const { return handle_.has_ended(); }

  // Waits for the end of the call, however it ends: ok then. deadline_exceeded, or the status of
  // the calling fiber's context, when that came first; the call goes on.
  Status wait(rt::Deadline deadline = {}) const { return handle_.wait(deadline); }

  // Waits for the end and returns the result, once (then failed_precondition). Errors as those of
  // Session::call; when the context of the calling fiber ends first, the call is given up and this
  // is its status.
  Result<R> get() {
    auto reply = handle_.take();
    if (!reply) return reply.error();
    return decode_result<R>(handle_.options(), *reply, handle_.method());
  }

  // Gives the call up, unless it has ended: it ends with cancelled, and the other side is told,
  // where its handler's context ends (the parley framing only). It may have run.
  void cancel() const { handle_.cancel(); }

  // Internal: made by Session.
  explicit AsyncCall(impl::CallHandle handle) : handle_(std::move(handle)) {}

 private:
  impl::CallHandle handle_;
};

}  // namespace parley
