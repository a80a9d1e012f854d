// ServeStep and CallStep: a message on its way through plugins, to a handler or to the other side;
// and what came back, once next() has returned (plugin.h).
//
// Each belongs to the fiber it is handed to, until that returns.
//
//   Plugin tracing() {
//     return {.name = "tracing",
//             .call = [](CallStep& step, Next& next) {
//               step.options().metadata.set("trace", new_trace_id());
//               return next();
//             },
//             .serve = [](ServeStep& step, Next& next) {
//               remember(step.metadata().get("trace"));
//               return next();
//             }};
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/peer/context.h"
#include "parley/peer/handler.h"
#include "parley/peer/options.h"
#include "parley/peer/plugin.h"
#include "parley/peer/session.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

namespace rt {
class OnPark;
}

// A request that is served here.
class ServeStep {
 public:
  // What its handler gets: session, age, reply_metadata ...
  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] const Session& session() const { return context_.session(); }
  [[nodiscard]] bool is_push() const { return context_.is_push(); }
  [[nodiscard]] bool is_stream() const { return request_.type == wire::MessageType::open; }

  // In a plugin of the peer another name is what is looked for; in one of a group it only is what
  // the handler is told.
  [[nodiscard]] std::string_view method() const { return request_.method; }
  void set_method(std::string_view method);
  [[nodiscard]] const wire::Metadata& metadata() const { return request_.metadata; }
  void set_metadata(wire::Metadata metadata);
  // Before it is decoded, and out of its transfer filters; empty of a stream.
  // It comes out of them when it is first asked for; a broken one is empty here, and fails when a
  // handler needs it.
  [[nodiscard]] const Bytes& body() const;
  [[nodiscard]] wire::BodyCodec body_codec() const { return request_.body_codec; }
  void set_body(wire::BodyCodec codec, Bytes body);

  // What will be answered if it goes well; empty before next(), of a PUSH and of a stream.
  [[nodiscard]] const Bytes& reply_body() const;
  [[nodiscard]] std::size_t reply_bytes() const;
  [[nodiscard]] wire::BodyCodec reply_codec() const { return answer_.codec; }
  void set_reply(wire::BodyCodec codec, Bytes body);
  // Travels with an error, too.
  [[nodiscard]] wire::Metadata& reply_metadata() const { return context_.reply_metadata(); }

  // Internal.
  ServeStep(Context& context, Answer& answer, rt::OnPark* waits = nullptr);
  ServeStep(const ServeStep&) = delete;
  ServeStep& operator=(const ServeStep&) = delete;

 private:
  Context& context_;
  wire::Message& request_;
  Answer& answer_;
  rt::OnPark* const waits_;  // null where the body is out of its filters
};

// A CALL or PUSH that is made here, or a stream that is opened. All ways to call come by: one that
// nobody waits for has a fiber of its own for as long as it is on its way, if there are plugins
// around it. Of a PUSH to many there is one for each session, and next() returns before it is sent.
// CallOptions::timeout is that of each next(); what plugins wait for themselves comes on top, as
// far as the caller's context goes.
class CallStep {
 public:
  enum class Kind : std::uint8_t { call, push, stream };

  [[nodiscard]] const Session& session() const { return session_; }
  [[nodiscard]] Kind kind() const { return kind_; }

  [[nodiscard]] const std::string& method() const { return method_; }
  void set_method(std::string method) { method_ = std::move(method); }
  // Of this call: timeout, metadata and filters may be changed. reply_metadata is not looked at.
  [[nodiscard]] CallOptions& options() { return options_; }
  // Empty of a stream.
  [[nodiscard]] const Bytes& body() const { return body_; }
  [[nodiscard]] wire::BodyCodec body_codec() const { return codec_; }
  void set_body(wire::BodyCodec codec, Bytes body);

  // What was answered; empty before next(), of a PUSH and of a stream.
  [[nodiscard]] const Bytes& reply_body() const { return reply_.body; }
  [[nodiscard]] wire::BodyCodec reply_codec() const { return reply_.body_codec; }
  void set_reply(wire::BodyCodec codec, Bytes body);
  // An error's, too.
  [[nodiscard]] wire::Metadata& reply_metadata() { return reply_metadata_; }

  // Internal.
  CallStep(Session session, Kind kind, const CallOptions& options, std::string_view method,
           wire::BodyCodec codec, Bytes body);
  CallStep(const CallStep&) = delete;
  CallStep& operator=(const CallStep&) = delete;
  [[nodiscard]] wire::Message& reply() { return reply_; }

 private:
  const Session session_;
  const Kind kind_;
  CallOptions options_;
  std::string method_;
  wire::BodyCodec codec_;
  Bytes body_;
  wire::Message reply_;
  wire::Metadata reply_metadata_;
};

}  // namespace parley
