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
        request_(request),
        came_at_(came_at),
        stream_(stream) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The session the call came by; call or push back through it. Copy it to keep it.
  [[nodiscard]] const Session& session() const;
  [[nodiscard]] std::string_view method() const { return request_.method; }
  // How the arguments were written: for who takes them as Bytes.
  [[nodiscard]] wire::BodyCodec body_codec() const { return request_.body_codec; }
  // True when nobody waits for the result.
  [[nodiscard]] bool is_push() const { return request_.type == wire::MessageType::push; }
  [[nodiscard]] const wire::Metadata& metadata() const { return request_.metadata; }
  // When the request was read, by the runtime's clock, and how long ago that is: what it has waited
  // for others, and what its handler took so far.
  [[nodiscard]] Instant came_at() const { return came_at_; }
  [[nodiscard]] Duration age() const { return rt::now() - came_at_; }
  // Session::real_ip() of the session it came by.
  [[nodiscard]] std::string real_ip() const;
  // Travels with the answer, an error too.
  [[nodiscard]] wire::Metadata& reply_metadata() { return reply_metadata_; }
  // Internal: the stream that is served.
  [[nodiscard]] RawStream stream() const;

 private:
  friend class ServeStep;

  impl::Connection& connection_;
  const std::uint64_t number_;
  mutable std::optional<Session> session_;  // made when it is asked for
  wire::Message& request_;
  const Instant came_at_;
  impl::StreamCore* const stream_;
  wire::Metadata reply_metadata_;
};

}  // namespace parley
