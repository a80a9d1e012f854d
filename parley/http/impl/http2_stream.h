// One stream of an HTTP/2 connection, as whoever reads and writes it sees it: what has come and is
// not read, what is to go and has not gone. Under the lock of its connection (http2_link.h), but
// for what is marked. Private to http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/base/clock.h"
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
  bool may_continue = false;  // 100 has come
  BodySize length = BodySize::unknown();
  std::string unread{};  // has come and was not asked for
  std::string piece{};   // the reader's own: what read() showed last
  std::uint64_t read_bytes = 0;
  std::uint64_t max_bytes = 0;  // of the body
  Headers trailers{};
  bool ended = false;         // the other side has
  std::uint32_t granted = 0;  // of the window, beyond the first one
  rt::Cond readable;
  std::size_t readers = 0;       // that wait for it
  rt::Pollable* told = nullptr;  // is told as well, of a tunnel

  // What goes.
  std::string unsent{};
  std::size_t sent = 0;    // of it
  bool finished = false;   // nothing is added
  bool is_to_cut = false;  // and behind what is unsent comes a reset
  Http2Fields trailers_to_send{};
  bool waits_for_more = true;  // pull() found nothing, or was not asked yet
  bool head_sent = false;
  bool end_sent = false;
  bool responded = false;  // the head was given to the session
  bool may_stall = false;  // its owner has time: it was handed over
  Instant taken{};         // when bytes of it left last, or the first of them could
  rt::Cond writable;
  std::size_t writers = 0;  // that wait for it

  // Why it is over before its end.
  Status failed{};
  bool is_cut = false;                     // by the other side or its end, amid what it sent
  bool closed = false;                     // both directions, and nothing of it is in the session
  bool taken_back = false;                 // RST_STREAM is on its way, or instead of the head
  bool abandoned = false;                  // nobody reads what comes
  Instant leave_at{};                      // its answer is out: when the rest is waited for no more
  rt::DeferredContext* context = nullptr;  // of the handler, while it runs

  // Something could leave, but for the other side.
  [[nodiscard]] bool is_offered() const noexcept {
    return failed.is_ok() && !waits_for_more && !end_sent && (unsent_bytes() > 0 || finished);
  }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return unsent.size() - sent; }
};

}  // namespace parley::http::impl
