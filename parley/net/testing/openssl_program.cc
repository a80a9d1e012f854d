#include "parley/net/testing/openssl_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "parley/base/assert.h"

extern char** environ;

namespace parley::net::testing {
namespace {

constexpr long nothing_yet = -1;

// Bytes, 0 at the end, nothing_yet. Apart, so that errno is looked at on the thread it was set on.
[[gnu::noinline]] long read_now(int fd, char* into, std::size_t size) {
  for (;;) {
    const auto got = ::read(fd, into, size);
    if (got >= 0) return static_cast<long>(got);
    if (errno == EAGAIN) return nothing_yet;
    if (errno != EINTR) return 0;
  }
}

}  // namespace

OpensslProgram::OpensslProgram(std::vector<std::string> arguments) {
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  PARLEY_ASSERT(::pipe2(input.data(), O_CLOEXEC) == 0 && ::pipe2(output.data(), O_CLOEXEC) == 0,
                "no pipe for a child process");
  const Fd child_input(input[0]);
  const Fd child_output(output[1]);
  input_ = Fd(input[1]);
  output_ = Fd(output[0]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);

  arguments.insert(arguments.begin(), "openssl");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, child_input.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, child_output.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, child_output.get(), 2);
  const int error = ::posix_spawnp(&pid_, "openssl", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  PARLEY_ASSERT(error == 0, "the openssl program does not start; install the package openssl");
  PARLEY_ASSERT(pollable_.watch(output_.get()).is_ok(), "a pipe cannot be polled");
}

OpensslProgram::~OpensslProgram() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
}

bool OpensslProgram::read_more() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const long size = read_now(output_.get(), buffer.data(), buffer.size());
    if (size == 0) return false;
    if (size > 0) {
      said_.append(buffer.data(), static_cast<std::size_t>(size));
      return true;
    }
    if (!pollable_.wait_readable().is_ok()) return false;
  }
}

std::string OpensslProgram::read_until(const std::string& text) {
  while (said_.find(text) == std::string::npos && read_more()) {}
  return said_;
}

std::string OpensslProgram::read_to_end() {
  while (read_more()) {}
  return said_;
}

void OpensslProgram::write(const std::string& text) {
  PARLEY_ASSERT(
      ::write(input_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
      "a child process takes no input");
}

}  // namespace parley::net::testing
