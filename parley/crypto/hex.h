// Hexadecimal text, both ways, in a time that does not depend on the bytes: no table is looked into
// and no branch is taken by them, so keys may be read and written with it.
//
// Pure functions: safe everywhere.
//
//   append_hex(out, digest.bytes());
//   if (!decode_hex(text, bytes)) ...
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace parley::crypto {

// Appends `bytes` in lower case.
void append_hex(std::string& out, std::string_view bytes);

// Writes the bytes that `text` means, in lower or upper case, to `out`. False when `out` does not
// have half as many bytes as `text`, or a character is no digit; `out` has no meaning then.
[[nodiscard]] bool decode_hex(std::string_view text, std::span<char> out) noexcept;

// Where the first character stands that is no hexadecimal digit; the size when all are.
[[nodiscard]] std::size_t first_not_hex(std::string_view text) noexcept;

}  // namespace parley::crypto
