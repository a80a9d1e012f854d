#include "parley/net/handover.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "parley/base/fd.h"
#include "parley/net/impl/inheritance.h"
#include "parley/net/network.h"
#include "parley/net/testing/free_address.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// Another process, waited for by wait().
class Process {
 public:
  // `descriptors` become those from 3 on.
  explicit Process(std::vector<std::string> words, const std::vector<std::string>& environment = {},
                   const std::vector<int>& descriptors = {}) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    output_.reset(pipe[0]);
    const Fd input(pipe[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      // By way of numbers that none of them has, since one may have another's.
      const int high = 500 + static_cast<int>(i);
      ::posix_spawn_file_actions_adddup2(&actions, descriptors[i], high);
    }
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      const int high = 500 + static_cast<int>(i);
      ::posix_spawn_file_actions_adddup2(&actions, high, 3 + static_cast<int>(i));
      ::posix_spawn_file_actions_addclose(&actions, high);
    }
    std::vector<char*> arguments = pointers(words);
    std::vector<std::string> variables = environment;
    for (char** one = environ; *one != nullptr; ++one) variables.emplace_back(*one);
    EXPECT_EQ(::posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, arguments.data(),
                            pointers(variables).data()),
              0);
    ::posix_spawn_file_actions_destroy(&actions);
  }

  // Its exit code; gives way to other fibers meanwhile.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) rt::yield();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // What it printed; after wait().
  [[nodiscard]] std::string output() const {
    std::string text(10'000, '\0');
    const auto size = ::read(output_.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> out;
    for (std::string& word : words) out.push_back(word.data());
    out.push_back(nullptr);
    return out;
  }

  pid_t pid_ = -1;
  Fd output_;
};

// A folder of its own for each test.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/parley-handover-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] Address address(const std::string& file) const {
    return *Address::parse("unix://" + path_ + "/" + file);
  }

 private:
  std::string path_;
};

std::string read_to_end(Stream& stream) {
  std::string text;
  std::array<char, 100> buffer{};
  for (;;) {
    const auto size = stream.read(buffer);
    EXPECT_TRUE(size) << size.error();
    if (!size || *size == 0) return text;
    text.append(buffer.data(), *size);
  }
}

// What who listens there answers.
std::string answer_of(const Address& address) {
  SocketNetwork network;
  auto stream = network.dial(address);
  EXPECT_TRUE(stream) << stream.error();
  return stream ? read_to_end(**stream) : "refused";
}

PARLEY_FIBER_TEST(Handover, another_process_takes_over_and_no_connection_is_refused) {
  const Folder folder;
  SocketNetwork network;
  auto passage = network.listen(folder.address("passage.sock"));
  auto http = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto admin = network.listen(folder.address("admin.sock"));
  const Address http_address = (*http)->address();

  rt::Scope scope;
  for (Listener* listener : {http->get(), admin->get()}) {
    scope.go("old", [listener] {
      while (auto stream = listener->accept()) (void)(*stream)->write("old");
    });
  }
  // Clients that come all the time, until the new process has answered each often enough.
  int old_answers = 0;
  int new_answers = 0;
  rt::Scope clients;
  for (int i = 0; i < 4; ++i) {
    clients.go("client", [&] {
      while (new_answers < 200) {
        const std::string answer = answer_of(http_address);
        EXPECT_TRUE(answer == "old" || answer == "new http") << answer;
        ++(answer == "old" ? old_answers : new_answers);
      }
    });
  }
  while (old_answers < 50) rt::yield();

  Process process({PARLEY_NET_SECOND_PROCESS, "take", (*passage)->address().to_string()});
  auto stream = (*passage)->accept();
  const std::vector<ListenerToSend> both{{"http", http->get()}, {"admin", admin->get()}};
  const Status sent = send_listeners(**stream, both);
  EXPECT_TRUE(sent.is_ok()) << sent;
  (*http)->close();
  (*admin)->close();
  scope.join();
  http->reset();
  clients.join();
  EXPECT_GE(new_answers, 200);

  // The file was left to the new process, which removes it at its end.
  EXPECT_EQ(answer_of(folder.address("admin.sock")), "new admin");
  (*stream)->close();
  EXPECT_EQ(process.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(folder.address("admin.sock").host));
  EXPECT_EQ(network.dial(http_address).error().code(), Code::unavailable);
}

PARLEY_FIBER_TEST(Handover, a_process_without_descriptors_refuses_and_the_old_one_goes_on) {
  const Folder folder;
  SocketNetwork network;
  auto passage = network.listen(folder.address("passage.sock"));
  auto http = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  Process process({PARLEY_NET_SECOND_PROCESS, "refuse", (*passage)->address().to_string()});
  auto stream = (*passage)->accept();
  const std::vector<ListenerToSend> many(40, {"http", http->get()});
  const Status refused = send_listeners(**stream, many);
  EXPECT_EQ(refused.code(), Code::failed_precondition);
  EXPECT_NE(refused.cause().find("ulimit -n"), std::string::npos) << refused;
  EXPECT_EQ(process.wait(), 0);
  rt::Scope scope;
  scope.go("old", [&] { (void)(*(*http)->accept())->write("old"); });
  EXPECT_EQ(answer_of((*http)->address()), "old");
}

// Both ends of a passage within this process.
struct Passage {
  std::unique_ptr<Stream> old_end;
  std::unique_ptr<Stream> new_end;

  static Passage make() {
    SocketNetwork network;
    auto listener = network.listen(testing::free_unix_name());
    Passage passage;
    passage.new_end = *network.dial((*listener)->address());
    passage.old_end = *(*listener)->accept();
    return passage;
  }
};

PARLEY_FIBER_TEST(Handover, keeps_names_and_order_and_marks_descriptors) {
  const Passage passage = Passage::make();
  SocketNetwork network;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::string> names;
  std::vector<ListenerToSend> sent;
  for (std::size_t i = 0; i < max_handed_listeners; ++i) {
    listeners.push_back(*network.listen(*Address::parse("tcp://127.0.0.1:0")));
    names.push_back(std::to_string(i) + std::string(200, 'n'));
  }
  for (std::size_t i = 0; i < names.size(); ++i) sent.push_back({names[i], listeners[i].get()});
  rt::Scope scope;
  scope.go("sender", [&] { EXPECT_TRUE(send_listeners(*passage.old_end, sent).is_ok()); });
  const auto taken = receive_listeners(*passage.new_end);
  scope.join();
  ASSERT_TRUE(taken) << taken.error();
  ASSERT_EQ(taken->size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ((*taken)[i].name, names[i]);
    EXPECT_EQ((*taken)[i].listener->address(), listeners[i]->address());
    const int fd = (*taken)[i].listener->descriptor();
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  }
}

PARLEY_FIBER_TEST(Handover, who_refuses_and_goes_before_it_has_read_all_is_understood) {
  Passage passage = Passage::make();
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  const std::string reason = "no room";
  ASSERT_TRUE(passage.new_end->write(static_cast<char>(reason.size()) + reason).is_ok());
  passage.new_end.reset();
  const std::vector<ListenerToSend> one{{"x", listener->get()}};
  const Status refused = send_listeners(*passage.old_end, one);
  EXPECT_EQ(refused.code(), Code::failed_precondition) << refused;
  EXPECT_EQ(refused.cause(), reason);
}

PARLEY_FIBER_TEST(Handover, who_goes_without_a_word_is_told_as_such) {
  Passage passage = Passage::make();
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  passage.new_end.reset();
  const std::vector<ListenerToSend> one{{"x", listener->get()}};
  EXPECT_EQ(send_listeners(*passage.old_end, one).code(), Code::unavailable);
}

PARLEY_FIBER_TEST(Handover, what_cannot_be_handed_over_is_named_before_anything_is_sent) {
  const Passage passage = Passage::make();
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  const auto error = [&](const std::vector<ListenerToSend>& listeners) {
    const Status status = send_listeners(*passage.old_end, listeners);
    EXPECT_EQ(status.code(), Code::invalid_argument);
    return status.message();
  };
  EXPECT_NE(error({}).find("from 1 to 64"), std::string::npos);
  EXPECT_NE(error({65, {"x", listener->get()}}).find("from 1 to 64"), std::string::npos);
  EXPECT_NE(error({{"a:b", listener->get()}}).find("without ':'"), std::string::npos);
  EXPECT_NE(error({{"", listener->get()}}).find("0 bytes"), std::string::npos);
  const std::string long_name(256, 'n');
  EXPECT_NE(error({{long_name, listener->get()}}).find("256 bytes"), std::string::npos);

  auto tcp = network.dial((*listener)->address());
  const std::vector<ListenerToSend> one{{"x", listener->get()}};
  EXPECT_NE(send_listeners(**tcp, one).message().find("Unix socket only"), std::string::npos);
  EXPECT_EQ(receive_listeners(**tcp).error().code(), Code::invalid_argument);
}

// Sends `bytes` with `descriptors`, as another program might.
void send_raw(const Stream& to, std::string bytes, const std::vector<int>& descriptors) {
  std::vector<char> control(CMSG_SPACE(sizeof(int) * descriptors.size()));
  iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
  }
  EXPECT_EQ(::sendmsg(to.descriptor(), &message, 0), static_cast<ssize_t>(bytes.size()));
}

// What receive_listeners() makes of it; no descriptor may stay.
Status error_for(const std::string& bytes, const std::vector<int>& descriptors) {
  const Passage passage = Passage::make();
  send_raw(*passage.old_end, bytes, descriptors);
  EXPECT_TRUE(passage.old_end->close_write().is_ok());
  const int before = rt::testing::open_sockets();
  const Status status = receive_listeners(*passage.new_end).error();
  EXPECT_EQ(rt::testing::open_sockets(), before);
  return status;
}

PARLEY_FIBER_TEST(Handover, what_is_no_hand_over_is_refused_and_leaves_no_descriptor) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto stream = network.dial((*listener)->address());
  const int good = (*listener)->descriptor();
  const int connected = (*stream)->descriptor();
  const auto head = [](char count, char bytes) {
    return "PARLEYL1\0\0\0"s + count + "\0\0\0"s + bytes;
  };
  EXPECT_EQ(error_for(head(1, 2) + "\1x", {good}).to_string(), "ok");
  EXPECT_EQ(error_for(head(1, 2) + "\1x", {connected}).message(),
            "take over listeners: listener \"x\": the descriptor does not listen");
  EXPECT_EQ(error_for(head(2, 4) + "\1x\1y", {good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for(head(1, 2) + "\1x", {good, good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for(head(1, 2) + "\1x", {}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for(head(1, 3) + "\1xy", {good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for(head(1, 2) + "\2x", {good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for(head(1, 2) + "\1:", {good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for(head(1, 2) + "\1", {good}).code(), Code::data_loss);
  EXPECT_EQ(error_for("PARLEYL2\0\0\0\1\0\0\0\2\1x"s, {good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for("PARLEYL1\0\0\0\1\xff\0\0\2\1x"s, {good}).code(), Code::invalid_argument);
  EXPECT_EQ(error_for("PAR", {good}).code(), Code::invalid_argument);
  const std::vector<int> many(max_handed_listeners + 1, good);
  EXPECT_EQ(error_for(head(65, 2) + "\1x", many).code(), Code::resource_exhausted);
}

PARLEY_FIBER_TEST(Handover, a_sender_that_is_gone_and_a_receiver_that_is_silent_are_noticed) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  Passage passage = Passage::make();
  EXPECT_EQ(receive_listeners(*passage.new_end, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  const std::vector<ListenerToSend> one{{"x", listener->get()}};
  passage = Passage::make();
  EXPECT_EQ(send_listeners(*passage.old_end, one, rt::Deadline::after(1ms)).code(),
            Code::deadline_exceeded);
  passage = Passage::make();
  passage.old_end.reset();
  EXPECT_EQ(receive_listeners(*passage.new_end).error().code(), Code::data_loss);
}

PARLEY_FIBER_TEST(Inheritance, a_child_finds_the_listeners_it_was_started_with) {
  const Folder folder;
  SocketNetwork network;
  auto http = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto admin = network.listen(folder.address("admin.sock"));
  auto http_client = network.dial((*http)->address());
  auto admin_client = network.dial((*admin)->address());
  Process process({"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" inherit", PARLEY_NET_SECOND_PROCESS},
                  {"LISTEN_FDS=2", "LISTEN_FDNAMES=http:admin"},
                  {(*http)->descriptor(), (*admin)->descriptor()});
  EXPECT_EQ(read_to_end(**http_client), "http");
  EXPECT_EQ(read_to_end(**admin_client), "admin");
  EXPECT_EQ(process.wait(), 0);
  EXPECT_EQ(process.output(), "http " + (*http)->address().to_string() + "\nadmin " +
                                  (*admin)->address().to_string() + "\n");
  // What the child closed is the starter's still.
  EXPECT_TRUE(std::filesystem::exists((*admin)->address().host));
  EXPECT_TRUE(network.dial((*http)->address()));
}

PARLEY_FIBER_TEST(Inheritance, a_child_that_inherits_something_else_says_which) {
  const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Process process({"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" inherit", PARLEY_NET_SECOND_PROCESS},
                  {"LISTEN_FDS=1"}, {file.get()});
  EXPECT_EQ(process.wait(), 1);
  EXPECT_EQ(process.output(),
            "invalid_argument: inherited listener \"unknown\": descriptor 3 is not a socket\n");
}

TEST(Inheritance, reads_the_variables_as_sd_listen_fds_does) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(*impl::read_inheritance(nullptr, nullptr, nullptr, 7), Names{});
  EXPECT_EQ(*impl::read_inheritance("7", nullptr, nullptr, 7), Names{});
  EXPECT_EQ(*impl::read_inheritance("8", "2", nullptr, 7), Names{});
  EXPECT_EQ(*impl::read_inheritance("7", "0", "", 7), Names{});
  EXPECT_EQ(*impl::read_inheritance("7", "2", nullptr, 7), (Names{"unknown", "unknown"}));
  EXPECT_EQ(*impl::read_inheritance("7", "2", "http:admin", 7), (Names{"http", "admin"}));
}

TEST(Inheritance, says_which_variable_is_wrong) {
  const auto error = [](const char* pid, const char* fds, const char* names) {
    return impl::read_inheritance(pid, fds, names, 7).error().message();
  };
  EXPECT_NE(error("x", "1", nullptr).find("LISTEN_PID"), std::string::npos);
  EXPECT_NE(error("-7", "1", nullptr).find("LISTEN_PID"), std::string::npos);
  EXPECT_NE(error("7", "", nullptr).find("LISTEN_FDS"), std::string::npos);
  EXPECT_NE(error("7", "-1", nullptr).find("LISTEN_FDS"), std::string::npos);
  EXPECT_NE(error("7", "65", nullptr).find("at most 64"), std::string::npos);
  EXPECT_NE(error("7", "99999999999999999999", nullptr).find("LISTEN_FDS"), std::string::npos);
  EXPECT_NE(error("7", "2", "one").find("1 names for 2"), std::string::npos);
  EXPECT_NE(error("7", "2", "one:").find("LISTEN_FDNAMES"), std::string::npos);
  EXPECT_NE(error("7", "1", "\x01").find("LISTEN_FDNAMES"), std::string::npos);
}

TEST(Inheritance, only_a_listening_stream_socket_will_do) {
  const auto error = [](int fd) { return impl::check_listening(fd).message(); };
  EXPECT_EQ(error(-1), "is not open");
  const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(error(file.get()), "is not a socket");
  const Fd datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(error(datagrams.get()), "is not a stream socket");
  const Fd stream(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(error(stream.get()), "does not listen");
  ASSERT_EQ(::listen(stream.get(), 1), 0);
  EXPECT_EQ(error(stream.get()), "");
  EXPECT_NE(::fcntl(stream.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(stream.get(), F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace parley::net
