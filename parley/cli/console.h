// Console: where the command writes. Data goes to standard output, words for people to standard
// error, so that `parley call ... > file` keeps only the answer.
//
// Not thread-safe. Blocks while the reader of a pipe is slow: use it outside fibers.
//
//   Console console;
//   console.say("parley: cannot reach " + address);
//   if (auto status = console.write(answer); !status.is_ok()) ...
#pragma once

#include <string_view>

#include "parley/base/status.h"

namespace parley::cli {

// Puts something harmless where this process was started without a standard input, output or error:
// otherwise the next socket would get that number, and the answer be written to it. Writing to what
// is put there fails. Call it first in main().
void reserve_standard_descriptors();

class Console {
 public:
  // Standard output and standard error of the process; both stay owned by it. A test gives others.
  explicit Console(int out = 1, int err = 2) noexcept : out_(out), err_(err) {}

  // True when a person reads standard output on a terminal.
  [[nodiscard]] bool is_terminal() const noexcept;

  // Writes all of `data` to standard output. A closed pipe is out_of_range, a full disk
  // resource_exhausted, anything else internal.
  Status write(std::string_view data);

  // Writes `text` and a line feed to standard error, control characters made visible. Whether
  // anybody can read it does not change what the command does, so a failure is not told.
  void say(std::string_view text);

 private:
  int out_;
  int err_;
};

}  // namespace parley::cli
