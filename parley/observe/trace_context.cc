#include "parley/observe/trace_context.h"

#include <algorithm>
#include <array>
#include <span>

namespace parley::observe {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr std::size_t trace_at = 3;
constexpr std::size_t span_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t whole = 55;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// Lower-case digits only, as the standard has it.
std::optional<std::uint64_t> hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c) && !(c >= 'a' && c <= 'f')) return std::nullopt;
    value = value << 4U | static_cast<std::uint64_t>(is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  return value;
}

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view spaces = " \t";
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

bool is_key_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  });
}

// A name, or a tenant's within a system's: "name", "tenant@system".
bool is_key(std::string_view key) {
  const auto at = key.find('@');
  if (at == std::string_view::npos) {
    return !key.empty() && key.size() <= 256 && is_lower(key.front()) && is_key_text(key);
  }
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return !tenant.empty() && tenant.size() <= 241 &&
         (is_lower(tenant.front()) || is_digit(tenant.front())) && is_key_text(tenant) &&
         !system.empty() && system.size() <= 14 && is_lower(system.front()) && is_key_text(system);
}

// Printable ASCII without ',' and '='; not ending in a space.
bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

bool is_trace_state(std::string_view text) noexcept {
  std::array<std::string_view, max_trace_state_members> keys;
  std::size_t count = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view member = without_spaces(text.substr(at, end - at));
    at = end + 1;
    if (member.empty()) continue;  // allowed, and nothing
    const auto equals = member.find('=');
    if (equals == std::string_view::npos || count == keys.size()) return false;
    const std::string_view key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1))) return false;
    const auto known = std::span(keys).first(count);
    if (std::ranges::find(known, key) != known.end()) return false;
    keys[count++] = key;
  }
  return true;
}

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent,
                                                std::string_view tracestate) {
  const std::string_view text = traceparent;
  if (text.size() < whole || text[trace_at - 1] != '-' || text[span_at - 1] != '-' ||
      text[flags_at - 1] != '-') {
    return std::nullopt;
  }
  const auto version = hex(text.substr(0, 2));
  const auto high = hex(text.substr(trace_at, 16));
  const auto low = hex(text.substr(trace_at + 16, 16));
  const auto span = hex(text.substr(span_at, 16));
  const auto flags = hex(text.substr(flags_at, 2));
  if (!version || *version == 0xff || !high || !low || !span || !flags) return std::nullopt;
  // A later version may have more to say, apart.
  if (text.size() > whole && (*version == 0 || text[whole] != '-')) return std::nullopt;
  TraceContext context{
      .trace = {.high = *high, .low = *low}, .span = *span, .is_sampled = (*flags & 1U) != 0};
  if (!context.is_valid()) return std::nullopt;
  if (tracestate.size() <= max_trace_state_bytes && is_trace_state(tracestate)) {
    context.state = without_spaces(tracestate);
  }
  return context;
}

std::string TraceContext::traceparent() const {
  return "00-" + trace.to_string() + '-' + span_text(span) + (is_sampled ? "-01" : "-00");
}

std::string span_text(std::uint64_t span) {
  return TraceId{.high = 0, .low = span}.to_string().substr(16);
}

}  // namespace parley::observe
