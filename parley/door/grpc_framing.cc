#include "parley/door/grpc_framing.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "parley/base/assert.h"
#include "parley/wire/filters/deflate.h"

namespace parley::door {
namespace {

constexpr std::uint8_t compressed_flag = 0x01;
constexpr std::uint8_t trailers_flag = 0x80;
// Of the room for a message, what is taken before a byte of it has come.
constexpr std::size_t reserved_at_once = std::size_t{64} << 10U;

void put_prefix(char* out, std::uint8_t flags, std::size_t size) {
  PARLEY_ASSERT(size <= std::numeric_limits<std::uint32_t>::max(), "a message beyond 4 GiB");
  *out++ = static_cast<char>(flags);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) *out++ = static_cast<char>(size >> shift & 0xFFU);
}

void put_prefix(std::string& out, std::uint8_t flags, std::size_t size) {
  std::array<char, grpc_prefix_bytes> prefix;
  put_prefix(prefix.data(), flags, size);
  out.append(prefix.data(), prefix.size());
}

}  // namespace

std::string_view name_of(GrpcCoding coding) noexcept {
  return coding == GrpcCoding::gzip ? "gzip" : "identity";
}

std::optional<GrpcCoding> grpc_coding_named(std::string_view name) noexcept {
  if (name == "identity") return GrpcCoding::identity;
  if (name == "gzip") return GrpcCoding::gzip;
  return {};
}

Status GrpcReader::begin_message() {
  const auto flags = static_cast<std::uint8_t>(prefix_[0]);
  const std::uint8_t known = compressed_flag | (options_.takes_trailers ? trailers_flag : 0);
  if ((flags & ~known) != 0) {
    return {Code::internal, "a message begins with the flags " + std::to_string(flags) +
                                ", which gRPC does not have: the body is no list of messages"};
  }
  size_ = 0;
  for (std::size_t i = 1; i < grpc_prefix_bytes; ++i) {
    size_ = size_ << 8U | static_cast<std::uint8_t>(prefix_[i]);
  }
  if (size_ > options_.max_message) {
    return {Code::resource_exhausted, "a message of " + std::to_string(size_) +
                                          " bytes is larger than max_message, " +
                                          std::to_string(options_.max_message) + " bytes"};
  }
  message_.is_compressed = (flags & compressed_flag) != 0;
  message_.is_trailers = (flags & trailers_flag) != 0;
  message_.bytes.clear();
  message_.bytes.reserve(std::min(size_, reserved_at_once));
  return {};
}

Result<bool> GrpcReader::next(std::string_view& in, GrpcMessage& message) {
  if (!failed_.is_ok()) return failed_;
  if (is_over_ && !in.empty()) {
    failed_ = Status(Code::internal, "bytes follow the trailers of a body of gRPC-Web");
    return failed_;
  }
  if (prefix_size_ < grpc_prefix_bytes) {
    const std::size_t taken = std::min(grpc_prefix_bytes - prefix_size_, in.size());
    std::copy_n(in.data(), taken, prefix_.data() + prefix_size_);
    prefix_size_ += taken;
    in.remove_prefix(taken);
    if (prefix_size_ < grpc_prefix_bytes) return false;
    failed_ = begin_message();
    if (!failed_.is_ok()) return failed_;
  }
  const std::size_t taken = std::min(size_ - message_.bytes.size(), in.size());
  message_.bytes.append(in.substr(0, taken));
  in.remove_prefix(taken);
  if (message_.bytes.size() < size_) return false;
  prefix_size_ = 0;
  is_over_ = message_.is_trailers;
  message = std::move(message_);
  message_ = {};
  return true;
}

void put_grpc_prefix(std::string& out, std::size_t size, bool is_compressed) {
  put_prefix(out, is_compressed ? compressed_flag : 0, size);
}

void put_grpc_prefix(char* out, std::size_t size, bool is_compressed) {
  put_prefix(out, is_compressed ? compressed_flag : 0, size);
}

Status put_grpc_message(std::string& out, std::string_view message, GrpcCoding coding) {
  if (coding == GrpcCoding::gzip) {
    std::string small;
    wire::Deflater deflater({.wrapping = wire::Wrapping::gzip});
    if (Status s = deflater.append(message, small, wire::Flush::finish); !s.is_ok()) return s;
    if (small.size() < message.size()) {
      put_grpc_prefix(out, small.size(), true);
      out += small;
      return {};
    }
  }
  put_grpc_prefix(out, message.size(), false);
  out += message;
  return {};
}

void put_grpc_web_trailers(std::string& out, std::string_view lines) {
  put_prefix(out, trailers_flag, lines.size());
  out += lines;
}

Result<std::string> take_message(GrpcMessage message, GrpcCoding coding, std::size_t max_message) {
  if (!message.is_compressed) return std::move(message.bytes);
  if (coding == GrpcCoding::identity) {
    return Status(Code::internal,
                  "a message is marked as compressed, and no grpc-encoding says how");
  }
  wire::Inflater inflater({.wrapping = wire::Wrapping::gzip, .max_output = max_message});
  std::string out;
  if (Status s = inflater.append(message.bytes, out); !s.is_ok()) {
    if (s.code() == Code::resource_exhausted) return s.with_context("a compressed message");
    return Status(Code::internal, "a compressed message is no gzip").with_cause(s.to_string());
  }
  if (!inflater.is_whole()) return Status(Code::internal, "a compressed message is cut off");
  return out;
}

}  // namespace parley::door
