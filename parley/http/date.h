// Dates as HTTP writes them (RFC 9110 5.6.7). Pure functions, from anywhere: no locale, no time
// zone and nothing shared takes part.
//
//   headers.set("Last-Modified", format_date(modified));    // "Sun, 06 Nov 1994 08:49:37 GMT"
//   Result<std::chrono::sys_seconds> since = parse_date(*headers.get("If-Modified-Since"));
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "parley/base/result.h"

namespace parley::http {

// The one form that is written. Years are held between 0 and 9999, which is all it can say.
[[nodiscard]] std::string format_date(std::chrono::sys_seconds when);

// Any of the three forms: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" and
// "Sun Nov  6 08:49:37 1994". A year of two digits is the one with them that is at most 50 years
// after `now`. The day of the week has to be one, and is not compared with the date; second 60 is
// the next one's 0. invalid_argument for anything else.
Result<std::chrono::sys_seconds> parse_date(std::string_view text, std::chrono::sys_seconds now);
// The same, with the machine's date.
Result<std::chrono::sys_seconds> parse_date(std::string_view text);

}  // namespace parley::http
