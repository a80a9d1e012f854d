// Content codings (RFC 9110 8.4): answers that leave compressed where the client takes that, bodies
// of requests that arrive compressed, and answers that a client reads: gzip, deflate (which is
// zlib's wrapping, RFC 9110 8.4.1.2) and zstd (RFC 8878). Built on wire/filters, piece by piece: no
// body is held whole but those that an answer gives in one piece anyway.
//
// A wrapped handler may be called from any number of fibers at once, as the one within may. A
// DecodedBody belongs to one fiber.
//
//   http::Server server(listener, http::with_compression(http::with_decompression(handler)));
//
//   if (Status s = http::accept_codings(request); !s.is_ok()) return s;   // as a client
//   ...
//   auto body = http::read_decoded(*exchange);
//   if (!body) return body.error();
//   auto page = body->read_all(1'000'000);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/rt/deadline.h"
#include "parley/wire/filters/deflate.h"
#include "parley/wire/filters/zstd_stream.h"

namespace parley::http {

enum class ContentCoding : std::uint8_t { gzip, deflate, zstd };

// "gzip".
[[nodiscard]] std::string_view name_of(ContentCoding coding) noexcept;
// In any case; "x-gzip" is gzip. Nothing for the others.
[[nodiscard]] std::optional<ContentCoding> content_coding_of(std::string_view name) noexcept;

struct CompressionOptions {
  // Those on offer, best first; what the client weighs higher wins. None: nothing is compressed.
  std::vector<ContentCoding> codings{ContentCoding::zstd, ContentCoding::gzip,
                                     ContentCoding::deflate};
  // A body that says it is smaller goes as it is.
  std::size_t min_bytes = 1024;
  // What is worth it: "text/html", "text/*" or "*+json", without parameters.
  std::vector<std::string> types{"text/*",
                                 "*+json",
                                 "*+xml",
                                 "application/json",
                                 "application/javascript",
                                 "application/xml",
                                 "application/wasm",
                                 "application/x-ndjson",
                                 "image/svg+xml",
                                 "image/bmp",
                                 "font/ttf",
                                 "font/otf"};
  // Of gzip and deflate, from 1, quick, to 9, small.
  int level = 5;
  // Of zstd, from 1 to 19.
  int zstd_level = 3;
  // A body of known size up to this that is written in one piece is compressed as a whole: it has a
  // Content-Length, and goes as it is where compressing does not make it smaller.
  std::size_t max_whole_bytes = 256 * 1024;
};

// Compresses what the handler answers, for clients whose Accept-Encoding asks for it. Left as they
// are: answers without a body or of a part (204, 205, 206, 304, Content-Range), to CONNECT and
// Upgrade, of other types or none, smaller ones, those that have a Content-Encoding or a digest of
// their bytes already, and those that say `Cache-Control: no-transform`. What depends on the client
// says `Vary: Accept-Encoding`; an ETag of what is compressed becomes weak, and Accept-Ranges goes.
// HEAD gets the head that GET gets, but for its length. flush() also empties the compressor, so
// events arrive when they are sent.
//
// What begin() refuses may come out of the first write() here. An option out of its range is a bug.
[[nodiscard]] Handler with_compression(Handler handler, CompressionOptions options = {});

struct DecompressionOptions {
  // Those that are taken. Others, and several on top of each other, are refused.
  std::vector<ContentCoding> codings{ContentCoding::zstd, ContentCoding::gzip,
                                     ContentCoding::deflate};
  // Bytes that may come out of one body, however little went in.
  std::uint64_t max_bytes = Exchange::default_most;
  // The largest window of zstd, as a power of two, from 10 to 27: memory for each body under way.
  int zstd_window_bits = wire::usual_zstd_window_bits;
  // Coded bytes that bring nothing, as empty members of gzip and skippable frames of zstd do: each
  // byte that comes out makes up for 16. Less than a block of zstd, 128 KiB, refuses honest bodies.
  std::uint64_t max_barren_bytes = 1024 * 1024;
  // So long they may come without a byte that comes out; then read() is deadline_exceeded. While
  // nothing comes at all the times of the exchange hold. Duration::max(): for ever.
  Duration max_barren_time = std::chrono::minutes(5);
};

// The handler reads what compressed bodies of requests contain: their Content-Encoding and
// Content-Length are gone, their size is unknown, limit_body() counts what comes out. A coding that
// is not taken is 415 with those that are in Accept-Encoding; the handler is not called. A body
// that becomes more than max_bytes is resource_exhausted from read(), damaged or cut ones are
// data_loss; a handler that returns that error has answered 413 or 400.
[[nodiscard]] Handler with_decompression(Handler handler, DecompressionOptions options = {});

// A body as it was before it was coded; what is not coded passes through.
class DecodedBody {
 public:
  // The exchange must outlive it. With a coding, everything that read() gives is decoded.
  DecodedBody(Exchange& exchange, std::optional<ContentCoding> coding,
              const DecompressionOptions& options = {});

  // The next piece; empty at the end. Holds until the next read(). Errors as for Exchange::read(),
  // and data_loss for what is damaged or cut, resource_exhausted beyond max_bytes, zstd_window_bits
  // or max_barren_bytes, deadline_exceeded beyond max_barren_time (returned again from then on).
  Result<std::string_view> read(rt::Deadline deadline = {});
  // All of it. resource_exhausted, with nothing kept, for more than `most` bytes.
  Result<std::string> read_all(std::size_t most = Exchange::default_most,
                               rt::Deadline deadline = {});

  [[nodiscard]] bool is_coded() const noexcept { return decoder_.index() != 0; }
  // What failed of the decoding itself; ok while nothing did.
  [[nodiscard]] const Status& failure() const noexcept { return failed_; }
  // Fewer bytes than max_bytes; before the first read().
  void limit(std::uint64_t bytes);

 private:
  Result<std::size_t> decode();
  Status check_barren();
  [[nodiscard]] bool holds_more() const noexcept;
  [[nodiscard]] bool is_whole() const noexcept;

  Exchange* exchange_;
  std::optional<ContentCoding> coding_;
  DecompressionOptions options_;
  std::variant<std::monostate, wire::Inflater, wire::ZstdDecoder> decoder_;
  std::string_view in_;
  std::string room_;
  Status failed_;
  std::uint64_t barren_bytes_ = 0;
  std::optional<Instant> barren_since_;  // unless something came out last
  bool has_bytes_ = false;
  bool is_over_ = false;
};

// The coding in Content-Encoding, nothing where there is none (or "identity"). unimplemented, which
// names it, for one that is not among `codings`, and for several.
Result<std::optional<ContentCoding>> coding_of(const Headers& headers,
                                               const std::vector<ContentCoding>& codings);

// Says in a request which codings are read; one that says something already stays.
Status accept_codings(Request& request, const DecompressionOptions& options = {});

// Waits for the answer and decodes its body as it is read; that of a part (206) is passed through,
// for a part of what is compressed cannot be decoded alone. Errors of response() and coding_of().
Result<DecodedBody> read_decoded(ClientExchange& exchange, const DecompressionOptions& options = {},
                                 rt::Deadline deadline = {});

}  // namespace parley::http
