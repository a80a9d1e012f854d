// Http1Writer: writes the requests, or the responses, of one connection of HTTP/1.1: heads, and
// bodies with a length, in chunks, or up to the end of the connection. It chooses the framing
// itself and holds each head against the rules of the parser (http1_parser.h), so that what it
// writes can be read in one way only: no text can end a line or begin another message.
//
// Belongs to one fiber at a time. It keeps nothing but where it is in the message; bytes are
// appended to `out`, and large pieces of a body need not pass through it (begin_piece).
//
//   Http1Writer writer;
//   Status status = writer.begin(response, BodySize::unknown(), answered, out);
//   status = writer.write("one piece", out);        // as a chunk, since its size was not known
//   status = writer.end(out);                       // then flush `out`; done() holds
//   if (!writer.keeps_alive()) stream.close_write();
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/http/body_size.h"
#include "parley/http/framing.h"
#include "parley/http/message.h"

namespace parley::http {

// What a response has to know of the request it answers.
struct Answered {
  Method method = Method::get;
  Version version = Version::http_1_1;
  bool keeps_alive = true;       // Framing::keeps_alive of the request
  bool asked_to_switch = false;  // Framing::switches of the request
};

class Http1Writer {
 public:
  // Appends the head of a request. Content-Length or Transfer-Encoding follows from `size`, so the
  // headers must have neither; Host they must have. A request of HTTP/1.0 can have no body of
  // unknown size. invalid_argument when a reader would refuse it, and `out` is what it was.
  Status begin(const Request& request, BodySize size, std::string& out);

  // Appends the head of a response, as HTTP/1.1 whatever its version says. Adds Connection where
  // the connection ends, or where HTTP/1.0 goes on; a Connection: close among its headers ends it.
  // An answer to HEAD, and 304, tell the size and have no body: then write() drops what it is
  // given. 1xx and 204 may have no size but none, which tells nothing. A body of unknown size goes
  // in chunks; to HTTP/1.0, up to the end of the connection. Errors as above. After 1xx the writer
  // is done, and the answer itself can begin.
  Status begin(const Response& response, BodySize size, const Answered& request, std::string& out);

  // Appends a piece of the body. invalid_argument beyond the size that was given; `out` is what it
  // was. An empty piece is nothing.
  Status write(std::string_view piece, std::string& out);
  // The same for who sends the bytes himself, between what these two append.
  Status begin_piece(std::uint64_t bytes, std::string& out);
  void end_piece(std::string& out);
  // Ends the message. failed_precondition when bytes of the body are missing: the connection cannot
  // be saved then, close it. Trailers need a body in chunks: invalid_argument with a known size, or
  // for a field that frames or routes a message. Where the body lasts up to the end of the
  // connection, or was dropped, they are left out.
  Status end(std::string& out);
  Status end(const Headers& trailers, std::string& out);

  // No message is under way.
  [[nodiscard]] bool done() const noexcept { return !is_writing_; }
  // Whether another message may follow the last one that was begun.
  [[nodiscard]] bool keeps_alive() const noexcept { return keeps_alive_; }
  // Framing of the last message that was begun. A body of kind none drops what is written.
  [[nodiscard]] BodyKind body() const noexcept { return body_; }

 private:
  void start(BodyKind body, BodySize size, bool is_dropped);

  bool is_writing_ = false;
  bool keeps_alive_ = true;
  bool is_dropped_ = false;  // told, but not sent
  bool in_piece_ = false;
  BodyKind body_ = BodyKind::none;
  std::optional<std::uint64_t> left_{};  // of a known size
};

}  // namespace parley::http
