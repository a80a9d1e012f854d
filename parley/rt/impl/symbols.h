// Addresses to names, for stack traces. Private to rt.
#pragma once

#include <string>

namespace parley::rt::impl {

// "function + 0x12 (file + 0x3456)", as much of it as can be known: the symbol tables of the loaded
// files are read, debug information is not (`addr2line -e file 0x3456` does).
std::string symbol_at(const void* address);

}  // namespace parley::rt::impl
