#include "parley/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace parley {

void assertion_failed(std::string_view expression, std::string_view what,
                      std::source_location where) {
  std::fprintf(stderr, "%s:%u: in %s: %.*s%s%.*s%s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name(),
               static_cast<int>(what.size()), what.data(),
               expression.empty() ? "" : " (failed: ", static_cast<int>(expression.size()),
               expression.data(), expression.empty() ? "" : ")");
  std::fflush(stderr);
  std::abort();
}

}  // namespace parley
