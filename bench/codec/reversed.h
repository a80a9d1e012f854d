// JSON with the members of its objects the other way round.
#pragma once

#include <string>
#include <string_view>

namespace parley::bench {

// `json` with the members of every object in the opposite order; arrays keep theirs. `json` is
// valid and without blanks, as codec::encode_json writes it (anything else is a bug).
std::string reversed_members(std::string_view json);

}  // namespace parley::bench
