#include "parley/gen/route.h"

#include <algorithm>

namespace parley::gen {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_small(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool may_stand_in_a_route(char c) {
  return is_capital(c) || is_small(c) || c == '_' || c == '-' || c == '.' || c == '/';
}

}  // namespace

std::string snake_case(std::string_view name) {
  std::string snake;
  char before = '_';
  for (const char c : name) {
    const bool begins_word = is_capital(c) && is_small(before);
    if (begins_word || (c != '_' && before == '_' && !snake.empty())) snake += '_';
    if (c != '_') snake += is_capital(c) ? static_cast<char>(c - 'A' + 'a') : c;
    before = c;
  }
  return snake;
}

Status check_route(std::string_view route) {
  const auto wrong = [&](std::string_view why) {
    return Status(Code::invalid_argument, "\"" + std::string(route.substr(0, max_route)) + "\" " +
                                              std::string(why) + "; write it as /shop/place_order");
  };
  if (!route.starts_with('/')) return wrong("does not begin with a slash");
  if (route.size() > max_route) return wrong("is longer than 255 bytes");
  if (route.ends_with('/') || route.find("//") != std::string_view::npos) {
    return wrong("has an empty part");
  }
  if (!std::all_of(route.begin(), route.end(), may_stand_in_a_route)) {
    return wrong("has a character other than letters, digits, _ - . and /");
  }
  return {};
}

}  // namespace parley::gen
