// Session: one conversation with another peer. Both ends are equal: whoever dialled and whoever
// listened can CALL and PUSH, and serves what the other side calls.
//
// A cheap handle: copies name the same session, and it may outlive the peer (calls then fail with
// not_sent). Inside a fiber only; any number of fibers, on any workers, may use one session at
// once. One that is dialled again when it is cut outlives its connections (RedialOptions).
//
//   Result<int> sum = session.call<int>("/math/add", 1, 2);
//   Result<int> soon = session.call<int>({.timeout = 200ms}, "/math/add", 1, 2);
//   Status told = session.push("/shop/news", "tea is back");
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/peer/async_call.h"
#include "parley/peer/body.h"
#include "parley/peer/direct_call.h"
#include "parley/peer/options.h"
#include "parley/peer/quick_call.h"
#include "parley/peer/session_number.h"
#include "parley/peer/session_values.h"
#include "parley/peer/stream.h"
#include "parley/rt/channel.h"
#include "parley/rt/deadline.h"
#include "parley/wire/message.h"

namespace parley {

template <class R = void>
class Batch;

namespace impl {
class Connection;
struct BatchedCall;
struct Pushing;
}  // namespace impl

class Session {
 public:
  // Calls `method` over there with these arguments and waits for its result. The error is
  //   the handler's own status, when it ran and failed (internal: it threw; a not_sent or
  //     outcome_unknown of its own comes as unavailable or unknown);
  //   not_found when there is no such method, invalid_argument when an argument or the result does
  //     not fit or breaks a rule (its path is told) or a codec is not known; resource_exhausted;
  //   not_sent when the call cannot have reached the other side, or was refused there unrun because
  //     that side is going away: safe to repeat;
  //   outcome_unknown when the connection was cut after it left;
  //   deadline_exceeded after CallOptions::timeout, or the status of the calling fiber's context:
  //     it may still run there, for as long as it does not look at its context, which ends too.
  template <class R = void, class... Args>
  Result<R> call(const CallOptions& options, std::string_view method, const Args&... args) const {
    const wire::BodyCodec codec = codec_for(options);
    if (shortcut_ != nullptr) [[unlikely]] {
      auto result = impl::call_directly<R>(*shortcut_, options, method, codec, args...);
      if (result) return *std::move(result);
    }
    if constexpr (impl::can_be_quick<R, Args...>) {
      impl::Quick<R, Args...> quick(*connection_, *options_);
      if (quick.call(options, codec, method, args...)) return quick.outcome();
    }
    wire::Message reply;
    impl::Written<Args...> body;
    if (Status s = encode_arguments(*options_, codec, body, args...); !s.is_ok()) return s;
    Status status = exchange(options, method, label_of<Args...>(codec), std::move(body), reply);
    return status.is_ok() ? decode_result<R>(*options_, reply, method)
                          : Result<R>(std::move(status));
  }
  template <class R = void, class... Args>
  Result<R> call(std::string_view method, const Args&... args) const {
    if constexpr (impl::can_be_quick<R, Args...>) {
      impl::Quick<R, Args...> quick(*connection_, *options_);
      if (shortcut_ == nullptr && quick.call(method, args...)) return quick.outcome();
    }
    return call<R>(CallOptions(), method, args...);
  }

  // The same without waiting for the answer, which the handle is asked for; dropping it gives the
  // call up. Waits only while max_outgoing_bytes are on their way. Its time begins here, and it
  // ends when that is over, also when nobody looks; what is left of the calling fiber's deadline
  // bounds it too. `options.reply_metadata` must stay until get() has returned.
  template <class R = void, class... Args>
  AsyncCall<R> call_async(const CallOptions& options, std::string_view method,
                          const Args&... args) const {
    auto call = begin_call(options, method, nullptr, args...);
    if (!call) return AsyncCall<R>(impl::CallHandle(call.error()));
    return AsyncCall<R>(impl::CallHandle(*std::move(call), options_));
  }
  template <class R = void, class... Args>
  AsyncCall<R> call_async(std::string_view method, const Args&... args) const {
    return call_async<R>(CallOptions(), method, args...);
  }

  // The same with a callback for its result: then(Result<R>) is called once, if this returns ok,
  // and never otherwise; errors as for a call that was not sent, and resource_exhausted when
  // max_calls callbacks of the session have not returned. What it refers to must live until it has
  // returned: that it has is certain when close() of the session or of the peer has returned (see
  // there). It is called on a fiber of the peer and may wait, call and close; those of one session
  // are called in the order in which the answers came, the next one when one has returned, or
  // waits and PeerOptions::max_fibers leaves a fiber for it. Its context is not the caller's: it
  // ends when the session has ended and drain_timeout is over. What it throws is logged.
  template <class R = void, class F, class... Args>
    requires std::is_invocable_v<F&, Result<R>>
  Status call_then(F then, const CallOptions& options, std::string_view method,
                   const Args&... args) const {
    auto shared = std::make_shared<F>(std::move(then));
    return begin_call(
               options, method,
               [shared, own = options_](Result<wire::Message> reply) {
                 (*shared)(reply ? decode_result<R>(*own, *reply, {}) : Result<R>(reply.error()));
               },
               args...)
        .error();
  }
  template <class R = void, class F, class... Args>
    requires std::is_invocable_v<F&, Result<R>>
  Status call_then(F then, std::string_view method, const Args&... args) const {
    return call_then<R>(std::move(then), CallOptions(), method, args...);
  }

  // The same with a channel that the result is sent into, by a fiber of the peer, which waits while
  // it is full. Dropped when the channel is closed.
  template <class R, class... Args>
  Status call_into(std::shared_ptr<rt::Channel<Result<R>>> channel, const CallOptions& options,
                   std::string_view method, const Args&... args) const {
    return call_then<R>([channel = std::move(channel)](
                            Result<R> result) { (void)channel->send(std::move(result)); },
                        options, method, args...);
  }
  template <class R, class... Args>
  Status call_into(std::shared_ptr<rt::Channel<Result<R>>> channel, std::string_view method,
                   const Args&... args) const {
    return call_into<R>(std::move(channel), CallOptions(), method, args...);
  }

  // Sends `method` with these arguments; nobody answers. Ok means it is on its way; whether it
  // arrived is not told. Waits, at most CallOptions::timeout, while max_outgoing_bytes are on their
  // way, and until whoever dialled has said what it speaks. not_sent when the session has ended.
  template <class... Args>
  Status push(const CallOptions& options, std::string_view method, const Args&... args) const {
    const wire::BodyCodec codec = codec_for(options);
    impl::Written<Args...> body;
    if (Status s = encode_arguments(*options_, codec, body, args...); !s.is_ok()) return s;
    return push_raw(options, method, label_of<Args...>(codec), impl::as_body(std::move(body)));
  }
  template <class... Args>
  Status push(std::string_view method, const Args&... args) const {
    return push(CallOptions(), method, args...);
  }

  // Opens the stream `method` over there; `In` are received, `Out` sent (stream.h). Does not wait
  // for an answer: that there is no such method, or no room for it, is told by the first receive().
  // The stream ends on both sides after CallOptions::timeout, or with the deadline of the calling
  // fiber's context; without either it has no end of its own. reply_metadata is not looked at:
  // RawStream::end_metadata(). It counts as a call while it lasts: close() waits for it. The error
  // is not_sent when the session has ended, or nothing can be sent within call_timeout;
  // unimplemented by a framing without streams; resource_exhausted at max_calls, or when the other
  // side takes no more streams at once.
  template <class In, class Out>
  Result<Stream<In, Out>> open(const CallOptions& options, std::string_view method) const {
    return open_raw(options, method, codec_for(options)).transform([](RawStream&& raw) {
      return Stream<In, Out>(std::move(raw));
    });
  }
  template <class In, class Out>
  Result<Stream<In, Out>> open(std::string_view method) const {
    return open<In, Out>(CallOptions(), method);
  }

  // The same with bodies that are already written: for tools and proxies.
  Result<RawStream> open_raw(const CallOptions& options, std::string_view method,
                             wire::BodyCodec codec) const;
  Result<Bytes> call_raw(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                         Bytes body) const;
  Status push_raw(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                  Bytes body) const;

  // Ends the session in order: takes no new calls, says so to the other side (GO_AWAY, in framings
  // that have it), waits drain_timeout for handlers and calls under way, sends what is queued and
  // waits close_timeout for the other half. Calls that still come are not run, and told so.
  // A handler may close its own session; it is not waited for then, but its answer is not sent. Use
  // Context::session() for that: handlers that close by other handles count as one, so that several
  // of them at once wait for each other until drain_timeout.
  // At last it waits until all callbacks of the session (call_then, on_closed) have returned, also
  // when the session has ended before. drain_timeout after the end their context ends; one that
  // does not mind that is waited for. Only a handler or a callback of this very session does not
  // wait for them, and one of another session no longer than its own context lasts.
  void close() const;

  // False once the session takes no new calls, also because the other side is going away.
  [[nodiscard]] bool is_open() const;
  // Waits for the end of the session and returns its reason: cancelled when close() ended it here,
  // aborted when another session took over its id, unavailable when the other side was first to
  // close or to say that it would, or the connection broke. deadline_exceeded, or the context's
  // status, when that came first. Callbacks may still be called, or running: close() waits for
  // them.
  Status wait_closed(rt::Deadline deadline = {}) const;

  // Calls callback(reason), with the reason that wait_closed() returns, once the session has ended,
  // on a fiber of the peer, as callbacks of call_then are; the values of the session are still
  // there. When this returns ok it is called once, and never otherwise: failed_precondition when
  // the session has ended, resource_exhausted at PeerOptions::max_on_closed. What it refers to must
  // live until it has returned, as that of call_then.
  template <class F>
    requires std::is_invocable_v<F&, const Status&>
  Status on_closed(F callback) const {
    auto shared = std::make_shared<F>(std::move(callback));
    return add_on_closed([shared](const Status& reason) { (*shared)(reason); });
  }

  // Ok when a call would be sent at once. unavailable when the session takes no calls any more,
  // with the reason as cause; resource_exhausted when max_outgoing_bytes or max_calls is met;
  // failed_precondition as long as whoever dialled has not said what it speaks.
  [[nodiscard]] Status health() const;

  // What the program keeps with this session. Lives as long as a handle.
  [[nodiscard]] SessionValues& values() const;

  // When it began, by the runtime's clock, and how long ago that is; it counts on after the end.
  [[nodiscard]] Instant since() const;
  [[nodiscard]] Duration age() const { return rt::now() - since(); }

  // The address, without a port, of who is at the other end: that of the connection (empty for a
  // Unix socket), or what a proxy in between, which has to be trusted, said in its place: then it
  // is to be set here. What is in metadata is never believed by itself.
  [[nodiscard]] std::string real_ip() const;
  // invalid_argument when it is no IPv4 or IPv6 address.
  Status set_real_ip(const std::string& ip) const;

  [[nodiscard]] SessionNumber number() const;
  // What the program calls it by (Peer::session): what set_id() gave it, as long as nobody else has
  // that; otherwise "#" and its number.
  [[nodiscard]] std::string id() const;
  // Gives it this id, and takes it from who has it: that session is closed, with the reason aborted
  // and what happened, which the other side is told as well (the parley framing). It takes no calls
  // from the very moment on; those under way may end within drain_timeout. Does not wait for that.
  // invalid_argument for an id that is empty, begins with # or is longer than max_id_bytes;
  // failed_precondition when this session takes no calls any more itself.
  Status set_id(std::string_view id) const;
  static constexpr std::size_t max_id_bytes = 255;
  [[nodiscard]] std::string local_address() const;
  [[nodiscard]] std::string remote_address() const;

  friend bool operator==(const Session& a, const Session& b);

  // Internal: made by Peer. `handler`: the number of the call it is handed to the handler of.
  explicit Session(std::shared_ptr<impl::Connection> connection, std::uint64_t handler = 0);
  [[nodiscard]] const PeerOptions& options() const { return *options_; }

 private:
  template <class R>
  friend class Batch;
  friend struct impl::Pushing;

  [[nodiscard]] wire::BodyCodec codec_for(const auto& options) const {
    return options.body_codec.value_or(options_->body_codec);
  }
  using Then = std::function<void(Result<wire::Message>)>;
  template <class... Args>
  Result<std::shared_ptr<impl::AsyncCall>> begin_call(const CallOptions& options,
                                                      std::string_view method, Then then,
                                                      const Args&... args) const {
    const wire::BodyCodec codec = codec_for(options);
    impl::Written<Args...> body;
    if (Status s = encode_arguments(*options_, codec, body, args...); !s.is_ok()) return s;
    return begin_raw_call(options, method, label_of<Args...>(codec), impl::as_body(std::move(body)),
                          std::move(then));
  }
  Result<std::shared_ptr<impl::AsyncCall>> begin_raw_call(const CallOptions& options,
                                                          std::string_view method,
                                                          wire::BodyCodec codec, Bytes body,
                                                          Then then) const;
  Status add_on_closed(std::function<void(const Status&)> callback) const;
  // See Batch.
  void call_all(const BatchOptions& options, std::span<impl::BatchedCall> calls) const;
  // Sends a CALL and fills in its REPLY, a fresh one. A text is copied to where it is sent from.
  Status exchange(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                  Bytes body, wire::Message& reply) const;
  Status exchange_text(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                       std::string_view text, wire::Message& reply) const;
  Status exchange(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                  std::string body, wire::Message& reply) const;

  std::shared_ptr<impl::Connection> connection_;
  const PeerOptions* options_;  // the connection keeps them, and this (null: not in this process)
  impl::Shortcut* shortcut_;
  std::uint64_t handler_ = 0;
};

}  // namespace parley
