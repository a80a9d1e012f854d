// A method of an interface as it is declared again.
#pragma once

#include <cstdint>
#include <string>

#include "parley/gen/interface.h"

namespace parley::gen::impl {

enum class Types : std::uint8_t {
  written,  // as in the interface: inside a class that derives from it, in its namespace
  full,     // anywhere
};

struct Parameters {
  Types types = Types::written;
  bool with_defaults = false;
  bool with_context = false;
  bool may_be_unused = false;   // for a body that uses none of them
  std::string line_break = {};  // each stands behind one; empty: all in one line
};

// `parley::Result<Receipt> place(const Order& order) const noexcept`.
std::string declaration(const Method& method, const Parameters& how);

}  // namespace parley::gen::impl
