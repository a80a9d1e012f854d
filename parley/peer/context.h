// Context: what a handler may know of the call it serves besides its arguments. Lives as long as
// the handler runs; belongs to its fiber.
//
// When the session ends, the handler's rt::Context is cancelled, and with it whatever it waits for.
//
//   peer.handle("/order/place", [](Context& context, const Order& order) -> Result<Receipt> {
//     context.reply_metadata().set("shop", "harbour");
//     return context.session().call<bool>("/client/confirm", order) ...
//   });
#pragma once

#include <string_view>
#include <utility>

#include "parley/peer/session.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

class Context {
 public:
  // `request` must outlive this object.
  Context(Session session, const wire::Message& request)
      : session_(std::move(session)), request_(request) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // The session the call came by; call or push back through it. Copy it to keep it.
  [[nodiscard]] const Session& session() const { return session_; }
  [[nodiscard]] std::string_view method() const { return request_.method; }
  // True when nobody waits for the result.
  [[nodiscard]] bool is_push() const { return request_.type == wire::MessageType::push; }
  [[nodiscard]] const wire::Metadata& metadata() const { return request_.metadata; }
  // Travels with the answer, an error too.
  [[nodiscard]] wire::Metadata& reply_metadata() { return reply_metadata_; }

 private:
  Session session_;
  const wire::Message& request_;
  wire::Metadata reply_metadata_;
};

}  // namespace parley
