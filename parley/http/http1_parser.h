// Http1Parser: reads the requests, or the responses, of one connection of HTTP/1.0 or 1.1 (RFC
// 9112), out of pieces cut anywhere. It opens no socket and waits for nothing: bytes go in, events
// come out. Whatever two readers could take in two ways is refused (README.md lists it), so who
// stands behind another hop sees what that hop saw.
//
// Belongs to one fiber at a time. Each byte is looked at once as it comes, and what is kept is
// bounded by Http1Limits: the head of one message, copied into buffers that are used again; never a
// byte of a body.
//
//   Http1Parser parser(Http1Parser::Reads::requests);
//   std::string_view in = what_was_read;
//   for (;;) {
//     Result<Event> event = parser.next(in);                // takes from the front of `in`
//     if (!event) return answer(parser.answer(), event.error());  // then close
//     switch (*event) {
//       case Event::more: return read_more();               // all of `in` is used
//       case Event::head: begin(parser.request(), parser.framing()); break;
//       case Event::body: take(parser.body()); break;       // lies in what was read
//       case Event::end: finish(parser.trailers()); break;  // `in` begins with the next message
//       case Event::informational: break;                   // responses only
//     }
//   }
//
// It goes no further than it is asked to: who has a full queue stops asking and reads no more, and
// after `end` nothing of `in` is touched until next() is called again. So a servant of net::Server
// calls it with what try_read() gave until it says more, and a fiber of a client reads under its
// deadline in between. Who accepts an upgrade after `end` hands what is left of `in` to the new
// protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/framing.h"
#include "parley/http/headers.h"
#include "parley/http/impl/chunk_reader.h"
#include "parley/http/impl/fault.h"
#include "parley/http/impl/field_reader.h"
#include "parley/http/impl/start_line.h"
#include "parley/http/message.h"

namespace parley::http {

enum class Event : std::uint8_t {
  more,           // the input is used up: read more
  informational,  // the head of a response 1xx; another head will follow
  head,           // request() or response(), and framing()
  body,           // a piece of it, not empty: body()
  end,            // the message is whole: trailers()
};

class Http1Parser {
 public:
  enum class Reads : std::uint8_t { requests, responses };

  explicit Http1Parser(Reads what, const Http1Limits& limits = {});

  // Responses only: says which request the next one answers. Once for each, before it is read and
  // after the one before it has ended (a bug otherwise). Bytes that answer nothing are refused.
  void expect(const Expected& request);

  // Goes on to the next event, taking what it uses from the front of `in`. The next call must bring
  // what this one left in front, unless the caller is done with HTTP. Call it until it says more:
  // an empty `in` can still give an event.
  //
  // Errors: invalid_argument for what breaks a rule, resource_exhausted for a limit of Http1Limits,
  // unimplemented for a version, coding or expectation that is not spoken; the text says what,
  // where, why and what to send instead. `in` then begins with the byte that was too much (for what
  // only the whole head shows, with what follows it). The parser is dead afterwards and returns the
  // same again: nothing behind an error is a message.
  Result<Event> next(std::string_view& in);

  // After `head`, before a byte of the body was taken: a smaller max_body_bytes for this message,
  // as who serves it knows better. resource_exhausted when its length is beyond that already:
  // answer 413 then and close. A body in chunks is refused by next() where it passes the limit. A
  // larger one than the parser's changes nothing.
  Status limit_body(std::uint64_t bytes);

  // The other side has finished and everything it sent went through next(). True: that was the end
  // of a body that lasts until then (take it as Event::end). False: it came between two messages.
  // data_loss within a message, unavailable where an answer was expected and not a byte of it came.
  Result<bool> finish();

  // Of the message whose head came last. Hold until next() is called with a byte of another one;
  // may be moved from after `head`.
  [[nodiscard]] Request& request() noexcept { return request_; }
  [[nodiscard]] Response& response() noexcept { return response_; }
  [[nodiscard]] const Framing& framing() const noexcept { return framing_; }
  // After `body`: lies in the input of that call. Where that is Bytes, slice() shares it.
  [[nodiscard]] std::string_view body() const noexcept { return piece_; }
  // After `end`: the fields behind a chunked body; mostly none. They are kept apart for good, since
  // what is checked in a head must not change behind it.
  [[nodiscard]] Headers& trailers() noexcept { return trailers_; }

  // The status a server answers a refused request with (400, 413, 414, 417, 431, 501, 505), before
  // it closes; 502 when a response was refused, for a gateway. 0 when nothing was.
  [[nodiscard]] StatusCode answer() const noexcept { return answer_; }

  // Between two messages, and nothing of the next one has come.
  [[nodiscard]] bool is_at_rest() const noexcept;
  // Gives the memory of the last message back: for connections that stay at rest for long. Only
  // between two messages (else it does nothing).
  void let_go();

 private:
  enum class State : std::uint8_t {
    between,
    start_line,
    fields,
    length,
    until_close,
    chunks,
    trailers,
    ending,  // the body is over, `end` is not told yet
  };
  using Progress = impl::Progress;

  Progress advance(std::string_view& in, Event& event);
  bool begin_message();
  Progress read_start_line(std::string_view& in);
  Progress read_head(std::string_view& in, Event& event);
  Progress read_length(std::string_view& in, Event& event);
  Progress read_until_close(std::string_view& in, Event& event);
  Progress read_chunks(std::string_view& in, Event& event);
  Progress read_trailers(std::string_view& in);
  Progress end_message(Event& event);
  Status refused();

  const Reads reads_;
  const Http1Limits limits_;
  std::uint64_t max_body_ = 0;  // of this message
  State state_ = State::between;
  // What is to come is no message: the last one ended the connection, or the answer switched it.
  bool is_over_ = false;
  bool is_expecting_ = false;
  StatusCode answer_ = 0;
  std::size_t informational_ = 0;
  Expected expected_;
  Framing framing_;
  std::uint64_t left_ = 0;    // of a body with a length, or that a body may still have
  std::uint64_t offset_ = 0;  // of what comes next, in the message
  std::string_view piece_;
  Request request_;
  Response response_;
  Headers trailers_;
  impl::StartLine start_line_;
  impl::FieldReader fields_;
  impl::ChunkReader chunks_;
  impl::Fault fault_;
  Status error_;
};

}  // namespace parley::http
