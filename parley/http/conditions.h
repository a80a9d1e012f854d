// Conditional requests (RFC 9110 13): entity tags, and what If-Match, If-None-Match,
// If-Modified-Since, If-Unmodified-Since and If-Range make of a request. Pure functions, from
// anywhere.
//
//   const Validators now{.tag = EntityTag{"v7"}, .modified = file.modified};
//   switch (check_conditions(exchange.request(), now)) {
//     case Verdict::proceed: ...
//     case Verdict::not_modified: return exchange.answer(304);
//     case Verdict::failed: return exchange.answer(412);
//   }
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/result.h"
#include "parley/http/message.h"

namespace parley::http {

struct EntityTag {
  std::string text{};  // without quotes: visible ASCII but '"', and bytes above
  bool is_weak = false;

  // As a field has it: W/"v7". A text that none can have is a bug.
  [[nodiscard]] std::string to_string() const;
};

// One tag as a field has it. invalid_argument for anything else.
Result<EntityTag> parse_entity_tag(std::string_view text);

// RFC 9110 8.8.3.2: both strong, and the same text.
[[nodiscard]] bool is_same_strongly(const EntityTag& a, const EntityTag& b) noexcept;
// The same text.
[[nodiscard]] bool is_same_weakly(const EntityTag& a, const EntityTag& b) noexcept;

// What is known of the thing as it is now.
struct Validators {
  std::optional<EntityTag> tag{};
  std::optional<std::chrono::sys_seconds> modified{};
  // False: there is nothing yet (a PUT that makes it): "*" then matches nothing.
  bool exists = true;
  // Whether `modified` lies far enough back (two seconds) that no second change hides behind it;
  // only then a date may stand in If-Range.
  bool is_modified_strong = true;
};

enum class Verdict : std::uint8_t {
  proceed,
  not_modified,  // 304, to get and head
  failed,        // 412
};

// In the order of RFC 9110 13.2.2; a date counts only where no tag was given, and
// If-Modified-Since only for get and head. A date that is none, or comes twice, is passed over. A
// list of tags that cannot be read has none that matches in If-Match; in If-None-Match it lets safe
// methods proceed, and fails the others, which would overwrite. CONNECT, OPTIONS and TRACE proceed.
[[nodiscard]] Verdict check_conditions(const Request& request, const Validators& now);

// Whether Range may be obeyed as far as If-Range says (13.1.5): true without If-Range. A tag has to
// be the same strongly, a date exactly.
[[nodiscard]] bool is_range_wanted(const Request& request, const Validators& now);

}  // namespace parley::http
