// What stands behind a value: ; name=value, with quotes where need be (RFC 9110 5.6.6). Private to
// http.
//
//   std::string_view rest = "form-data; name=\"tea\"";
//   const std::string_view type = value_before_parameters(rest);
//   for (Parameter it; next_parameter(rest, it) == ParameterRead::one;) use(it);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::http::impl {

struct Parameter {
  std::string name{};   // in small letters
  std::string value{};  // without quotes
};

enum class ParameterRead : std::uint8_t { one, none, wrong };

// Takes what stands before the first ';' off `rest`, without blanks around it.
std::string_view value_before_parameters(std::string_view& rest) noexcept;

// Takes the next parameter off what value_before_parameters() left. In quotes a backslash stands
// before a quote or a backslash only; before anything else it is one itself, as browsers of old
// sent paths. Empty parameters are passed over.
ParameterRead next_parameter(std::string_view& rest, Parameter& parameter);

}  // namespace parley::http::impl
