#include "parley/net/impl/dns_conf.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>

namespace parley::net::impl {
namespace {

constexpr int max_timeout_s = 30;
constexpr int max_attempts = 5;
constexpr std::string_view white = " \t\r";

// Takes the first word off `rest`; empty at the end.
std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(white), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(white));
  rest.remove_prefix(word.size());
  return word;
}

void read_number(std::string_view word, std::string_view name, int limit, std::optional<int>& out) {
  if (!word.starts_with(name)) return;
  word.remove_prefix(name.size());
  int number = 0;
  const auto end = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool is_number = end.ec == std::errc() && end.ptr == word.data() + word.size();
  if (is_number && number >= 1) out = std::min(number, limit);
}

}  // namespace

ResolvConf parse_resolv_conf(std::string_view text) {
  ResolvConf conf;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find_first_of("#;"));
    if (next_word(line) != "options") continue;
    for (auto word = next_word(line); !word.empty(); word = next_word(line)) {
      read_number(word, "timeout:", max_timeout_s, conf.timeout_s);
      read_number(word, "attempts:", max_attempts, conf.attempts);
    }
  }
  return conf;
}

std::string read_resolv_conf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(max_resolv_conf, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace parley::net::impl
