// The check of JSON that a value holds as text (Json, UnknownFields) before it is written.
#pragma once

#include <cstddef>
#include <string_view>

#include "parley/base/status.h"
#include "parley/codec/limits.h"

namespace parley::codec::impl {

// As validate_json(); of the limits only that of depth counts when something is written, `depth`
// levels of which are used up.
Status check_held_json(std::string_view text, const Limits& limits, std::size_t depth);

}  // namespace parley::codec::impl
