// The rules of a field as keywords of JSON Schema.
#pragma once

#include <string>

#include "parley/codec/rules.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// Adds to `schema`, an object that describes `type`, what the rules say: the same where JSON Schema
// has a word for it, else something weaker, never stricter (it counts characters, not bytes).
void add_rules(const Rules& rules, const Type& type, std::string& schema);

}  // namespace parley::codec::impl
