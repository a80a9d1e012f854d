// A body that a handler writes and nobody is sent, since the answer is to HEAD or has none. Without
// end it would hold up its handler for good: nothing that is dropped ever waits. Private to http.
#pragma once

#include <cstddef>
#include <cstdint>

#include "parley/base/status.h"

namespace parley::http::impl {

class DroppedBody {
 public:
  static constexpr std::uint64_t most = 1024 * 1024;

  // False once it is more than that: then the answer is to end.
  [[nodiscard]] bool take(std::size_t bytes) noexcept { return (bytes_ += bytes) <= most; }
  // What write() says then.
  static Status why() {
    return {Code::cancelled,
            "this answer has no body (HEAD, 304), and a megabyte was written to it: the rest would "
            "be dropped as well"};
  }

 private:
  std::uint64_t bytes_ = 0;
};

}  // namespace parley::http::impl
