#include "parley/wire/ws_payload.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "parley/wire/impl/erpc_frame.h"
#include "parley/wire/impl/json_envelope.h"
#include "parley/wire/impl/json_text.h"
#include "parley/wire/impl/pb_envelope.h"

namespace parley::wire {
namespace {

constexpr impl::JsonEnvelope json{.frame_name = "ws-json message", .is_sub_protocol = true};
// 1 to 7 are erpc's; 8 is ours.
constexpr impl::PbEnvelope pb{.frame_name = "ws-pb message",
                              .status = 8,
                              .metadata = 4,
                              .body_codec = 5,
                              .body = 6,
                              .filters = 7,
                              .leaves_out_ok = true};

template <typename Function>
void for_each_piece(const Bytes& bytes, const Function& function) {
  for (std::size_t i = 0; i < bytes.piece_count(); ++i) function(bytes.piece(i));
}

// Writes head and body by `put`, which is told what the status may take. `content` is what method
// and body take as they will stand, `overhead` at least what else there is besides status and
// metadata.
template <typename Put>
Status encode(std::string_view name, const Message& message, std::size_t content,
              std::size_t overhead, std::string& out, const ErpcLimits& limits, const Put& put) {
  if (Status bad = impl::refuse_unwritable(name, message, limits); !bad.is_ok()) return bad;
  const std::size_t limit = limits.max_frame_bytes;
  const std::size_t metadata_least = impl::bytes_of(message.metadata);
  const std::size_t least = content + metadata_least;
  if (least > limit) return impl::too_large(name, least, limit);
  const std::size_t rest = content + overhead;
  impl::make_room(message.status, 3 * metadata_least + 2 * message.metadata.size(), rest, out);
  const std::size_t start = out.size();
  put(impl::status_room(message, rest, limit));
  const std::size_t size = out.size() - start;
  if (size <= limit) return {};
  out.resize(start);
  return impl::too_large(name, size, limit);
}

// `read` is told the text and where to leave the view of the body.
template <typename Read>
Result<Message> decode(std::string_view name, Bytes payload, const ErpcLimits& limits,
                       const Read& read) {
  if (payload.size() > limits.max_frame_bytes) {
    return impl::too_large(name, payload.size(), limits.max_frame_bytes);
  }
  const std::string_view text = payload.flatten();
  Message message;
  std::string_view body;
  if (Status bad = read(text, message, body); !bad.is_ok()) return bad;
  if (!message.method.empty() && !message.method_block) {
    message.method_block = payload.first_block();
  }
  if (!body.empty()) {
    message.body = payload.slice(static_cast<std::size_t>(body.data() - text.data()), body.size());
  }
  impl::let_go_of_frame(text.size(), !body.empty(), message);
  if (message.filters.empty()) return message;
  Result<Bytes> undone = impl::unfiltered(name, message.filters, std::move(message.body), limits);
  if (!undone) return undone.error();
  message.body = *std::move(undone);
  return message;
}

// `encode`, with the body that came out of the message's filters.
template <typename Encode>
Status encode_filtered(std::string_view name, const Message& message, const ErpcLimits& limits,
                       const Encode& encode) {
  if (message.filters.empty()) return encode(message);
  Result<Bytes> body = impl::filtered(name, message, message.body, limits);
  if (!body) return body.error();
  Message filtered = message;
  filtered.body = *std::move(body);
  return encode(filtered);
}

Status put_json(const Message& message, std::string& out, const ErpcLimits& limits) {
  const std::string end = impl::json_end(json, message.filters);
  std::size_t content = impl::json_size(message.method);
  for_each_piece(message.body, [&](std::string_view piece) { content += impl::json_size(piece); });
  const auto put = [&](std::size_t status_bytes) {
    impl::put_json_head(out, json, message, status_bytes);
    for_each_piece(message.body, [&](std::string_view piece) { impl::append_json(out, piece); });
    out += end;
  };
  return encode(json.frame_name, message, content, impl::most_json_overhead + end.size(), out,
                limits, put);
}

Status put_pb(const Message& message, std::string& out, const ErpcLimits& limits) {
  const auto put = [&](std::size_t status_bytes) {
    impl::put_pb_head(out, pb, message, status_bytes, message.body.size());
    for_each_piece(message.body, [&](std::string_view piece) { out += piece; });
    impl::put_pb_filters(out, pb, message.filters);
  };
  constexpr std::size_t most_filters = 2 + FilterPipe::max_filters;
  return encode(pb.frame_name, message, message.method.size() + message.body.size(),
                impl::most_pb_overhead + most_filters, out, limits, put);
}

}  // namespace

Status encode_ws_json(const Message& message, std::string& out, const ErpcLimits& limits) {
  return encode_filtered(json.frame_name, message, limits,
                         [&](const Message& filtered) { return put_json(filtered, out, limits); });
}

Status encode_ws_pb(const Message& message, std::string& out, const ErpcLimits& limits) {
  return encode_filtered(pb.frame_name, message, limits,
                         [&](const Message& filtered) { return put_pb(filtered, out, limits); });
}

Result<Message> decode_ws_json(Bytes payload, const ErpcLimits& limits) {
  return decode(json.frame_name, std::move(payload), limits,
                [&](std::string_view text, Message& message, std::string_view& body) {
                  return impl::read_json_envelope(text, json, limits, message, body);
                });
}

Result<Message> decode_ws_pb(Bytes payload, const ErpcLimits& limits) {
  return decode(pb.frame_name, std::move(payload), limits,
                [&](std::string_view bytes, Message& message, std::string_view& body) {
                  return impl::read_pb_envelope(bytes, pb, limits, message, body);
                });
}

}  // namespace parley::wire
