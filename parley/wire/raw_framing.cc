#include "parley/wire/raw_framing.h"

#include <array>
#include <charconv>

#include "parley/wire/query.h"
#include "parley/wire/status_text.h"

namespace parley::wire {
namespace {

constexpr std::string_view frame_name = "raw frame";
// size 4, xferLen 1, seqLen 1, seq 1, type 1, methodLen 1, statusLen 2, metaLen 2, bodyCodec 1. A
// transfer filter that makes nine bytes smaller is not known to us.
constexpr std::size_t smallest_frame = 14;
constexpr std::size_t longest_metadata = 65535;
// "-zik0zk"
constexpr std::size_t longest_seq = 7;
constexpr int seq_radix = 36;

constexpr impl::ErpcFormat format{
    .frame_name = frame_name,
    .smallest_size = smallest_frame,
    .most_overhead = smallest_frame - 1 + longest_seq,
    .longest_metadata = longest_metadata,
    .may_open = [](unsigned char byte) { return byte > 0 && byte <= longest_seq; }};

// As Go's strconv.ParseInt(text, 36, 32): either case, one sign, leading zeros.
Result<std::int32_t> parse_seq(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  std::int32_t seq = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seq, seq_radix);
  if (parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size()) return seq;
  std::string escaped;
  append_escaped(escaped, text);
  return impl::malformed(frame_name, "sequence number \"" + escaped +
                                         "\" is not a base-36 number that fits 32 signed bits");
}

}  // namespace

RawDecoder::RawDecoder(const RawLimits& limits) noexcept : ErpcDecoder(format, limits) {}

Status RawDecoder::parse(impl::FrameReader& content, Message& message,
                         std::string_view& body) const {
  const std::string_view seq = content.text(content.number(1, "sequence size"), "sequence number");
  const std::uint32_t type = content.number(1, "message type");
  const std::string_view method = content.text(content.number(1, "method size"), "method");
  const std::string_view status = content.text(content.number(2, "status size"), "status");
  const std::string_view metadata = content.text(content.number(2, "metadata size"), "metadata");
  const auto codec = static_cast<char>(content.number(1, "body codec"));
  body = content.rest();
  if (!content.is_ok()) return content.error();

  const Result<std::int32_t> seq_number = parse_seq(seq);
  if (!seq_number) return seq_number.error();
  message.seq = *seq_number;
  message.method = method;
  message.body_codec = static_cast<BodyCodec>(codec);
  if (Status bad = impl::read_type(frame_name, type, message); !bad.is_ok()) return bad;
  if (Status bad = impl::read_status(frame_name, status, message); !bad.is_ok()) return bad;
  if (metadata.empty()) return {};
  return impl::read_metadata(frame_name, metadata, limits(), message);
}

RawEncoder::RawEncoder(const RawLimits& limits) noexcept : ErpcEncoder(format, limits) {}

void RawEncoder::put_head(const Message& message, std::size_t /*body_bytes*/, std::size_t rest,
                          std::string& out) const {
  std::array<char, impl::opening_bytes + 3 + longest_seq> head{};
  char* const seq = head.data() + impl::opening_bytes + 1;
  char* at = std::to_chars(seq, seq + longest_seq, message.seq, seq_radix).ptr;
  head[impl::opening_bytes] = static_cast<char>(at - seq);
  *at++ = static_cast<char>(message.type);
  *at++ = static_cast<char>(message.method.size());
  out.append(head.data(), at);
  out += message.method;

  const std::size_t status_at = out.size();
  out.append(2, '\0');
  append_status_text(out, message.status, impl::status_room(message, rest, limit()));
  impl::put_number(out.data() + status_at, 2, out.size() - status_at - 2);

  const std::size_t metadata_at = out.size();
  out.append(2, '\0');
  append_query(out, message.metadata);
  impl::put_number(out.data() + metadata_at, 2, out.size() - metadata_at - 2);
  out += static_cast<char>(message.body_codec);
}

Match RawFraming::matches(std::string_view first_bytes) const noexcept {
  return impl::match_frame(first_bytes, format, limits_);
}

}  // namespace parley::wire
