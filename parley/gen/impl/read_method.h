// One member function of an interface.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parley/gen/impl/clang_unit.h"
#include "parley/gen/impl/refusals.h"

namespace parley::gen::impl {

// The lines of the comment right above a declaration; an empty line between them parts them.
std::vector<std::string> comment_above(const ClangUnit& unit, CXCursor declaration);

// Nothing when it cannot travel; why has been added to `refusals`. Its route is what its comment
// says, or else its own name in snake case.
std::optional<Method> read_method(const ClangUnit& unit, CXCursor cursor, Refusals& refusals);

}  // namespace parley::gen::impl
