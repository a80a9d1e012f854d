// permessage-deflate (RFC 7692): what each side wants of it, how that is said in the header
// Sec-WebSocket-Extensions, and what both agree on. Pure functions and values.
//
//   std::string answer;
//   const auto agreed = accept_deflate(offers, options, answer);       // the server
//   if (!agreed) return agreed.error();                                // 400
//   if (*agreed) use(**agreed);                                        // else uncompressed
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/wire/filters/deflate.h"

namespace parley::http {

// Which end of a connection.
enum class Side : std::uint8_t { client, server };

// Said alike on both sides; what both say, the stricter holds.
struct DeflateOptions {
  // Nothing is offered or accepted.
  bool is_on = true;
  // The side forgets each message before the next one: less memory at rest, larger messages.
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  // How far back the side looks, as a power of two: from 8 to 15. A side that may look back 2^8
  // bytes only sends everything uncompressed, since zlib cannot do that.
  int server_max_window_bits = wire::most_window_bits;
  int client_max_window_bits = wire::most_window_bits;
  // A smaller message is not compressed. One of a megabyte takes some 50 ms, in which other
  // fibers run as well.
  std::size_t min_bytes = 256;
  // As for wire::Deflater.
  int level = 3;
  int memory = 8;
};

// What holds for a connection.
struct DeflateAgreement {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = wire::most_window_bits;
  int client_max_window_bits = wire::most_window_bits;
  std::size_t min_bytes = 256;
  int level = 3;
  int memory = 8;

  [[nodiscard]] bool forgets(Side sender) const noexcept {
    return sender == Side::client ? client_no_context_takeover : server_no_context_takeover;
  }
  [[nodiscard]] int window_bits(Side sender) const noexcept {
    return sender == Side::client ? client_max_window_bits : server_max_window_bits;
  }
};

// What a client sends. Empty when it is off.
[[nodiscard]] std::string deflate_offer(const DeflateOptions& options);

// What a server makes of the values of Sec-WebSocket-Extensions, joined by commas: the first offer
// of permessage-deflate that it can take, and `answer`, which is what it sends back. Offers with
// parameters that are unknown, twice or wrong are passed over, as is every other extension; nothing
// when none is left. invalid_argument when it is no list of extensions: answer 400.
Result<std::optional<DeflateAgreement>> accept_deflate(std::string_view offers,
                                                       const DeflateOptions& options,
                                                       std::string& answer);

// What a client makes of the answer. invalid_argument, and the connection must not be used, for an
// extension that was not asked for, or an answer that does not go with the offer.
Result<std::optional<DeflateAgreement>> check_deflate_answer(std::string_view answer,
                                                             const DeflateOptions& offered);

}  // namespace parley::http
