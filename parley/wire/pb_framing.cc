#include "parley/wire/pb_framing.h"

#include "parley/wire/impl/pb_envelope.h"

namespace parley::wire {
namespace {

constexpr impl::PbEnvelope envelope{
    .frame_name = "pb frame", .status = 4, .metadata = 5, .body_codec = 6, .body = 7};

// seq, mtype, serviceMethod, status, meta, bodyCodec, body. None is a size of raw's (1 to 7) nor a
// '{'. Fields that we do not know do not open a stream.
constexpr std::string_view tags = "\x08\x10\x1a\x22\x2a\x30\x3a";

// The length leaves its own four bytes out. A message has at least its mtype.
constexpr impl::ErpcFormat format{.frame_name = envelope.frame_name,
                                  .uncounted = impl::size_bytes,
                                  .smallest_size = 3,
                                  .most_overhead = impl::size_bytes + 1 + impl::most_pb_overhead,
                                  .may_open = [](unsigned char byte) {
                                    return tags.find(static_cast<char>(byte)) !=
                                           std::string_view::npos;
                                  }};

}  // namespace

PbDecoder::PbDecoder(const ErpcLimits& limits) noexcept : ErpcDecoder(format, limits) {}

Status PbDecoder::parse(impl::FrameReader& content, Message& message,
                        std::string_view& body) const {
  return impl::read_pb_envelope(content.rest(), envelope, limits(), message, body);
}

PbEncoder::PbEncoder(const ErpcLimits& limits) noexcept : ErpcEncoder(format, limits) {}

void PbEncoder::put_head(const Message& message, std::size_t body_bytes, std::size_t rest,
                         std::string& out) const {
  out.append(impl::opening_bytes, '\0');
  impl::put_pb_head(out, envelope, message, impl::status_room(message, rest, limit()), body_bytes);
}

Match PbFraming::matches(std::string_view first_bytes) const noexcept {
  return impl::match_frame(first_bytes, format, limits_);
}

}  // namespace parley::wire
