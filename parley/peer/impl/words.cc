#include "parley/peer/impl/words.h"

#include <algorithm>
#include <chrono>

#include "parley/codec/json.h"

namespace parley::impl {

std::size_t bytes_of(const wire::Metadata& metadata) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : metadata) {
    bytes += sizeof(wire::Metadata::Entry) + key.size() + value.size();
  }
  return bytes;
}

std::string printable(std::string text) {
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '?';
  }
  return text;
}

std::string start_of(std::string_view text) {
  constexpr std::size_t most = 256;
  std::size_t size = std::min(text.size(), most);
  // Not in the middle of a letter.
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) >> 6U) == 2) {
    --size;
  }
  return printable(std::string(text.substr(0, size)));
}

void append_quoted(std::string& out, std::string_view text) {
  std::string copy(text);
  if (codec::encode_json_to(out, copy).is_ok()) return;
  for (char& byte : copy) {
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '?';
  }
  (void)codec::encode_json_to(out, copy);
}

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

}  // namespace parley::impl
