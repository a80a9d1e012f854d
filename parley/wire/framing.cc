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

Result<std::optional<Message>> Decoder::next() {
  std::optional<Message> message(std::in_place);
  const Result<bool> came = next(*message);
  if (!came) return came.error();
  if (!*came) message.reset();
  return message;
}

}  // namespace parley::wire
