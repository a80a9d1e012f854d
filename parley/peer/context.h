// Context: what a handler may know of the call it serves besides its arguments. Lives as long as
// the handler runs; belongs to its fiber.
//
// The handler's rt::Context ends when its caller's deadline passes, when the caller gives up (both
// travel by the parley framing only) and when the session ends; with it ends whatever it waits for.
// Who computes for long looks at rt::Context::current().is_done() now and then.
//
//   peer.handle("/order/place", [](Context& context, const Order& order) -> Result<Receipt> {
//     context.reply_metadata().set("shop", "harbour");
//     return context.session().call<bool>("/client/confirm", order) ...
//   });
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/peer/session.h"
#include "parley/rt/deadline.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

class Context {
 public:
  // Internal: made by a session, for the call of that number. Both must outlive this object.
  Context(impl::Connection& connection, std::uint64_t number, wire::Message& request,
          Instant came_at, impl::StreamCore* stream = nullptr)
      : connection_(connection),
        number_(number),
        request_(&request),
        came_at_(came_at),
        stream_(stream) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  // Internal: as if it were made anew for another plain call, if nothing was asked of it and
  // nothing set for the one before.
  void renew(std::uint64_t number, wire::Message& request, Instant came_at) {
    number_ = number;
    request_ = &request;
    came_at_ = came_at;
  }
  [[nodiscard]] bool is_as_new() const { return !is_used_; }

  // The session the call came by; call or push back through it. Copy it to keep it.
  [[nodiscard]] const Session& session() const;
  [[nodiscard]] std::string_view method() const { return request_->method; }
  // What stood behind the '?' of the method, as it was sent: "id=7" of "/order/show?id=7". Empty
  // where the whole is the name of a method, and of methods that nobody handles.
  [[nodiscard]] std::string_view query() const { return query_; }
  // How the arguments were written: for who takes them as Bytes.
  [[nodiscard]] wire::BodyCodec body_codec() const { return request_->body_codec; }
  // True when nobody waits for the result.
  [[nodiscard]] bool is_push() const { return request_->type == wire::MessageType::push; }
  [[nodiscard]] const wire::Metadata& metadata() const { return request_->metadata; }
  // When its session became ready to be read, by the runtime's clock, and how long ago that is:
  // what it has waited for others, and what its handler took so far. (By a stream that cannot tell:
  // when it was read.)
  [[nodiscard]] Instant came_at() const { return came_at_; }
  [[nodiscard]] Duration age() const { return rt::now() - came_at_; }
  // Session::real_ip() of the session it came by.
  [[nodiscard]] std::string real_ip() const;
  // Travels with the answer, an error too.
  [[nodiscard]] wire::Metadata& reply_metadata() {
    is_used_ = true;
    return reply_metadata_;
  }

  // What the result will be written in: what set_reply_codec() said; else what the caller would
  // take (CallOptions::accept_body_codec), if it is known here; else as the arguments were; else
  // PeerOptions::body_codec.
  [[nodiscard]] wire::BodyCodec reply_codec() const;
  // For this answer: what the result is to be written in, or what Bytes that are returned are
  // written in, which is otherwise taken to be that of the arguments.
  void set_reply_codec(wire::BodyCodec codec) {
    is_used_ = true;
    reply_codec_ = codec;
  }

  // Internal: of the peer, and a line for its log.
  [[nodiscard]] const PeerOptions& options() const;
  void log(const std::string& line) const;
  [[nodiscard]] bool is_answered_in_json() const {
    const bool is_plain = request_->body_codec == wire::BodyCodec::json &&
                          request_->metadata.empty() && !reply_codec_;
    return is_plain || reply_codec() == wire::BodyCodec::json;
  }
  [[nodiscard]] wire::BodyCodec bytes_codec() const {
    return reply_codec_.value_or(request_->body_codec);
  }
  void set_query(std::string_view query) {
    is_used_ = true;
    query_ = query;
  }
  // Internal: the stream that is served.
  [[nodiscard]] RawStream stream() const;

 private:
  friend class ServeStep;

  impl::Connection& connection_;
  std::uint64_t number_;
  mutable std::optional<Session> session_;  // made when it is asked for
  wire::Message* request_;
  Instant came_at_;
  impl::StreamCore* const stream_;
  wire::Metadata reply_metadata_;
  std::string_view query_;
  std::optional<wire::BodyCodec> reply_codec_;
  mutable bool is_used_ = false;  // something was asked or set that the next call must not find
};

}  // namespace parley
