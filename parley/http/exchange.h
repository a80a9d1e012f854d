// Exchange: one request and its answer, in blocking style on fibers, the same over every version of
// HTTP. ServerExchange is what a handler gets, ClientExchange what asks somebody; both read one
// message and write the other, and both bodies may be under way at once.
//
// One fiber may read while another writes; two of either at once are a bug. Every wait takes a
// deadline and also ends with the calling fiber's context. Belongs to the handler until it returns,
// and to nobody after that.
//
//   Status upper(http::ServerExchange& exchange) {
//     auto body = exchange.read_all(64 * 1024);
//     if (!body) return body.error();
//     return exchange.answer(200, in_upper_case(*body));
//   }
//
//   Status count(http::ServerExchange& exchange) {          // a body that is not known beforehand
//     if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
//     for (int i = 0; i < 10; ++i) {
//       if (Status s = exchange.write(std::to_string(i)); !s.is_ok()) return s;   // back-pressure
//       if (Status s = exchange.flush(); !s.is_ok()) return s;                    // now, not later
//     }
//     return {};                                            // ends the body
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/body_size.h"
#include "parley/http/headers.h"
#include "parley/http/kept.h"
#include "parley/http/message.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::http {

class Draining;

// How the exchange travels.
enum class Protocol : std::uint8_t { http_1_0, http_1_1, http_2 };

// "HTTP/1.1", "HTTP/2".
[[nodiscard]] std::string_view name_of(Protocol protocol) noexcept;

// What both sides have: a body that comes and a body that goes.
class Exchange {
 public:
  // Read by read_all() where nothing else is said.
  static constexpr std::size_t default_most = 16 * 1024 * 1024;

  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // The next piece of the body that comes, as large as it came; empty at its end. Holds until the
  // next read(). What is not read is not taken from the network: the sender waits.
  // deadline_exceeded or the context's status when that came first (nothing is lost, read again);
  // data_loss when the connection ended within the body, or the server cut its answer, once what
  // came before was read; resource_exhausted beyond a limit; invalid_argument for what breaks the
  // rules; cancelled when the other side took the exchange back before.
  virtual Result<std::string_view> read(rt::Deadline deadline = {}) = 0;
  // All of it. resource_exhausted, with nothing kept, for more than `most` bytes.
  Result<std::string> read_all(std::size_t most = default_most, rt::Deadline deadline = {});
  // For who reads a body on behalf of a handler, as read_all() does: what is wrong with it, and the
  // handler is about to be told with `code`. Returned by the handler that is answered with `answer`
  // (of several the last one counts); else an error of that code is his own trouble.
  virtual void note_body_fault(Code /*code*/, StatusCode /*answer*/) noexcept {}
  // It is beyond a limit: resource_exhausted is 413.
  void note_too_large() noexcept { note_body_fault(Code::resource_exhausted, 413); }
  // Fields behind the body, once read() was empty; mostly none.
  [[nodiscard]] virtual const Headers& trailers() const noexcept = 0;

  // Sends a piece of the body that goes; begin() comes before. Small pieces are gathered and leave
  // together: before the side that writes waits for the other one, it says flush(). Waits while the
  // other side takes nothing. unavailable when the connection is gone, cancelled when the other
  // side wants no more of it; invalid_argument beyond the size that was told. After an error of the
  // deadline or context it is unknown how much went out, and no more can. An answer to HEAD has no
  // body: what is written to it is dropped, and beyond a megabyte it has ended, and this is
  // cancelled.
  virtual Status write(std::string_view piece, rt::Deadline deadline = {}) = 0;
  // What was gathered leaves now.
  virtual Status flush(rt::Deadline deadline = {}) = 0;
  // Ends the body, with fields behind it where there are any (a body of unknown size only).
  // failed_precondition when bytes of a told size are missing: then the other side sees that the
  // body is cut. Twice is fine.
  Status end(rt::Deadline deadline = {}) { return finish(nullptr, deadline); }
  Status end(const Headers& trailers, rt::Deadline deadline = {}) {
    return finish(&trailers, deadline);
  }

  [[nodiscard]] virtual Protocol protocol() const noexcept = 0;
  [[nodiscard]] virtual const net::Address& remote_address() const noexcept = 0;
  // Over TLS.
  [[nodiscard]] virtual bool is_secure() const noexcept = 0;

 protected:
  Exchange() = default;
  // end(), with trailers or null.
  virtual Status finish(const Headers* trailers, rt::Deadline deadline) = 0;
};

// As whoever serves sees it.
class ServerExchange : public Exchange {
 public:
  // The head that came. May be changed and moved from.
  [[nodiscard]] virtual Request& request() noexcept = 0;
  // Whether a body comes, and how large it says it is.
  [[nodiscard]] virtual BodySize request_size() const noexcept = 0;
  // Before the first read(): a smaller limit of the body, for this request. resource_exhausted when
  // it says that it is larger. Who returns that error has answered 413.
  virtual Status limit_body(std::uint64_t bytes) = 0;
  // Before the first read(): this body is a talk that may be silent for long and has no end in
  // sight. Neither its size nor its pace has a limit from here on: who reads bounds what he keeps.
  // Over HTTP/1 nothing changes.
  virtual void lift_body_limits() noexcept {}

  // The head of the answer, to be filled before begin(): 200 without fields. Date, Connection and
  // what frames the body are added as it is sent.
  [[nodiscard]] virtual Response& response() noexcept = 0;

  // Sends a response 1xx, at once: 100 (which read() does by itself for a client that waits for
  // it), 103. To HTTP/1.0 it does nothing. failed_precondition after begin().
  virtual Status inform(const Response& informational, rt::Deadline deadline = {}) = 0;
  // Begins the answer with response() as its head. It leaves with the first piece of the body that
  // does. invalid_argument, and nothing has happened, for a head that a reader would refuse, and
  // for 2xx to CONNECT, which opens a tunnel (RFC 9110 9.3.6): hand_over(). Twice is
  // failed_precondition.
  virtual Status begin(BodySize size) = 0;
  [[nodiscard]] virtual bool has_begun() const noexcept = 0;

  // The whole answer: response() with this status, and Content-Type where the body is not empty and
  // no field of that name is there.
  Status answer(StatusCode status, std::string_view body = {},
                std::string_view content_type = "text/plain; charset=utf-8");

  // Ends HTTP where it is: sends response() (101 with an Upgrade field; to CONNECT 200), and when
  // the handler has returned calls `then` with the connection, or with the stream of it that HTTP/2
  // has. What came behind the request is read from it first. The fiber, its context and the place
  // among those served remain `then`'s until it returns, and when the server drains for
  // ServerOptions::handed_over_timeout more; who moves the stream out keeps it longer than that.
  // failed_precondition after begin(), or when the request asked for no such thing.
  virtual Status hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) = 0;

  // What is kept with the connection; null where nothing can be.
  [[nodiscard]] virtual Kept* kept() noexcept { return nullptr; }

  // That the server comes to its end (draining.h): for what would go on for long, an answer without
  // an end or a stream that was handed over. Null where nobody knows.
  [[nodiscard]] virtual std::shared_ptr<Draining> draining() const { return nullptr; }
};

// Serves a request, on a fiber on which it may wait. Ok ends the answer (end()); nothing answered
// is 500, and on_error hears of it. An error before begin() is answered by its code: 413 for
// resource_exhausted of the body, 408 where the client was too slow, 400 for invalid_argument of
// the body (415 where it is no form), 503 where the server ended it (shutdown()), else 500, and
// what it says stays here (ServerOptions::on_error); after begin() it cuts the answer, so that
// nobody takes it for whole. Its context ends when the client takes the request back, as far as
// that shows: over HTTP/2, or with the server.
using Handler = std::function<Status(ServerExchange&)>;

// As whoever asks sees it. Made by a connection or a Client.
class ClientExchange : public Exchange {
 public:
  // Gives the exchange up if it is not over: HTTP/2 resets the stream, HTTP/1 has to close.
  ~ClientExchange() override = default;

  // The final answer, as soon as it has come; the same one each time. The body that goes need not
  // have ended. Errors as for read(); not_sent when the request has certainly not been processed
  // (it may be sent again), unavailable when nobody knows.
  virtual Result<Response*> response(rt::Deadline deadline = {}) = 0;

  // Gives up: both directions end, and the other side is told as far as the version allows.
  virtual void cancel() noexcept = 0;

  // After the answer switched protocols (101, or 2xx to CONNECT): the connection, or the stream of
  // it that HTTP/2 has, with what came behind the answer to be read first. failed_precondition
  // otherwise.
  virtual Result<std::unique_ptr<net::Stream>> take_stream() = 0;
};

}  // namespace parley::http
