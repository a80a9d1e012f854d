#include "parley/wire/json_framing.h"

#include "parley/wire/impl/json_envelope.h"
#include "parley/wire/impl/json_text.h"

namespace parley::wire {
namespace {

constexpr impl::JsonEnvelope envelope{.frame_name = "json frame"};

// The length leaves its own four bytes out. {"mtype":1} is the shortest object that is a message.
constexpr impl::ErpcFormat format{.frame_name = envelope.frame_name,
                                  .uncounted = impl::size_bytes,
                                  .smallest_size = 12,
                                  .most_overhead = impl::size_bytes + 1 + impl::most_json_overhead,
                                  .may_open = [](unsigned char byte) { return byte == '{'; }};

}  // namespace

JsonDecoder::JsonDecoder(const ErpcLimits& limits) noexcept : ErpcDecoder(format, limits) {}

Status JsonDecoder::parse(impl::FrameReader& content, Message& message,
                          std::string_view& body) const {
  return impl::read_json_envelope(content.rest(), envelope, limits(), message, body);
}

JsonEncoder::JsonEncoder(const ErpcLimits& limits) noexcept : ErpcEncoder(format, limits) {}

void JsonEncoder::put_head(const Message& message, std::size_t /*body_bytes*/, std::size_t rest,
                           std::string& out) const {
  out.append(impl::opening_bytes, '\0');
  impl::put_json_head(out, envelope, message, impl::status_room(message, rest, limit()));
}

Status JsonEncoder::put(const Message& message, std::span<const std::string_view> body,
                        std::string& out) const {
  const std::string end = impl::json_end(envelope);
  std::size_t size = end.size();
  for (const std::string_view piece : body) size += impl::json_size(piece);
  const Sizes sizes{.method = impl::json_size(message.method), .body = size, .body_room = size};
  if (Status bad = encode_head(message, sizes, out); !bad.is_ok()) return bad;
  for (const std::string_view piece : body) impl::append_json(out, piece);
  out += end;
  return {};
}

Status JsonEncoder::encode_apart(const Message& message, std::string& out, Bytes& tail) {
  const Bytes& body = message.body;
  if (!message.filters.empty()) return ErpcEncoder::encode_apart(message, out, tail);
  std::size_t size = 0;
  for (std::size_t i = 0; i < body.piece_count(); ++i) size += impl::json_size(body.piece(i));
  if (size != body.size()) {
    Status status = encode(message, out);
    if (status.is_ok()) tail = {};
    return status;
  }
  const std::string end = impl::json_end(envelope);
  const Sizes sizes{.method = impl::json_size(message.method), .body = size + end.size()};
  if (Status bad = encode_head(message, sizes, out); !bad.is_ok()) return bad;
  tail = body;
  tail.append(Bytes::from(end));
  return {};
}

Match JsonFraming::matches(std::string_view first_bytes) const noexcept {
  return impl::match_frame(first_bytes, format, limits_);
}

}  // namespace parley::wire
