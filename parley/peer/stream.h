// Stream: messages both ways between two equals, for as long as they like. Whoever opens one and
// whoever serves it send and receive in the same manner; a slow reader stops its writer and nobody
// else (credit, docs/protocols/parley.md). By the parley framing only.
//
// Any fiber may use a stream, but only one may receive and only one send at a time: a fiber that
// sends and another one that receives are the common case. It ends where its handle does.
//
//   peer.handle_stream("/chat", [](Stream<Said, Shown>& chat) -> Status {   // receives Said
//     while (true) {
//       Result<std::optional<Said>> said = chat.receive();
//       if (!said) return said.error();
//       if (!*said) return {};                                 // the other side has finished
//       if (Status s = chat.send(show(**said)); !s.is_ok()) return s;
//     }
//   });
//   Result<Stream<Shown, Said>> chat = session.open<Shown, Said>("/chat");  // receives Shown
//   chat->send(Said{"hello"});
//   chat->finish();
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/codec/signature.h"
#include "parley/codec/type.h"
#include "parley/peer/body.h"
#include "parley/peer/options.h"
#include "parley/rt/deadline.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

namespace impl {
class Connection;
struct StreamCore;
}  // namespace impl

// A stream of messages as they travel: for tools, proxies and codecs of your own.
class RawStream {
 public:
  // Internal: made by a session.
  RawStream(std::shared_ptr<impl::Connection> connection, std::shared_ptr<impl::StreamCore> core)
      : connection_(std::move(connection)), core_(std::move(core)) {}
  // cancel(), on the side that opened it; nothing where it is served: there it ends when its
  // handler returns.
  ~RawStream();
  RawStream(RawStream&& other) noexcept = default;
  RawStream& operator=(RawStream&& other) noexcept;
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  // Waits for the next message. Nothing when the other side has finished in order: the opener
  // called finish(), or the handler returned ok. All messages that came are handed out before the
  // end is told. The error is
  //   the handler's own, with which it ended the stream; on the side that serves, cancelled when
  //     the opener gave up, deadline_exceeded at its deadline;
  //   outcome_unknown, or not_sent when it cannot have reached the other side, when the session was
  //     cut; unavailable on the side that serves;
  //   deadline_exceeded once the time of the stream (CallOptions::timeout) is over, which ends it
  //   on
  //     both sides, whatever else has come;
  //   deadline_exceeded after `deadline`, or the status of the calling fiber's context: the stream
  //     goes on then;
  //   unimplemented, data_loss or resource_exhausted for a message that its filters
  //     (CallOptions::filters) do not give back: it is gone, the stream goes on.
  Result<std::optional<Bytes>> receive(rt::Deadline deadline = {});

  // Sends a message; waits for the other side to have room for it (credit), and for room to send.
  // Ok means it is on its way. Errors as those of receive(), and cancelled when the stream has
  // ended, failed_precondition after finish(), resource_exhausted beyond what the other side takes,
  // unimplemented for a filter that this side lacks.
  // On an error nothing of it was sent.
  Status send(Bytes body, rt::Deadline deadline = {});

  // By the side that opened it: no more is sent from here; receive() goes on. The other side is
  // done when its handler returns. Twice is fine. Not a thing a handler does: it returns.
  Status finish();

  // Gives the stream up: the other side's context ends, what has come and what it still sends is
  // dropped, and all that waits here ends with cancelled. From any fiber; on the side that opened
  // it only. Often is fine.
  void cancel();

  // The metadata that the handler ended with, on the side that opened the stream;
  // failed_precondition before, and when it was not the handler that ended it.
  [[nodiscard]] Result<wire::Metadata> end_metadata() const;
  // How its messages are written.
  [[nodiscard]] wire::BodyCodec body_codec() const;
  // What its messages go through on their way.
  [[nodiscard]] wire::FilterPipe filters() const;
  // For proxies: from here on messages are handed out, and sent, as they travel. Before the first.
  void keep_filtered();
  // Internal: of the peer.
  [[nodiscard]] const PeerOptions& options() const;

 private:
  std::shared_ptr<impl::Connection> connection_;
  std::shared_ptr<impl::StreamCore> core_;
};

class Context;

namespace impl {

// Reads a message of a stream; `served`: null on the side that opened it, where no rules hold.
Status take_message(const RawStream& stream, const Context* served, const Bytes& body,
                    const codec::Type& type, void* value);

}  // namespace impl

// A stream of values: `In` are received, `Out` are sent.
template <class In, class Out>
class Stream {
 public:
  // `served`: that of the handler, where the stream is served.
  explicit Stream(RawStream raw, const Context* served = nullptr)
      : raw_(std::move(raw)), served_(served) {}

  // As RawStream; invalid_argument for a message that is no In, and, on the side that serves, what
  // its rules say of one that breaks them (PeerOptions::validate): it is gone then. Bytes are taken
  // as they came.
  Result<std::optional<In>> receive(rt::Deadline deadline = {}) {
    auto body = raw_.receive(deadline);
    if (!body) return body.error();
    if (!*body) return std::optional<In>();
    if constexpr (std::is_same_v<In, Bytes>) {
      return body;
    } else {
      std::tuple<In> value;
      if (!impl::read_quick_body(raw_.body_codec(), **body, value)) {
        Status status =
            impl::take_message(raw_, served_, **body, codec::type_of<In>(), &std::get<0>(value));
        if (!status.is_ok()) return status;
      }
      return std::optional<In>(std::get<0>(std::move(value)));
    }
  }
  // As RawStream; invalid_argument for a value that cannot be written.
  Status send(const Out& value, rt::Deadline deadline = {}) {
    if constexpr (std::is_same_v<Out, Bytes>) {
      return raw_.send(value, deadline);
    } else {
      std::string body;
      Status status = encode_arguments(raw_.options(), raw_.body_codec(), body, value);
      if (!status.is_ok()) return status;
      return raw_.send(Bytes::from(std::move(body)), deadline);
    }
  }
  Status finish() { return raw_.finish(); }
  void cancel() { raw_.cancel(); }
  [[nodiscard]] Result<wire::Metadata> end_metadata() const { return raw_.end_metadata(); }

 private:
  RawStream raw_;
  const Context* served_;
};

namespace impl {

// Whether P is a Stream<In, Out>&.
template <class P>
struct StreamParameter {
  static constexpr bool is = false;
};
template <class In, class Out>
struct StreamParameter<Stream<In, Out>&> {
  static constexpr bool is = true;
  static constexpr bool is_raw = false;
  static Stream<In, Out> make(RawStream raw, const Context& served) {
    return Stream<In, Out>(std::move(raw), &served);
  }
  static codec::MethodShape shape() {
    codec::MethodShape shape{.is_stream = true};
    if constexpr (!std::is_same_v<In, Bytes>) shape.parameters = &codec::type_of<In>();
    if constexpr (!std::is_same_v<Out, Bytes>) shape.result = &codec::type_of<Out>();
    return shape;
  }
};
template <>
struct StreamParameter<RawStream&> {
  static constexpr bool is = true;
  static constexpr bool is_raw = true;
  static RawStream make(RawStream raw, const Context& /*served*/) { return raw; }
  static codec::MethodShape shape() { return {.is_stream = true}; }
};

}  // namespace impl

}  // namespace parley
