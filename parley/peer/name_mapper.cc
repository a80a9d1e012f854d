#include "parley/peer/name_mapper.h"

namespace parley {
namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// With `separator` for each single '_' and one '_' for each pair of them. Those at the ends
// separate nothing.
std::string with_separators(std::string_view name, char separator) {
  std::string out;
  while (!name.empty()) {
    if (name.front() != '_') {
      out += name.front();
      name.remove_prefix(1);
    } else if (name.starts_with("__")) {
      out += '_';
      name.remove_prefix(2);
    } else {
      name.remove_prefix(1);
      if (!out.empty() && !name.empty()) out += separator;
    }
  }
  return out;
}

}  // namespace

std::string http_name(std::string_view name) {
  std::string out = "/";
  bool in_word = false;  // a small letter or a digit has come since it began
  for (const char c : with_separators(name, '/')) {
    if (c == '/' || c == '_') {
      in_word = false;
      out += c;
    } else if (is_capital(c)) {
      if (in_word) out += '_';
      in_word = false;
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      in_word = true;
      out += c;
    }
  }
  return out;
}

std::string rpc_name(std::string_view name) { return with_separators(name, '.'); }

}  // namespace parley
