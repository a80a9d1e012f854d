// Reads a stream of HTTP/1 whole, or cut into pieces, and keeps all that was seen: both must come
// to the same. For tests and fuzz programs only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/http/http1_parser.h"

namespace parley::http::testing {

struct SeenMessage {
  Request request{};
  Response response{};
  Framing framing{};
  Headers trailers{};
  std::string body{};
  bool is_informational = false;
  bool is_whole = false;

  friend bool operator==(const SeenMessage&, const SeenMessage&) = default;
};

struct Seen {
  std::vector<SeenMessage> messages;
  Status error;
  StatusCode answer = 0;
  std::string rest;  // what no message used: only behind an error
  bool is_at_rest = false;

  friend bool operator==(const Seen&, const Seen&) = default;
};

// How many bytes the next piece has; 0 for all there are.
using Cut = std::function<std::size_t()>;

inline void note(Http1Parser& parser, Event event, Seen& seen) {
  if (event == Event::head || event == Event::informational) {
    seen.messages.push_back({.request = parser.request(),
                             .response = parser.response(),
                             .framing = parser.framing(),
                             .is_informational = event == Event::informational});
    return;
  }
  SeenMessage& message = seen.messages.back();
  PARLEY_ASSERT(!message.is_whole, "something came behind the end of a message");
  if (event == Event::body) {
    PARLEY_ASSERT(!parser.body().empty(), "a piece of a body is never empty");
    message.body += parser.body();
  } else {
    message.trailers = parser.trailers();
    message.is_whole = true;
  }
}

// `expected`: for a parser of responses, which requests they answer; those beyond are like the
// last. Stops at an error, and where responses would be expected no more.
inline Seen read(Http1Parser& parser, std::string_view stream, const Cut& cut = {},
                 const std::vector<Expected>& expected = {}) {
  Seen seen;
  std::size_t answered = 0;
  const auto expect_next = [&] {
    if (answered < expected.size()) parser.expect(expected[answered++]);
  };
  expect_next();
  while (!stream.empty() && seen.error.is_ok()) {
    const std::size_t size = cut ? cut() : 0;
    // A copy of its own, so that reading beyond the piece is found.
    const std::string copy(stream.substr(0, size == 0 ? stream.size() : size));
    stream.remove_prefix(copy.size());
    std::string_view piece = copy;
    for (;;) {
      const Result<Event> event = parser.next(piece);
      if (!event) {
        seen.error = event.error();
        seen.rest = std::string(piece) + std::string(stream);
        break;
      }
      if (*event == Event::more) {
        PARLEY_ASSERT(piece.empty(), "more was asked for with bytes left");
        break;
      }
      note(parser, *event, seen);
      if (*event == Event::end) expect_next();
    }
  }
  seen.answer = parser.answer();
  seen.is_at_rest = parser.is_at_rest();
  return seen;
}

inline Cut bytewise() {
  return [] { return std::size_t{1}; };
}

// Pieces of 1 to 1 + seed % 32 bytes.
inline Cut cut_by(std::uint32_t seed) {
  return [state = seed, most = 1U + seed % 32U]() mutable {
    state = state * 1664525U + 1013904223U;
    return std::size_t{1} + (state >> 24U) % most;
  };
}

}  // namespace parley::http::testing
