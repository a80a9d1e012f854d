// The value that formats with implicit presence do not write: 0, empty, nothing.
#pragma once

#include <cstddef>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// Makes `object` zero or empty, members of a struct one by one, keeping the memory they hold. A
// type that travels as another one and refuses its zero is as it is by default. False when it has
// no default either.
bool set_zero(const Type& type, void* object);

// Makes every field zero that has not been seen. False, with the failure and its place, when one
// must be there: it is required and can be told from nothing, or `require_all_fields` and it may
// not be empty; or when it has no zero.
bool zero_absent(const Members& members, const SeenFields& seen, void* object,
                 bool require_all_fields, Failure& failure);

}  // namespace parley::codec::impl
