#include "parley/http/headers.h"

#include <utility>

#include "parley/http/syntax.h"

namespace parley::http {

Status Headers::add(std::string_view name, std::string_view value) {
  value = trimmed(value);
  if (!is_token(name)) {
    return Status(Code::invalid_argument,
                  "no header can be named " + quoted(name) +
                      ": a name is letters, digits and !#$%&'*+-.^_`|~; mend the name");
  }
  if (!is_field_value(value)) {
    return Status(Code::invalid_argument,
                  "header " + quoted(name) + " cannot have the value " + quoted(value) +
                      ": a line break, NUL or other control would end the line or hide in it; "
                      "escape it, or leave it out");
  }
  if (size() >= most_fields || text_.size() + name.size() + value.size() > most_bytes) {
    return Status(Code::resource_exhausted,
                  "header " + quoted(name) + " does not fit: headers hold at most " +
                      std::to_string(most_fields) + " fields and " + std::to_string(most_bytes) +
                      " bytes; put what is large into the body");
  }
  put(name, value);
  return {};
}

Status Headers::set(std::string_view name, std::string_view value) {
  if (count(name) == 0) return add(name, value);
  Headers others;
  for (const auto [other, kept] : *this) {
    if (!same_name(other, name)) others.put(other, kept);
  }
  if (Status status = others.add(name, value); !status.is_ok()) return status;
  *this = std::move(others);
  return {};
}

std::size_t Headers::remove(std::string_view name) {
  const std::size_t dropped = count(name);
  if (dropped == 0) return 0;
  Headers others;
  for (const auto [other, value] : *this) {
    if (!same_name(other, name)) others.put(other, value);
  }
  *this = std::move(others);
  return dropped;
}

void Headers::put(std::string_view name, std::string_view value) {
  if (entries_.capacity() == 0) {  // room for a small head at once
    constexpr std::size_t fields = 10;
    constexpr std::size_t bytes = 240;
    entries_.reserve(fields);
    text_.reserve(bytes);
  }
  entries_.push_back({.at = static_cast<std::uint32_t>(text_.size()),
                      .name_size = static_cast<std::uint32_t>(name.size()),
                      .value_size = static_cast<std::uint32_t>(value.size())});
  text_ += name;
  text_ += value;
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  for (const auto [other, value] : *this) {
    if (same_name(other, name)) return value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const noexcept {
  std::size_t found = 0;
  for (const auto [other, value] : *this) found += same_name(other, name) ? 1 : 0;
  return found;
}

bool Headers::has_element(std::string_view name, std::string_view element) const noexcept {
  for (const auto [other, value] : *this) {
    if (!same_name(other, name)) continue;
    std::string_view rest = value;
    for (std::string_view found; next_element(rest, found);) {
      if (same_name(found, element)) return true;
    }
  }
  return false;
}

bool operator==(const Headers& a, const Headers& b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_name(a[i].name, b[i].name) || a[i].value != b[i].value) return false;
  }
  return true;
}

}  // namespace parley::http
