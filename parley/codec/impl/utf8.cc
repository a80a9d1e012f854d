#include "parley/codec/impl/utf8.h"

#include <simdjson.h>

namespace parley::codec::impl {

bool is_utf8(std::string_view text) noexcept {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace parley::codec::impl
