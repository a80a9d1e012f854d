// Names of methods on the wire, from names in C++.
//
// Pure functions: safe everywhere.
//
//   snake_case("TeaShop");                       // "tea_shop"
//   check_route("/shop/tea shop").is_ok();       // false
#pragma once

#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::gen {

// Bytes of a route.
inline constexpr std::size_t max_route = 255;

// Words begin where a capital letter follows a small one or a digit, as in Teleport's mapping
// ("ABcXYZ" is "abc_xyz"); what is in small letters stays. Several underscores become one; those
// at the ends go.
std::string snake_case(std::string_view name);

// invalid_argument, with the reason, for what is no name of a method: it begins with '/', has
// between its slashes letters, digits, '_', '-' and '.', and at most max_route bytes.
Status check_route(std::string_view route);

}  // namespace parley::gen
