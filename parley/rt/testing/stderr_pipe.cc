#include "parley/rt/testing/stderr_pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace parley::rt::testing {
namespace {

int count_of(const std::string& part, const std::string& text) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

StderrPipe::StderrPipe() : before_(::dup(STDERR_FILENO)) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  read_ = Fd(ends[0]);
  const Fd write(ends[1]);
  ::dup2(write.get(), STDERR_FILENO);
}

StderrPipe::~StderrPipe() { ::dup2(before_.get(), STDERR_FILENO); }

void StderrPipe::wait_for(const std::string& part, int times) {
  while (count_of(part, text_) < times) {
    std::array<char, 64 * 1024> bytes;
    const auto count = ::read(read_.get(), bytes.data(), bytes.size());
    ASSERT_GT(count, 0);
    text_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace parley::rt::testing
