// The messages of `./dev bench codec`: plain structs, and one of each filled with what such a
// message holds in practice. Every contestant reads and writes exactly these. The same on every
// machine and in every run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace parley::bench {

#include "bodies.inc"

// The adverse bodies: what fast paths do not help with.
struct Doubles {
  std::vector<double> values;

  friend bool operator==(const Doubles&, const Doubles&) = default;
};
struct Texts {
  std::vector<std::string> values;

  friend bool operator==(const Texts&, const Texts&) = default;
};

Args make_args();
Order make_order();
Catalogue make_catalogue();
Doubles make_doubles();  // each needs all of its 17 digits
Texts make_escapes();    // every third character needs an escape
Texts make_non_ascii();  // characters of two and three bytes

}  // namespace parley::bench
