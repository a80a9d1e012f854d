// Names of fields as names of metadata, which are in lower case. Private to door. Pure.
#pragma once

#include <string>
#include <string_view>

namespace parley::door::impl {

// With the ASCII letters of `text` in lower case.
inline std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace parley::door::impl
