// Framing: where a message of HTTP/1 ends and what becomes of its connection, by its head alone
// (RFC 9112 6.3, 9.3). And the limits of a reader. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parley/http/method.h"

namespace parley::http {

enum class BodyKind : std::uint8_t {
  none,
  length,       // as many bytes as Content-Length says, perhaps 0
  chunked,      // in pieces that say their length, then trailers
  until_close,  // a response that ends with the connection
};

struct Framing {
  BodyKind body = BodyKind::none;
  std::uint64_t length = 0;  // of a body with one
  // What the head says; whoever writes the other half of the exchange may still end the connection.
  bool keeps_alive = true;
  // A request that waits for 100 (Continue) before it sends its body, or for a final answer.
  bool expects_continue = false;
  // A request: wants what its Upgrade header names (CONNECT: a tunnel), and HTTP goes on when it is
  // not granted. A response: granted; what follows this head is no HTTP.
  bool switches = false;

  friend bool operator==(const Framing&, const Framing&) = default;
};

// What a reader of responses has to know of the request: not all answers have the body that their
// head speaks of.
struct Expected {
  Method method = Method::get;
  bool asked_to_switch = false;  // it had an Upgrade header
};

// What one message may cost its reader. Those of heads and trailers are at most what Headers take
// (headers.h), whatever they say.
struct Http1Limits {
  std::size_t max_method = 32;               // bytes
  std::size_t max_start_line = 8 * 1024;     // bytes of the request line or status line
  std::size_t max_headers = 100;             // fields
  std::size_t max_header_line = 16 * 1024;   // bytes of a field, of headers or trailers
  std::size_t max_header_bytes = 32 * 1024;  // of all fields together
  std::uint64_t max_body_bytes = 16 * 1024 * 1024;
  std::size_t max_chunk_line = 256;                  // bytes: a size and its extensions
  std::size_t max_chunk_extension_bytes = 4 * 1024;  // of all chunks together
  std::size_t max_trailers = 32;                     // fields
  std::size_t max_trailer_bytes = 8 * 1024;          // of all trailers together
  std::size_t max_informational = 16;                // responses 1xx before the answer
  // HTTP/1.1 wants Host in each request (RFC 9112 3.2). False only where what is read is no more
  // than dressed as HTTP, as erpc's framing, and no hop can stand in between.
  bool needs_host = true;
};

}  // namespace parley::http
