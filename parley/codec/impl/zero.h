// The value that formats with implicit presence do not write: 0, empty, nothing.
#pragma once

#include <cstddef>

#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// Makes `object` zero or empty, members of a struct one by one, keeping the memory they hold. A
// type that travels as another one and refuses its zero is as it is by default. False when it has
// no default either.
bool set_zero(const Type& type, void* object);

// The same for field `index` of `object`; of a flattened variant, for the variant.
bool set_zero_field(const Members& members, std::size_t index, void* object);

}  // namespace parley::codec::impl
