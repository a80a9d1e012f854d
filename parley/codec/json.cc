#include "parley/codec/json.h"

#include <algorithm>
#include <limits>

#include "parley/codec/impl/held_json.h"
#include "parley/codec/impl/json_cursor.h"

namespace parley::codec {
namespace {

void break_line(std::string& out, std::size_t level) {
  out += '\n';
  out.append(2 * level, ' ');
}

// The end of the string that starts at `at`, past its closing quote.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

}  // namespace

Status validate_json(std::string_view text, const Limits& limits) {
  impl::JsonCursor cursor(text, limits);
  if (cursor.check_size() && cursor.skip_value() && cursor.expect_end()) return {};
  return cursor.failure().status();
}

Status impl::check_held_json(std::string_view text, const Limits& limits, std::size_t depth) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  return validate_json(text, {.max_depth = limits.max_depth - std::min(depth, limits.max_depth),
                              .max_bytes = any,
                              .max_elements = any,
                              .max_string_bytes = any});
}

std::string indent_json(std::string_view valid_json) {
  if (!validate_json(valid_json).is_ok()) return std::string(valid_json);
  std::string out;
  std::size_t level = 0;
  for (std::size_t at = 0; at < valid_json.size();) {
    const char c = valid_json[at];
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      ++at;
      continue;
    }
    const bool closes = c == '}' || c == ']';
    const bool is_first = !out.empty() && (out.back() == '{' || out.back() == '[');
    if (closes) --level;
    // An empty array or object stays together.
    if (closes != is_first) break_line(out, level);
    if (c == '"') {
      const std::size_t end = string_end(valid_json, at);
      out += valid_json.substr(at, end - at);
      at = end;
      continue;
    }
    out += c;
    ++at;
    if (c == '{' || c == '[') ++level;
    if (c == ',') break_line(out, level);
    if (c == ':') out += ' ';
  }
  return out;
}

}  // namespace parley::codec
