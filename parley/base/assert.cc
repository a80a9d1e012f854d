#include "parley/base/assert.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace parley {
namespace {

std::atomic<void (*)()> tell_more = nullptr;

}  // namespace

void tell_after_assertion(void (*tell)()) { tell_more.store(tell); }

void assertion_failed(std::string_view expression, std::string_view what,
                      std::source_location where) {
  std::fprintf(stderr, "%s:%u: in %s: %.*s%s%.*s%s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name(),
               static_cast<int>(what.size()), what.data(),
               expression.empty() ? "" : " (failed: ", static_cast<int>(expression.size()),
               expression.data(), expression.empty() ? "" : ")");
  std::fflush(stderr);
  // Only once, should it fail itself.
  if (void (*tell)() = tell_more.exchange(nullptr); tell != nullptr) tell();
  std::abort();
}

}  // namespace parley
