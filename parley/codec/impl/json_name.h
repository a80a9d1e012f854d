// The name of a field in JSON as protobuf maps it, where nothing else is said: "field_name" is
// "fieldName". Needs nothing else of the codec: protoc-gen-parley makes the same names.
//
// Pure functions: safe everywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace parley::codec::impl {

// Calls take(c) with each character of the name: what follows an underscore is large, and
// underscores go. False as soon as take() returns it.
template <class Take>
constexpr bool each_of_json_name(std::string_view name, Take take) {
  bool is_behind = false;
  for (const char c : name) {
    if (c != '_' &&
        !take(is_behind && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c)) {
      return false;
    }
    is_behind = c == '_';
  }
  return true;
}

inline std::string protobuf_json_name(std::string_view name) {
  std::string out;
  each_of_json_name(name, [&](char c) {
    out += c;
    return true;
  });
  return out;
}

// Whether protobuf_json_name(name) is `wanted`, without making it.
constexpr bool has_protobuf_json_name(std::string_view name, std::string_view wanted) {
  std::size_t at = 0;
  const auto is_next = [&](char c) { return at < wanted.size() && wanted[at++] == c; };
  return each_of_json_name(name, is_next) && at == wanted.size();
}

}  // namespace parley::codec::impl
