// Whether a text is UTF-8, by the fastest means of this processor.
#pragma once

#include <string_view>

namespace parley::codec::impl {

// Overlong forms, surrogates and what lies beyond U+10FFFF are not UTF-8.
bool is_utf8(std::string_view text) noexcept;

}  // namespace parley::codec::impl
