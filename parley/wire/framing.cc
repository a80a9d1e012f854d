#include "parley/wire/framing.h"

#include <utility>
#include <vector>

namespace parley::wire {

Status Encoder::encode(const Message& message, std::string& out) {
  const std::size_t count = message.body.piece_count();
  if (count == 0) return encode_pieces(message, {}, out);
  if (count == 1) return encode(message, message.body.piece(0), out);
  std::vector<std::string_view> pieces(count);
  for (std::size_t i = 0; i < count; ++i) pieces[i] = message.body.piece(i);
  return encode_pieces(message, pieces, out);
}

// Not in the header: who calls them would ask first whether it is these.
char* Encoder::write_answer(std::int32_t /*seq*/, BodyCodec /*codec*/, std::string_view /*body*/,
                            char* /*room*/) const noexcept {
  return nullptr;
}

std::size_t Decoder::next_plain(const MessageRow& /*into*/) { return 0; }

Result<std::optional<Message>> Decoder::next() {
  std::optional<Message> message(std::in_place);
  const Result<bool> came = next(*message);
  if (!came) return came.error();
  if (!*came) message.reset();
  return message;
}

}  // namespace parley::wire
