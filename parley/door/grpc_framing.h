// How gRPC puts messages into a body: each behind five bytes, a flag (compressed or not) and its
// length. Sans-I/O; for both sides of unary calls and streams, and for gRPC-Web, whose trailers
// travel as a last message with a flag of their own.
//
// A reader belongs to one fiber at a time; the functions are pure.
//
//   GrpcReader reader({.max_message = 4 << 20});
//   GrpcMessage message;
//   for (;;) {
//     auto there = reader.next(piece, message);
//     if (!there) return there.error();              // resource_exhausted, internal
//     if (!*there) break;                            // the piece is used up: read another one
//     auto bytes = take_message(std::move(message), coding, max_message);
//     ...
//   }
//   if (!reader.is_between()) return cut();          // the body ended within a message
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/result.h"

namespace parley::door {

// How messages are compressed: what grpc-encoding says.
enum class GrpcCoding : std::uint8_t { identity, gzip };

// "gzip".
[[nodiscard]] std::string_view name_of(GrpcCoding coding) noexcept;
// Nothing for one that is not known here.
[[nodiscard]] std::optional<GrpcCoding> grpc_coding_named(std::string_view name) noexcept;
// What is said in grpc-accept-encoding.
inline constexpr std::string_view grpc_codings = "identity,gzip";

inline constexpr std::size_t grpc_prefix_bytes = 5;
// Of messages in both directions, where nothing else is said, as everywhere in gRPC.
inline constexpr std::size_t default_grpc_message_bytes = std::size_t{4} << 20U;

struct GrpcMessage {
  std::string bytes{};
  bool is_compressed = false;
  bool is_trailers = false;  // of gRPC-Web
};

struct GrpcReaderOptions {
  // Of a message as it travels; what compressed ones become is limited by take_message().
  std::size_t max_message = default_grpc_message_bytes;
  // gRPC-Web: a client takes a message that holds trailers. Behind it nothing may come.
  bool takes_trailers = false;
};

class GrpcReader {
 public:
  explicit GrpcReader(const GrpcReaderOptions& options = {}) : options_(options) {}

  // Takes from the front of `in`. True when a message is whole, in `message`; false when all of
  // `in` was taken and more is needed. resource_exhausted for a message beyond the limit (as soon
  // as its length is known: nothing of it is kept), internal for flags that nobody knows and bytes
  // behind the trailers. After an error it says that for ever.
  Result<bool> next(std::string_view& in, GrpcMessage& message);

  // No message has begun that did not end: the body may end here.
  [[nodiscard]] bool is_between() const noexcept { return prefix_size_ == 0; }

  // Bytes of memory that the message under way has.
  [[nodiscard]] std::size_t held() const noexcept { return message_.bytes.capacity(); }

 private:
  Status begin_message();

  GrpcReaderOptions options_;
  std::array<char, grpc_prefix_bytes> prefix_{};
  std::size_t prefix_size_ = 0;  // of those, how many have come
  std::size_t size_ = 0;         // of the message under way
  GrpcMessage message_;
  bool is_over_ = false;
  Status failed_;
};

// Appends the five bytes before a message of that size. More than 2^32 - 1 bytes are a bug.
void put_grpc_prefix(std::string& out, std::size_t size, bool is_compressed);
// The same, written to where there is room for grpc_prefix_bytes.
void put_grpc_prefix(char* out, std::size_t size, bool is_compressed);
// Appends the message behind its prefix, compressed where `coding` says so and it gets smaller by
// it. resource_exhausted when there is no memory for that; then `out` is as it was.
Status put_grpc_message(std::string& out, std::string_view message,
                        GrpcCoding coding = GrpcCoding::identity);
// Appends trailers as gRPC-Web has them: `lines` are "name: value\r\n".
void put_grpc_web_trailers(std::string& out, std::string_view lines);

// What the sender wrote: undoes `coding` for a message with the flag. internal when there is the
// flag and no coding, or when the bytes are none of that coding; resource_exhausted for a byte more
// than `max_message`.
Result<std::string> take_message(GrpcMessage message, GrpcCoding coding, std::size_t max_message);

}  // namespace parley::door
