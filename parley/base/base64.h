// Base64 (RFC 4648, section 4): bytes as text.
//
// Pure functions: safe everywhere.
//
//   append_base64(out, bytes);
//   std::string bytes;
//   if (!decode_base64(text, bytes)) ...
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace parley {

// Appends `bytes` in the standard alphabet, padded with '='.
void append_base64(std::string& out, std::string_view bytes);

// Replaces `out` by the bytes that `text` means: the standard alphabet or the one for URLs (section
// 5), with padding or without. False when it is neither: another character, a length that no bytes
// give, padding in another place, bits left over that are not 0. `out` has no meaning then.
bool decode_base64(std::string_view text, std::string& out);

}  // namespace parley
