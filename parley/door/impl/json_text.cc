#include "parley/door/impl/json_text.h"

#include "parley/codec/json.h"

namespace parley::door::impl {

void append_json_text(std::string& out, std::string text) {
  if (codec::encode_json_to(out, text).is_ok()) return;
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '?';
  }
  (void)codec::encode_json_to(out, text);
}

}  // namespace parley::door::impl
