// Detector: tells by the first bytes of a connection which protocol it speaks. How each protocol
// begins is a table, so that what two of them have in common is computed and not guessed: a set of
// which two could begin alike is refused, unless it was said which of them comes first.
//
// Sans-I/O. Immutable once made; any thread.
//
//   auto known = Detector::make({{"http/1", http1_opening()}, {"parley", *opening_of(framing)}});
//   const Detector::Verdict verdict = known->look(first_bytes);
//   if (verdict.match == wire::Match::yes) serve(known->candidates()[verdict.index].name);
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/wire/framing.h"

namespace parley::door {

using ByteSet = std::bitset<256>;

// Which bytes may stand at each place. What comes behind them is not looked at.
using OpeningRow = std::vector<ByteSet>;

// How a protocol begins: as any of these rows says.
struct Opening {
  std::vector<OpeningRow> rows{};
};

inline constexpr std::string_view tls_name = "tls";
inline constexpr std::string_view http1_name = "http/1";
inline constexpr std::string_view http2_name = "http/2";

// A ClientHello.
Opening tls_opening();
// Three letters of a method, or fewer of them and a blank; or that behind one empty line, as
// RFC 9112 2.2 has it.
Opening http1_opening();
// The preface.
Opening http2_opening();
// Of parley and of erpc's raw, json, pb and erpc-http, within the limits that the framing was made
// with. unimplemented for one of another name, invalid_argument for limits within which nothing
// begins.
Result<Opening> opening_of(const wire::Framing& framing);

// Whether a connection with these first bytes is of the protocol.
[[nodiscard]] wire::Match match(const Opening& opening, std::string_view first_bytes) noexcept;
// First bytes with which it could be either; nothing when there are none.
[[nodiscard]] std::optional<std::string> overlap(const Opening& one, const Opening& other);

struct DetectOptions {
  // Of two protocols that may begin alike the one that stands first here is taken. That nobody
  // asks HTTP/1 for "PRI * HTTP/2.0" is a promise of RFC 9113 (11.6).
  std::vector<std::string> order = {std::string(http2_name), std::string(http1_name)};
  // What a connection may say before it is known what it speaks; at least what the longest opening
  // has.
  std::size_t max_detect_bytes = 64;
  // And how long it may take, from its first moment on.
  Duration detect_timeout = std::chrono::seconds(10);
};

struct Candidate {
  std::string name{};
  Opening opening{};
};

class Detector {
 public:
  struct Verdict {
    wire::Match match = wire::Match::needs_more;
    std::size_t index = 0;  // of candidates(), when it is yes
  };

  // invalid_argument: two candidates could begin alike and not both are in the order, named with
  // bytes that show it; one has no opening; a name comes twice, or stands in the order and is none;
  // max_detect_bytes or detect_timeout is too small.
  static Result<Detector> make(std::vector<Candidate> candidates, DetectOptions options = {});

  // The same for the same bytes, however they came: once it is yes or no, further bytes change
  // nothing. It is one of them after max_detect_bytes at the latest.
  [[nodiscard]] Verdict look(std::string_view first_bytes) const noexcept;

  // Those of the order in front.
  [[nodiscard]] const std::vector<Candidate>& candidates() const noexcept { return candidates_; }
  [[nodiscard]] const DetectOptions& options() const noexcept { return options_; }
  // For what is none of them: "... are of no protocol that is spoken here (http/1, parley): ..."
  [[nodiscard]] Status refusal(std::string_view first_bytes) const;
  // For one that is too slow.
  [[nodiscard]] Status too_slow(std::string_view first_bytes) const;

 private:
  Detector(std::vector<Candidate> candidates, DetectOptions options);
  [[nodiscard]] std::string names() const;

  std::vector<Candidate> candidates_;
  DetectOptions options_;
};

}  // namespace parley::door
