// The values of one key, each a text of its own, as a form or a header has them.
#pragma once

#include <span>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/limits.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// Reads a list or array of all, or anything single of exactly one: texts as plain.h reads them, and
// booleans also as on, off, 1 and 0. There is at least one value. False, with the failure and the
// index in its path.
bool read_values(std::span<const std::string_view> values, const Type& type, void* object,
                 const Limits& limits, bool refuse_views, Failure& failure);

}  // namespace parley::codec::impl
