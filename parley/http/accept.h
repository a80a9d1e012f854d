// What a client would like to have: Accept, Accept-Encoding and Accept-Language (RFC 9110 12.5)
// with their weights, and which of the things on offer suits it best. Pure functions, from
// anywhere.
//
//   constexpr std::array<std::string_view, 2> have = {"application/json", "text/html"};
//   const auto best = choose_type(request.headers, have);
//   if (!best) return exchange.answer(406);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/http/headers.h"

namespace parley::http {

// Elements that are read; a longer list is refused.
inline constexpr std::size_t max_preferences = 64;

struct Preference {
  std::string_view value{};       // "text/html", "gzip", "de-CH", "*"
  std::string_view parameters{};  // ";level=1", as sent, without the weight and what is behind it
  std::uint16_t weight = 1000;    // thousandths; 0: not that one
};

// All fields of that name, in their order; views of `headers`. invalid_argument for an element that
// is none, or a weight that is no number from 0 to 1 with at most three digits behind the dot;
// resource_exhausted for more than max_preferences.
Result<std::vector<Preference>> preferences_of(const Headers& headers, std::string_view name);

// The index of the offer with the greatest weight, the first one of equals; nothing when none is
// wanted. A client that says nothing, or nothing that can be read, gets the first one.

// Offers like "text/html;level=1": what names the offer most exactly gives its weight.
[[nodiscard]] std::optional<std::size_t> choose_type(const Headers& headers,
                                                     std::span<const std::string_view> offers);
// Offers like "de-CH": a range goes for what is longer ("de" for "de-CH"). Where that finds none,
// what was asked for is made shorter ("de-CH" takes "de"; RFC 4647 3.4).
[[nodiscard]] std::optional<std::size_t> choose_language(const Headers& headers,
                                                         std::span<const std::string_view> offers);
// Offers like "gzip", best first. Nothing: send it as it is. That is also what a client gets that
// says nothing, or weighs "identity" by name above all offers. "x-gzip" is gzip.
[[nodiscard]] std::optional<std::size_t> choose_coding(const Headers& headers,
                                                       std::span<const std::string_view> offers);

}  // namespace parley::http
