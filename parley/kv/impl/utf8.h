// How long the UTF-8 character at the start of a text is.
#pragma once

#include <cstddef>
#include <string_view>

namespace parley::kv::impl {

// 1 to 4 bytes; 0 where the text is empty or does not start with one well-formed character
// (RFC 3629: no surrogates, nothing longer than it must be).
std::size_t utf8_length(std::string_view text) noexcept;

// Whether all of it is well formed.
bool is_utf8(std::string_view text) noexcept;

}  // namespace parley::kv::impl
