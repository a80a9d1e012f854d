// Session: one conversation with another peer. Both ends are equal: whoever dialled and whoever
// listened can CALL and PUSH, and serves what the other side calls.
//
// A cheap handle: copies name the same session, and it may outlive the peer (calls then fail with
// not_sent). Inside a fiber only; any number of fibers, on any workers, may use one session at
// once.
//
//   Result<int> sum = session.call<int>("/math/add", 1, 2);
//   Result<int> soon = session.call<int>({.timeout = 200ms}, "/math/add", 1, 2);
//   Status told = session.push("/shop/news", "tea is back");
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/base/id.h"
#include "parley/base/result.h"
#include "parley/peer/body.h"
#include "parley/peer/options.h"
#include "parley/peer/stream.h"
#include "parley/rt/deadline.h"
#include "parley/wire/message.h"

namespace parley {

namespace impl {
class Connection;
}

struct SessionTag;
using SessionId = StrongId<SessionTag, std::uint64_t>;

class Session {
 public:
  // Calls `method` over there with these arguments and waits for its result. The error is
  //   the handler's own status, when it ran and failed (internal: it threw; a not_sent or
  //     outcome_unknown of its own comes as unavailable or unknown);
  //   not_found when there is no such method, invalid_argument when an argument or the result does
  //     not fit, its path in the message; resource_exhausted when a limit of either side was hit;
  //   not_sent when the call cannot have reached the other side: safe to repeat;
  //   outcome_unknown when the connection was cut after it left;
  //   deadline_exceeded after CallOptions::timeout, or the status of the calling fiber's context:
  //     it may still run there, for as long as it does not look at its context, which ends too.
  template <class R = void, class... Args>
  Result<R> call(const CallOptions& options, std::string_view method, const Args&... args) const {
    auto body = encode_arguments(args...);
    if (!body) return body.error();
    auto reply =
        exchange(options, method, body_codec_for<Args...>(), Bytes::from(*std::move(body)));
    if (!reply) return reply.error();
    return decode_result<R>(*reply);
  }
  template <class R = void, class... Args>
  Result<R> call(std::string_view method, const Args&... args) const {
    return call<R>(CallOptions(), method, args...);
  }

  // Sends `method` with these arguments; nobody answers. Ok means it is on its way; whether it
  // arrived is not told. Waits, at most CallOptions::timeout, while max_outgoing_bytes are on their
  // way, and until whoever dialled has said what it speaks. not_sent when the session has ended.
  template <class... Args>
  Status push(const CallOptions& options, std::string_view method, const Args&... args) const {
    auto body = encode_arguments(args...);
    if (!body) return body.error();
    return push_raw(options, method, body_codec_for<Args...>(), Bytes::from(*std::move(body)));
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
    return open_raw(options, method, wire::BodyCodec::json).transform([](RawStream&& raw) {
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

  // Ends the session in order: takes no new calls, waits drain_timeout for handlers and calls under
  // way, sends what is queued, says so to the other side and waits close_timeout for its half.
  // A handler may close its own session; it is not waited for then, but its answer is not sent. Use
  // Context::session() for that: handlers that close by other handles count as one, so that several
  // of them at once wait for each other until drain_timeout.
  void close() const;

  // False once the session takes no new calls.
  [[nodiscard]] bool is_open() const;
  // Waits for the end of the session and returns its reason: cancelled when close() ended it here,
  // unavailable when the other side closed or the connection broke. deadline_exceeded, or the
  // context's status, when that came first.
  Status wait_closed(rt::Deadline deadline = {}) const;

  // Unique within its peer.
  [[nodiscard]] SessionId id() const;
  [[nodiscard]] std::string local_address() const;
  [[nodiscard]] std::string remote_address() const;

  friend bool operator==(const Session& a, const Session& b) {
    return a.connection_ == b.connection_;
  }

  // Internal: made by Peer. `handler`: the number of the call it is handed to the handler of.
  explicit Session(std::shared_ptr<impl::Connection> connection, std::uint64_t handler = 0)
      : connection_(std::move(connection)), handler_(handler) {}

 private:
  template <class... Args>
  static constexpr wire::BodyCodec body_codec_for() {
    return sizeof...(Args) == 0 ? wire::BodyCodec::none : wire::BodyCodec::json;
  }
  // Sends a CALL and returns its REPLY, or the error in it.
  Result<wire::Message> exchange(const CallOptions& options, std::string_view method,
                                 wire::BodyCodec codec, Bytes body) const;

  std::shared_ptr<impl::Connection> connection_;
  std::uint64_t handler_ = 0;
};

}  // namespace parley
