// StderrPipe: what the process writes to stderr, as it comes. For one test at a time.
//
//   StderrPipe said;
//   ...
//   said.wait_for("'holder' running");      // on a thread; a fiber would hold its worker
#pragma once

#include <string>

#include "parley/base/fd.h"

namespace parley::rt::testing {

class StderrPipe {
 public:
  StderrPipe();
  ~StderrPipe();
  StderrPipe(const StderrPipe&) = delete;
  StderrPipe& operator=(const StderrPipe&) = delete;

  // Reads until `part` has come so many times. One thread at a time.
  void wait_for(const std::string& part, int times = 1);
  // What wait_for() has read.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Fd before_;
  Fd read_;
  std::string text_;
};

}  // namespace parley::rt::testing
