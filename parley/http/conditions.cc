#include "parley/http/conditions.h"

#include <algorithm>

#include "parley/base/assert.h"
#include "parley/http/date.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

bool is_tag_text(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
  });
}

enum class Found : std::uint8_t { none, match, unreadable };

// Whether a list of tags (or "*") names this one.
Found find(const Headers& headers, std::string_view name, const Validators& now,
           bool (*is_same)(const EntityTag&, const EntityTag&) noexcept) {
  bool has_match = false;
  bool has_star = false;
  std::size_t elements = 0;
  for (const auto [field, value] : headers) {
    if (!same_name(field, name)) continue;
    std::string_view rest = value;
    for (std::string_view element; next_element(rest, element); ++elements) {
      if (element == "*") {
        has_star = true;
        continue;
      }
      const Result<EntityTag> tag = parse_entity_tag(element);
      if (!tag) return Found::unreadable;
      has_match = has_match || (now.exists && now.tag && is_same(*tag, *now.tag));
    }
  }
  if (elements == 0 || (has_star && elements > 1)) return Found::unreadable;
  if (has_star) return now.exists ? Found::match : Found::none;
  return has_match ? Found::match : Found::none;
}

std::optional<std::chrono::sys_seconds> date_of(const Headers& headers, std::string_view name) {
  if (headers.count(name) != 1) return std::nullopt;
  const Result<std::chrono::sys_seconds> date = parse_date(*headers.get(name));
  return date ? std::optional(*date) : std::nullopt;
}

}  // namespace

std::string EntityTag::to_string() const {
  PARLEY_ASSERT(is_tag_text(text), "no entity tag can have this text");
  return (is_weak ? "W/\"" : "\"") + text + '"';
}

Result<EntityTag> parse_entity_tag(std::string_view text) {
  const std::string_view whole = text;
  const bool is_weak = text.starts_with("W/");
  if (is_weak) text.remove_prefix(2);
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"') ||
      !is_tag_text(text.substr(1, text.size() - 2))) {
    return Status(Code::invalid_argument,
                  quoted(whole) +
                      " is no entity tag (RFC 9110 8.8.3); write \"v7\" or W/\"v7\", "
                      "with the quotes");
  }
  return EntityTag{.text = std::string(text.substr(1, text.size() - 2)), .is_weak = is_weak};
}

bool is_same_strongly(const EntityTag& a, const EntityTag& b) noexcept {
  return !a.is_weak && !b.is_weak && a.text == b.text;
}

bool is_same_weakly(const EntityTag& a, const EntityTag& b) noexcept { return a.text == b.text; }

Verdict check_conditions(const Request& request, const Validators& now) {
  const Method method = request.method;
  if (method == Method::connect || method == Method::options || method == Method::trace) {
    return Verdict::proceed;
  }
  const Headers& headers = request.headers;
  if (headers.get("If-Match")) {
    if (find(headers, "If-Match", now, is_same_strongly) != Found::match) return Verdict::failed;
  } else if (const auto date = date_of(headers, "If-Unmodified-Since"); date && now.modified) {
    if (*now.modified > *date) return Verdict::failed;
  }
  const bool only_reads = method == Method::get || method == Method::head;
  if (headers.get("If-None-Match")) {
    const Found found = find(headers, "If-None-Match", now, is_same_weakly);
    if (found == Found::none) return Verdict::proceed;
    if (only_reads) return found == Found::match ? Verdict::not_modified : Verdict::proceed;
    return Verdict::failed;
  }
  if (only_reads && now.modified) {
    const auto date = date_of(headers, "If-Modified-Since");
    if (date && *now.modified <= *date) return Verdict::not_modified;
  }
  return Verdict::proceed;
}

bool is_range_wanted(const Request& request, const Validators& now) {
  const Headers& headers = request.headers;
  const std::size_t count = headers.count("If-Range");
  if (count == 0) return true;
  if (count > 1) return false;
  const std::string_view value = *headers.get("If-Range");
  if (value.ends_with('"')) {
    const Result<EntityTag> tag = parse_entity_tag(value);
    return tag && now.tag && is_same_strongly(*tag, *now.tag);
  }
  const Result<std::chrono::sys_seconds> date = parse_date(value);
  return date && now.modified && now.is_modified_strong && *date == *now.modified;
}

}  // namespace parley::http
