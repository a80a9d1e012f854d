#include "parley/cli/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include "parley/base/fd.h"

namespace parley::cli {
namespace {

struct Pipe {
  Fd reader;
  Fd writer;
};

Pipe make_pipe(int flags = 0) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | flags), 0);
  return {.reader = Fd(ends[0]), .writer = Fd(ends[1])};
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EAGAIN) {
      std::this_thread::yield();
      continue;
    }
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

TEST(Console, data_and_words_go_separate_ways) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Console console(out.writer.get(), err.writer.get());
  EXPECT_TRUE(console.write("3\n").is_ok());
  console.say("parley: \x1b[2J");
  out.writer.reset();
  err.writer.reset();
  EXPECT_EQ(read_to_end(out.reader.get()), "3\n");
  EXPECT_EQ(read_to_end(err.reader.get()), "parley: \\x1b[2J\n");
}

TEST(Console, a_pipe_that_does_not_block_is_waited_for) {
  Pipe out = make_pipe(O_NONBLOCK);
  Console console(out.writer.get(), 2);
  const std::string data(1 << 20, 'x');
  std::string seen;
  std::thread reader([&] { seen = read_to_end(out.reader.get()); });
  EXPECT_TRUE(console.write(data).is_ok());
  out.writer.reset();
  reader.join();
  EXPECT_EQ(seen.size(), data.size());
}

TEST(Console, a_reader_that_left_and_a_full_disk_are_told_apart) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe out = make_pipe();
  out.reader.reset();
  EXPECT_EQ(Console(out.writer.get(), 2).write("x").code(), Code::out_of_range);
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(Console(full.get(), 2).write("x").code(), Code::resource_exhausted);
  EXPECT_EQ(Console(-1, 2).write("x").code(), Code::internal);
}

TEST(Console, a_pipe_is_no_terminal) {
  const Pipe out = make_pipe();
  EXPECT_FALSE(Console(out.writer.get(), 2).is_terminal());
}

}  // namespace
}  // namespace parley::cli
