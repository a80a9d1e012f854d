// One stream of an HTTP/2 connection, as whoever reads and writes it sees it: what has come and is
// not read, what is to go and has not gone. Under the lock of its connection (http2_link.h), but
// for what is marked. Private to http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/base/status.h"
#include "parley/http/body_size.h"
#include "parley/http/impl/http2_session.h"
#include "parley/http/message.h"
#include "parley/rt/cond.h"
#include "parley/rt/deferred_context.h"
#include "parley/rt/pollable.h"

namespace parley::http::impl {

struct Http2Stream {
  StreamId id = 0;

  // What comes.
  Response response{};  // a client's: the final head, once has_response
  bool has_response = false;
  std::size_t informational = 0;
  BodySize length = BodySize::unknown();
  std::string unread{};  // has come and was not asked for
  std::string piece{};   // the reader's own: what read() showed last
  std::uint64_t read_bytes = 0;
  std::uint64_t max_bytes = 0;  // of the body
  Headers trailers{};
  bool ended = false;         // the other side has
  std::uint32_t granted = 0;  // of the window, beyond the first one
  rt::Cond readable;
  rt::Pollable* told = nullptr;  // is told as well, of a tunnel

  // What goes.
  std::string unsent{};
  std::size_t sent = 0;   // of it
  bool finished = false;  // nothing is added
  Headers trailers_to_send{};
  bool waits_for_more = true;  // pull() found nothing, or was not asked yet
  bool head_sent = false;
  bool end_sent = false;
  rt::Cond writable;

  // Why it is over before its end.
  Status failed{};
  bool closed = false;                     // both directions, and nothing of it is in the session
  bool abandoned = false;                  // nobody reads what comes
  rt::DeferredContext* context = nullptr;  // of the handler, while it runs

  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return unsent.size() - sent; }
};

}  // namespace parley::http::impl
