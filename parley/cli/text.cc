#include "parley/cli/text.h"

namespace parley::cli {

std::string printable(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string shown;
  shown.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    if (!is_control) {
      shown += c;
      continue;
    }
    shown += "\\x";
    shown += hex[byte >> 4];
    shown += hex[byte & 15];
  }
  return shown;
}

std::string excerpt(std::string_view text) {
  if (text.size() <= max_excerpt) return printable(text);
  std::size_t end = max_excerpt;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return printable(text.substr(0, end)) + "...";
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace parley::cli
