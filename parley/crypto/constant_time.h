// Comparing and forgetting bytes that somebody else must not learn.
//
// Pure functions: safe everywhere.
//
//   if (!equal_in_constant_time(token, expected)) return refuse();
#pragma once

#include <span>
#include <string_view>

namespace parley::crypto {

// Whether both are the same, in a time that depends on their sizes only: `==` ends at the first
// byte that differs, and whoever can measure that guesses a token byte by byte. Sizes are no
// secret: different ones are told at once.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// Overwrites bytes with zeros, also where a compiler sees that nobody reads them again.
void wipe(std::span<char> bytes) noexcept;

}  // namespace parley::crypto
