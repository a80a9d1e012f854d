// ForeignStream: a stream method of a Peer, opened by somebody who speaks something else than
// frames (ForeignSession::open_stream()). The handler is the one that serves streams of Parley and
// sees no difference; here is the other end of it, to be tied to whatever carries the messages.
//
//   auto stream = session->open_stream({.method = "/chat", .codec = json});
//   (*stream)->give(Bytes::copy_of("\"hello\""));      // waits while the handler reads nothing
//   (*stream)->finish();
//   while (true) {
//     auto message = (*stream)->take();                // what is not taken holds up the handler
//     if (!message) return message.error();            // how the handler ended
//     if (!*message) break;                            // it ended in order
//     ...
//   }
//
// One fiber may give while another takes; two of either at once are a bug. All others from any
// fiber. The handler runs on a fiber of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "parley/base/bytes.h"
#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/rt/deadline.h"
#include "parley/rt/done_call.h"
#include "parley/rt/scope.h"
#include "parley/wire/message.h"
#include "parley/wire/metadata.h"

namespace parley {

namespace impl {
class Connection;
struct StreamCore;
}  // namespace impl

class ForeignStream {
 public:
  // cancel(), and waits for the handler to return. Before its session ends.
  ~ForeignStream();
  ForeignStream(const ForeignStream&) = delete;
  ForeignStream& operator=(const ForeignStream&) = delete;

  // A message for the handler, in codec(). Waits while so much lies unread that no more may come
  // (PeerOptions::stream_credit; a larger message comes all the same, and what all streams of the
  // session hold beyond their credit is at most max_handler_bytes, each way). cancelled when the
  // handler has ended: take() says how; resource_exhausted beyond max_frame_bytes;
  // failed_precondition after finish(); deadline_exceeded at the stream's deadline; the status of
  // the calling fiber's context, or deadline_exceeded after `deadline`: the stream goes on then. On
  // an error nothing of it was given.
  Status give(Bytes body, rt::Deadline deadline = {});

  // No more is given: the handler's receive() says so once it has read what came. Twice is fine.
  void finish();

  // The next message that the handler sent. Nothing when it has returned ok, and its error when it
  // failed, after all that it sent. Otherwise: what cancel() was given; deadline_exceeded at the
  // stream's deadline, whatever else was sent, which ends the stream; deadline_exceeded after
  // `deadline`, or the status of the calling fiber's context: the stream goes on then.
  Result<std::optional<Bytes>> take(rt::Deadline deadline = {});

  // The reply metadata that the handler had set when it first sent or received, for protocols in
  // which some travels in front of all messages; end_metadata() has it once more. Waits until a
  // message is there, or the handler waits for one from here: then the other side may wait for this
  // as well. Nothing when the handler failed before that, or has ended without a word: then all is
  // in end_metadata(). Errors as of take().
  Result<std::optional<wire::Metadata>> take_head(rt::Deadline deadline = {});

  // Whether take() has something to tell without waiting.
  [[nodiscard]] bool has_some() const;

  // Gives the stream up: the handler's context ends with `why`, what lies here is dropped. Often is
  // fine; after the handler's end it does nothing.
  void cancel(Status why = Status(Code::cancelled, "the other side has given up"));

  // What the handler sends with its end, once take() has told it; failed_precondition before.
  [[nodiscard]] Result<wire::Metadata> end_metadata() const;
  // How messages are written, both ways.
  [[nodiscard]] wire::BodyCodec codec() const { return request_.body_codec; }

 private:
  friend class ForeignSession;
  ForeignStream(std::shared_ptr<impl::Connection> connection, std::string method,
                wire::Message request);
  Status begin(rt::Deadline deadline);

  const std::shared_ptr<impl::Connection> connection_;
  const std::string method_;
  wire::Message request_;
  const Instant came_at_;
  std::shared_ptr<impl::StreamCore> core_;  // null until it may run
  rt::Scope handler_;
  rt::DoneCall caller_gave_up_;
};

}  // namespace parley
