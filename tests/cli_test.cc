// The real command against a real service over TCP: what a script sees of it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "parley/base/fd.h"

namespace parley {
namespace {

using Words = std::vector<std::string>;

struct Pipe {
  Fd reader;
  Fd writer;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {.reader = Fd(ends[0]), .writer = Fd(ends[1])};
}

// In place of a descriptor: the program finds none there.
constexpr int closed = -1;

// A program started with the given descriptors as its standard ones; killed when it is still there.
class Process {
 public:
  Process(const std::string& program, const Words& words, int in, int out, int err) {
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_DFL);
    const std::array<int, 3> standard = {in, out, err};
    for (int fd = 0; fd < 3; ++fd) {
      const int given = standard[static_cast<std::size_t>(fd)];
      given == closed ? ::close(fd) : ::dup2(given, fd);
    }
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send_signal(int number) const { ::kill(pid_, number); }

  // The exit code, or minus the number of the signal that ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    pid_ = -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
};

Fd null_device() { return Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

// Up to and without the line feed; what there was at the end of the file.
std::string read_line(int fd) {
  std::string line;
  char c = 0;
  while (::read(fd, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

// A service of its own for each test, gone with it.
class Service {
 public:
  Service() : process_(PARLEY_TEST_SERVICE, {}, null_.get(), output_.writer.get(), 2) {
    output_.writer.reset();
    address_ = line();
  }
  [[nodiscard]] const std::string& address() const { return address_; }
  // The next line it prints; waits for it.
  std::string line() { return read_line(output_.reader.get()); }

 private:
  Fd null_ = null_device();
  Pipe output_ = make_pipe();
  Process process_;
  std::string address_;
};

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

// Reads both pipes until both ended, so that neither can fill up and stop the program.
void drain(Pipe& out, Pipe& err, Outcome& outcome) {
  out.writer.reset();
  err.writer.reset();
  std::array<pollfd, 2> wanted = {{{.fd = out.reader.get(), .events = POLLIN, .revents = 0},
                                   {.fd = err.reader.get(), .events = POLLIN, .revents = 0}}};
  const std::array<std::string*, 2> texts = {&outcome.out, &outcome.err};
  std::array<char, 65536> buffer{};
  while (wanted[0].fd >= 0 || wanted[1].fd >= 0) {
    if (::poll(wanted.data(), wanted.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].fd < 0 || wanted[i].revents == 0) continue;
      const ssize_t got = ::read(wanted[i].fd, buffer.data(), buffer.size());
      if (got <= 0) {
        wanted[i].fd = -1;  // poll passes over it from now on
        continue;
      }
      texts[i]->append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
}

Outcome run(const Words& words, const std::string& input = "") {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Process process(PARLEY_COMMAND, words, in.reader.get(), out.writer.get(), err.writer.get());
  in.reader.reset();
  EXPECT_EQ(::write(in.writer.get(), input.data(), input.size()),
            static_cast<ssize_t>(input.size()));
  in.writer.reset();
  Outcome outcome;
  drain(out, err, outcome);
  outcome.code = process.wait();
  return outcome;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Cli, calls_a_function_and_prints_its_answer) {
  const Service service;
  const Outcome sum = run({"call", service.address(), "/math/add", "1", "2"});
  EXPECT_EQ(sum.code, 0) << sum.err;
  EXPECT_EQ(sum.out, "3\n");
  EXPECT_EQ(sum.err, "");

  const Outcome negative = run({"call", service.address(), "/math/add", "-5", "2"});
  EXPECT_EQ(negative.out, "-3\n") << negative.err;

  const Outcome array = run({"call", service.address(), "/math/add", "[20,22]"});
  EXPECT_EQ(array.out, "42\n") << array.err;
}

TEST(Cli, an_answer_is_compact_for_programs_and_pretty_when_asked) {
  const Service service;
  const Words call = {"call", service.address(), "/order/twice", R"({"sku":"tea","quantity":2})"};
  EXPECT_EQ(run(call).out, "{\"sku\":\"tea\",\"quantity\":4}\n");
  Words pretty = call;
  pretty.insert(pretty.begin() + 1, "--pretty");
  EXPECT_EQ(run(pretty).out, "{\n  \"sku\": \"tea\",\n  \"quantity\": 4\n}\n");
}

TEST(Cli, an_answer_is_pretty_on_a_terminal_unless_compact_is_asked_for) {
  const Service service;
  for (const bool is_compact : {false, true}) {
    const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal);
    ASSERT_EQ(::grantpt(terminal.get()), 0);
    ASSERT_EQ(::unlockpt(terminal.get()), 0);
    const Fd screen(::open(::ptsname(terminal.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(screen);
    Words words = {"call", service.address(), "/order/twice", R"({"sku":"tea","quantity":2})"};
    if (is_compact) words.push_back("--compact");
    const Fd null = null_device();
    Process process(PARLEY_COMMAND, words, null.get(), screen.get(), 2);
    EXPECT_EQ(process.wait(), 0);
    EXPECT_EQ(read_line(terminal.get()), is_compact ? "{\"sku\":\"tea\",\"quantity\":4}\r" : "{\r");
  }
}

TEST(Cli, a_function_without_an_answer_prints_nothing) {
  const Service service;
  const Outcome outcome = run({"call", service.address(), "/nothing"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST(Cli, the_body_comes_from_a_file_or_from_standard_input) {
  const Service service;
  const Words call = {"call", "--body-file", "-", service.address(), "/math/add"};
  EXPECT_EQ(run(call, "[1, 2]\n").out, "3\n");
  EXPECT_EQ(run(call, "one and two").code, 2);

  const std::string path = testing::TempDir() + "cli_test_body." + std::to_string(::getpid());
  const Fd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(file.get(), "[4,5]", 5), 5);
  EXPECT_EQ(run({"call", "-f", path, service.address(), "/math/add"}).out, "9\n");
  ::unlink(path.c_str());
  const Outcome absent = run({"call", "-f", path, service.address(), "/math/add"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_TRUE(holds(absent.err, "--body-file: cannot open")) << absent.err;
}

TEST(Cli, a_push_arrives_as_a_push) {
  Service service;
  const Outcome outcome = run({"push", service.address(), "/note", "\"fresh tea\""});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(service.line(), "pushed: fresh tea");
  EXPECT_EQ(run({"call", service.address(), "/note", "\"hello\""}).code, 0);
  EXPECT_EQ(service.line(), "called: hello");
}

TEST(Cli, metadata_travels_both_ways) {
  const Service service;
  const Words call = {"call", service.address(), "/meta/list"};
  EXPECT_EQ(run(call).out, "[]\n");
  Words with = call;
  with.insert(with.end(), {"--meta", "test-user=ada", "-m", "test-key=a=b", "--verbose"});
  const Outcome outcome = run(with);
  EXPECT_EQ(outcome.out, "[\"test-user=ada\",\"test-key=a=b\"]\n");
  EXPECT_TRUE(holds(outcome.err, "reply metadata: test-served-by=cli_test_service")) << outcome.err;
  EXPECT_TRUE(holds(outcome.err, "connected to " + service.address())) << outcome.err;
  EXPECT_EQ(run(call).err, "") << "without -v nothing is told";
}

TEST(Cli, an_error_of_the_other_side_is_exit_code_1) {
  const Service service;
  const Outcome business = run({"call", service.address(), "/order/refuse"});
  EXPECT_EQ(business.code, 1);
  EXPECT_EQ(business.out, "");
  EXPECT_TRUE(holds(business.err, "failed_precondition/1001: out of tea")) << business.err;
  EXPECT_FALSE(holds(business.err, "\x1b")) << "a service must not recolour the terminal";

  const Outcome unknown = run({"call", service.address(), "/no/such"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(holds(unknown.err, "not_found")) << unknown.err;

  const Outcome malformed = run({"call", service.address(), "/math/add", "1", "\"two\""});
  EXPECT_EQ(malformed.code, 1);
  EXPECT_TRUE(holds(malformed.err, "invalid_argument")) << malformed.err;
  EXPECT_TRUE(holds(malformed.err, "[1]")) << "names the argument: " << malformed.err;

  const Outcome thrown = run({"call", service.address(), "/order/fail"});
  EXPECT_EQ(thrown.code, 1);
  EXPECT_TRUE(holds(thrown.err, "internal")) << thrown.err;
}

TEST(Cli, wrong_usage_is_exit_code_2) {
  EXPECT_EQ(run({}).code, 2);
  EXPECT_EQ(run({"call"}).code, 2);
  EXPECT_EQ(run({"call", "tcp://127.0.0.1:1"}).code, 2);
  EXPECT_EQ(run({"cal"}).code, 2);
  const Outcome bare = run({"call", "tcp://127.0.0.1:1", "/order/place", "tea"});
  EXPECT_EQ(bare.code, 2);
  EXPECT_TRUE(holds(bare.err, "'\"tea\"'")) << bare.err;
  for (const char* address : {"nonsense", "127.0.0.1:99999", "tcp://", "tcp://127.0.0.1:x"}) {
    const Outcome outcome = run({"call", address, "/m"});
    EXPECT_EQ(outcome.code, 2) << address << ": " << outcome.err;
    EXPECT_TRUE(holds(outcome.err, "write it as tcp://127.0.0.1:4711")) << outcome.err;
  }
}

TEST(Cli, what_could_not_be_sent_is_exit_code_3) {
  for (const char* verb : {"call", "push"}) {
    const Outcome outcome = run({verb, "tcp://127.0.0.1:1", "/m"});
    EXPECT_EQ(outcome.code, 3) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("parley: cannot reach tcp://127.0.0.1:1: ")) << outcome.err;
    EXPECT_TRUE(holds(outcome.err, "Is the service running?")) << outcome.err;
  }
}

TEST(Cli, a_connection_cut_while_waiting_is_exit_code_4) {
  const Service service;
  const Outcome outcome = run({"call", service.address(), "/crash"});
  EXPECT_EQ(outcome.code, 4) << outcome.err;
  EXPECT_TRUE(holds(outcome.err, "may or may not have run")) << outcome.err;
}

TEST(Cli, running_out_of_time_is_exit_code_4) {
  const Service service;
  // Time enough to connect on a machine that has much to do: that would be another exit code.
  const Outcome late = run({"call", "--timeout", "1500ms", service.address(), "/slow/brief"});
  EXPECT_EQ(late.code, 4) << late.err;
  EXPECT_TRUE(holds(late.err, "--timeout (now 1.5 s)")) << late.err;
  const Outcome patient = run({"call", "--timeout", "30s", service.address(), "/slow/brief"});
  EXPECT_EQ(patient.code, 0) << patient.err;
}

TEST(Cli, an_answer_that_cannot_be_written_is_exit_code_5) {
  const Service service;
  const Words words = {"call", service.address(), "/text/repeat", "\"tea \"", "100000"};
  const Fd null = null_device();
  Pipe err = make_pipe();

  Pipe abandoned = make_pipe();
  abandoned.reader.reset();
  Process unread(PARLEY_COMMAND, words, null.get(), abandoned.writer.get(), err.writer.get());
  EXPECT_EQ(unread.wait(), 5);

  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Process disk(PARLEY_COMMAND, words, null.get(), full.get(), err.writer.get());
  EXPECT_EQ(disk.wait(), 5);
  err.writer.reset();
  EXPECT_EQ(read_line(err.reader.get()),
            "parley: cannot write to standard output: no space left on the device")
      << "and not a word about the reader that left on purpose";
}

TEST(Cli, a_socket_never_takes_the_place_of_a_closed_standard_output) {
  Service service;
  const Words words = {"call", service.address(), "/note", "\"hello\""};
  const Fd null = null_device();
  Process silent(PARLEY_COMMAND, words, closed, closed, closed);
  EXPECT_EQ(silent.wait(), 0) << "a call without an answer has nothing to write";
  EXPECT_EQ(service.line(), "called: hello");
  const Words sum = {"call", service.address(), "/math/add", "1", "2"};
  Process process(PARLEY_COMMAND, sum, null.get(), closed, closed);
  EXPECT_EQ(process.wait(), 5);
}

TEST(Cli, a_large_answer_arrives_whole) {
  const Service service;
  const Outcome outcome = run({"call", service.address(), "/text/repeat", "\"tea \"", "100000"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.size(), 400'003u);
}

TEST(Cli, ctrl_c_ends_a_waiting_call_at_once) {
  Service service;
  const Fd null = null_device();
  Process process(PARLEY_COMMAND, {"call", service.address(), "/slow/hour"}, null.get(), null.get(),
                  2);
  ASSERT_EQ(service.line(), "waiting");
  process.send_signal(SIGINT);
  EXPECT_EQ(process.wait(), -SIGINT);
}

TEST(Cli, help_and_version_are_data) {
  const Outcome help = run({"call", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n"));
  EXPECT_TRUE(holds(help.out, "Exit codes:\n"));
  EXPECT_EQ(help.err, "");
  EXPECT_TRUE(run({"version"}).out.starts_with("parley "));
  EXPECT_TRUE(run({"version", "-o", "json"}).out.starts_with("{\"version\":\""));
}

}  // namespace
}  // namespace parley
