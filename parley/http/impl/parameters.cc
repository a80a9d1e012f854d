#include "parley/http/impl/parameters.h"

#include <algorithm>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"

namespace parley::http::impl {
namespace {

void skip_blanks(std::string_view& rest) noexcept {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
}

bool read_quoted(std::string_view& rest, std::string& value) {
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != '"'; ++at) {
    const bool is_pair =
        rest[at] == '\\' && at + 1 < rest.size() && (rest[at + 1] == '"' || rest[at + 1] == '\\');
    if (is_pair) ++at;
    value += rest[at];
  }
  if (at >= rest.size()) return false;
  rest.remove_prefix(at + 1);
  return true;
}

}  // namespace

std::string_view value_before_parameters(std::string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view value = trimmed(rest.substr(0, end));
  rest.remove_prefix(end);
  return value;
}

ParameterRead next_parameter(std::string_view& rest, Parameter& parameter) {
  for (;;) {
    skip_blanks(rest);
    if (rest.empty()) return ParameterRead::none;
    if (rest.front() != ';') return ParameterRead::wrong;
    rest.remove_prefix(1);
    skip_blanks(rest);
    if (!rest.empty() && rest.front() != ';') break;
  }
  const std::size_t size = run_of(rest, chars::token);
  if (size == 0 || size >= rest.size() || rest[size] != '=') return ParameterRead::wrong;
  parameter.name.assign(rest.substr(0, size));
  std::ranges::transform(parameter.name, parameter.name.begin(), lower_case);
  rest.remove_prefix(size + 1);
  parameter.value.clear();
  if (rest.starts_with('"')) {
    return read_quoted(rest, parameter.value) ? ParameterRead::one : ParameterRead::wrong;
  }
  const std::size_t end = run_of(rest, chars::token);
  if (end == 0) return ParameterRead::wrong;
  parameter.value.assign(rest.substr(0, end));
  rest.remove_prefix(end);
  return ParameterRead::one;
}

}  // namespace parley::http::impl
