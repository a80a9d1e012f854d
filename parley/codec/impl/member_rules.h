// What every reader does about members that are absent, unknown or exclude each other, and how all
// of them word what does not fit.
//
// The fail_ functions set the message and return false; who knows where it is adds the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"

namespace parley::codec::impl {

// What a format writes of an empty list or map that is a member.
enum class EmptyIs : std::uint8_t { written, absent };

// Gives what has not been seen its default. False, with the failure, when it must be there: where
// what is empty is absent, no list or map must.
[[gnu::noinline]] bool reset_absent(const Members& members, const SeenFields& seen, void* object,
                                    bool require_all_fields, Failure& failure,
                                    EmptyIs empty = EmptyIs::written);

// The value to decode into, of a field that is one alternative of a flattened variant. Null, with
// the failure, when another alternative of the same variant has been seen.
[[gnu::noinline]] void* emplace_alternative(const Members& members, std::size_t index,
                                            const SeenFields& seen, void* object, Failure& failure);

// Whether a member that `members` does not know is an error; `asked` is what the options say.
bool refuses_unknown(const Members& members, const void* object, bool asked);

// The time there. False, with the failure, when no format can say it: it is not finite, or further
// away than 2^63 seconds.
bool get_time(const Type& type, const void* object, Seconds& time, Failure& failure);

[[gnu::cold]] bool fail_unknown_field(const Members& members, std::string_view name,
                                      Failure& failure);
[[gnu::cold]] bool fail_enumeration(const Type& type, std::string_view name, Failure& failure);
// A `name` without data: there is none. `nothing` is what std::monostate is called.
[[gnu::cold]] bool fail_alternative(const VariantOperations& variant, std::string_view name,
                                    std::string_view nothing, Failure& failure);
[[gnu::cold]] bool fail_range(std::string_view number, const IntegerRange& range, Failure& failure);
[[gnu::cold]] bool fail_arity(std::size_t expected, std::size_t got, Failure& failure);

}  // namespace parley::codec::impl
