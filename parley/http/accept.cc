#include "parley/http/accept.h"

#include <algorithm>
#include <string>

#include "parley/http/impl/chars.h"
#include "parley/http/impl/parameters.h"
#include "parley/http/syntax.h"

namespace parley::http {
namespace {

using impl::Parameter;
using impl::ParameterRead;

std::optional<std::uint16_t> weight_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  const std::string_view digits = text.substr(std::min<std::size_t>(2, text.size()));
  if (!impl::all_of(digits, impl::chars::digit)) return std::nullopt;
  int weight = text[0] - '0';
  for (std::size_t i = 0; i < 3; ++i)
    weight = weight * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return weight <= 1000 ? std::optional(static_cast<std::uint16_t>(weight)) : std::nullopt;
}

// "*", a token, or two of them with a slash.
bool is_range(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_token(text);
  return is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1)) &&
         (!text.starts_with("*/") || text == "*/*");
}

Status wrong(std::string_view name, std::string_view element) {
  return {Code::invalid_argument, std::string(name) + " has the element " + quoted(element) +
                                      ", which is none (RFC 9110 12.4.2)"};
}

Status read(std::string_view name, std::string_view element, Preference& out) {
  std::string_view rest = element;
  out.value = impl::value_before_parameters(rest);
  if (!is_range(out.value)) return wrong(name, element);
  const std::string_view all = rest;
  out.parameters = all;
  Parameter it;
  for (bool is_weighed = false;;) {
    const std::size_t before = all.size() - rest.size();
    const ParameterRead found = impl::next_parameter(rest, it);
    if (found == ParameterRead::wrong) return wrong(name, element);
    if (found == ParameterRead::none) return {};
    if (it.name != "q" || is_weighed) continue;
    const auto weight = weight_of(it.value);
    if (!weight) return wrong(name, element);
    out.weight = *weight;
    out.parameters = all.substr(0, before);
    is_weighed = true;
  }
}

// How exactly a range names something; 0 where it does not.
using Exactness = std::size_t (*)(const Preference& range, std::string_view offer);

std::optional<std::size_t> best_of(const std::vector<Preference>& ranges,
                                   std::span<const std::string_view> offers, Exactness exactness) {
  std::optional<std::size_t> best;
  std::uint16_t best_weight = 0;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    std::size_t most = 0;
    std::uint16_t weight = 0;
    for (const Preference& range : ranges) {
      const std::size_t exact = exactness(range, offers[i]);
      if (exact > most) {
        most = exact;
        weight = range.weight;
      }
    }
    if (weight > best_weight) {
      best = i;
      best_weight = weight;
    }
  }
  return best;
}

bool has_parameters(std::string_view wanted, std::string_view offered, std::size_t& count) {
  Parameter want;
  while (impl::next_parameter(wanted, want) == ParameterRead::one) {
    ++count;
    bool has = false;
    std::string_view rest = offered;
    for (Parameter it; impl::next_parameter(rest, it) == ParameterRead::one;) {
      has = has || (it.name == want.name && same_name(it.value, want.value));
    }
    if (!has) return false;
  }
  return true;
}

std::size_t type_exactness(const Preference& range, std::string_view offer) {
  const std::string_view type = impl::value_before_parameters(offer);
  if (range.value == "*/*" || range.value == "*") return 1;
  if (range.value.ends_with("/*")) {
    const std::size_t size = range.value.size() - 1;
    return type.size() > size && same_name(type.substr(0, size), range.value.substr(0, size)) ? 2
                                                                                              : 0;
  }
  std::size_t count = 0;
  if (!same_name(type, range.value) || !has_parameters(range.parameters, offer, count)) return 0;
  return 3 + count;
}

std::size_t language_exactness(const Preference& range, std::string_view offer) {
  if (range.value == "*") return 1;
  const std::size_t size = range.value.size();
  const bool matches = offer.size() >= size && same_name(offer.substr(0, size), range.value) &&
                       (offer.size() == size || offer[size] == '-');
  return matches ? 1 + size : 0;
}

std::size_t coding_exactness(const Preference& range, std::string_view offer) {
  if (range.value == "*") return 1;
  const std::string_view name = same_name(range.value, "x-gzip") ? "gzip" : range.value;
  return same_name(name, offer) ? 2 : 0;
}

std::optional<std::size_t> first_of(std::span<const std::string_view> offers) {
  return offers.empty() ? std::nullopt : std::optional<std::size_t>(0);
}

}  // namespace

Result<std::vector<Preference>> preferences_of(const Headers& headers, std::string_view name) {
  std::vector<Preference> all;
  for (const auto [field, value] : headers) {
    if (!same_name(field, name)) continue;
    std::string_view rest = value;
    for (std::string_view element; next_element(rest, element);) {
      if (all.size() == max_preferences) {
        return Status(Code::resource_exhausted, std::string(name) + " has more than " +
                                                    std::to_string(max_preferences) + " elements");
      }
      Preference preference;
      if (Status status = read(name, element, preference); !status.is_ok()) return status;
      all.push_back(preference);
    }
  }
  return all;
}

std::optional<std::size_t> choose_type(const Headers& headers,
                                       std::span<const std::string_view> offers) {
  const auto ranges = preferences_of(headers, "Accept");
  if (!ranges || ranges->empty()) return first_of(offers);
  return best_of(*ranges, offers, type_exactness);
}

std::optional<std::size_t> choose_language(const Headers& headers,
                                           std::span<const std::string_view> offers) {
  auto ranges = preferences_of(headers, "Accept-Language");
  if (!ranges || ranges->empty()) return first_of(offers);
  if (const auto best = best_of(*ranges, offers, language_exactness)) return best;
  // By weight, those of the same one in their order.
  for (auto it = ranges->begin(); it != ranges->end(); ++it) {
    const auto place = std::upper_bound(
        ranges->begin(), it, *it,
        [](const Preference& a, const Preference& b) { return a.weight > b.weight; });
    std::rotate(place, it, it + 1);
  }
  for (const Preference& range : *ranges) {
    if (range.weight == 0) break;
    std::string_view wanted = range.value;
    for (std::size_t dash = 0; (dash = wanted.rfind('-')) != std::string_view::npos;) {
      wanted = wanted.substr(0, dash);
      for (std::size_t i = 0; i < offers.size(); ++i) {
        if (same_name(offers[i], wanted)) return i;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> choose_coding(const Headers& headers,
                                         std::span<const std::string_view> offers) {
  const auto ranges = preferences_of(headers, "Accept-Encoding");
  if (!ranges || ranges->empty()) return std::nullopt;
  const auto best = best_of(*ranges, offers, coding_exactness);
  if (!best) return std::nullopt;
  const auto weight = [&](std::string_view name) {
    std::size_t most = 0;
    std::uint16_t found = 0;
    for (const Preference& range : *ranges) {
      const std::size_t exact = coding_exactness(range, name);
      if (exact > most) {
        most = exact;
        found = range.weight;
      }
    }
    return most < 2 && name == "identity" ? std::uint16_t{0} : found;
  };
  if (weight("identity") > weight(offers[*best])) return std::nullopt;
  return best;
}

}  // namespace parley::http
