#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "parley/base/fd.h"
#include "parley/net/network.h"
#include "parley/net/peer_credentials.h"
#include "parley/net/testing/free_address.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

// A folder of its own for each test.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/parley-unix-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file() const { return path_ + "/shop.sock"; }
  [[nodiscard]] Address address() const { return *Address::parse("unix://" + file()); }
  [[nodiscard]] bool has_file() const { return std::filesystem::exists(file()); }
  [[nodiscard]] mode_t mode() const {
    struct stat status{};
    EXPECT_EQ(::stat(file().c_str(), &status), 0);
    return status.st_mode & 07777;
  }

 private:
  std::string path_;
};

// A socket bound to `path` as another program would do it; listening or not.
Fd foreign_socket(const std::string& path, int type, bool listening) {
  Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  if (listening) {
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  }
  return fd;
}

void expect_echo(Network& network, Listener& listener) {
  auto client = network.dial(listener.address());
  ASSERT_TRUE(client) << client.error();
  auto server = listener.accept();
  ASSERT_TRUE(server) << server.error();
  EXPECT_TRUE((*client)->write("ping").is_ok());
  std::array<char, 8> buffer{};
  EXPECT_EQ(*(*server)->read(buffer), 4u);
  EXPECT_TRUE((*server)->write("pong").is_ok());
  EXPECT_TRUE((*server)->close_write().is_ok());
  EXPECT_EQ(*(*client)->read(buffer), 4u);
  EXPECT_EQ(*(*client)->read(buffer), 0u);
}

PARLEY_FIBER_TEST(Unix, carries_bytes_over_a_file_and_over_an_abstract_name) {
  const Folder folder;
  SocketNetwork network;
  for (const Address& address : {folder.address(), testing::free_unix_name()}) {
    auto listener = network.listen(address);
    ASSERT_TRUE(listener) << listener.error();
    EXPECT_EQ((*listener)->address(), address);
    expect_echo(network, **listener);
  }
}

PARLEY_FIBER_TEST(Unix, both_sides_know_the_addresses_and_who_the_other_is) {
  const Folder folder;
  SocketNetwork network;
  auto listener = network.listen(folder.address());
  DialOptions from;
  from.bind = testing::free_unix_name();
  auto named = network.dial(folder.address(), {}, from);
  ASSERT_TRUE(named) << named.error();
  auto server = (*listener)->accept();
  EXPECT_EQ((*server)->remote_address(), *from.bind);
  EXPECT_EQ((*server)->local_address(), folder.address());
  EXPECT_EQ((*named)->remote_address(), folder.address());
  auto unnamed = network.dial(folder.address());
  EXPECT_EQ((*(*listener)->accept())->remote_address().to_string(), "unix:");

  const PeerCredentials us{.process = ::getpid(), .user = ::getuid(), .group = ::getgid()};
  EXPECT_EQ(*peer_credentials(**server), us);
  EXPECT_EQ(*peer_credentials(**named), us);
}

PARLEY_FIBER_TEST(Unix, only_a_unix_socket_has_peer_credentials) {
  SocketNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto stream = network.dial((*listener)->address());
  EXPECT_EQ(peer_credentials(**stream).error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Unix, close_removes_the_file_and_wakes_accept) {
  const Folder folder;
  SocketNetwork network;
  auto listener = network.listen(folder.address());
  EXPECT_TRUE(folder.has_file());
  rt::Scope scope;
  scope.go("accept", [&] { EXPECT_EQ((*listener)->accept().error().code(), Code::unavailable); });
  rt::yield();
  (*listener)->close();
  scope.join();
  EXPECT_FALSE(folder.has_file());
  EXPECT_EQ(network.dial(folder.address()).error().message(),
            "dial unix://" + folder.file() + ": there is no such socket file");
}

PARLEY_FIBER_TEST(Unix, the_destructor_removes_the_file_as_well) {
  const Folder folder;
  SocketNetwork network;
  auto listener = network.listen(folder.address());
  listener->reset();
  EXPECT_FALSE(folder.has_file());
}

PARLEY_FIBER_TEST(Unix, close_leaves_a_file_that_is_not_its_own_any_more) {
  const Folder folder;
  SocketNetwork network;
  auto first = network.listen(folder.address());
  std::filesystem::remove(folder.file());
  auto second = network.listen(folder.address());
  ASSERT_TRUE(second) << second.error();
  (*first)->close();
  EXPECT_TRUE(folder.has_file());
  expect_echo(network, **second);
}

PARLEY_FIBER_TEST(Unix, a_file_nobody_listens_on_is_replaced) {
  const Folder folder;
  SocketNetwork network;
  foreign_socket(folder.file(), SOCK_STREAM, true).reset();
  EXPECT_TRUE(folder.has_file());
  EXPECT_EQ(network.dial(folder.address()).error().message(),
            "dial unix://" + folder.file() + ": nobody listens there");
  auto listener = network.listen(folder.address());
  ASSERT_TRUE(listener) << listener.error();
  expect_echo(network, **listener);
}

PARLEY_FIBER_TEST(Unix, a_file_somebody_listens_on_is_left_alone) {
  const Folder folder;
  SocketNetwork network;
  auto first = network.listen(folder.address());
  const auto second = network.listen(folder.address());
  EXPECT_EQ(second.error().code(), Code::already_exists);
  EXPECT_EQ(second.error().message(),
            "listen on unix://" + folder.file() + ": somebody listens there");
  EXPECT_TRUE((*first)->accept());  // the question whether it lives
  expect_echo(network, **first);

  std::filesystem::remove(folder.file());
  const Fd other_type = foreign_socket(folder.file(), SOCK_SEQPACKET, true);
  EXPECT_EQ(network.listen(folder.address()).error().code(), Code::already_exists);
  EXPECT_EQ(network.dial(folder.address()).error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Unix, files_of_other_kinds_are_left_alone) {
  const Folder folder;
  SocketNetwork network;
  const Fd plain(::open(folder.file().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_EQ(::write(plain.get(), "dear", 4), 4);
  const auto refused = network.listen(folder.address());
  EXPECT_EQ(refused.error().code(), Code::already_exists);
  EXPECT_NE(refused.error().message().find("not a socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(folder.file()), 4u);

  // A link is not followed: what it points to is not ours.
  const std::string target = folder.path() + "/target.sock";
  foreign_socket(target, SOCK_STREAM, false).reset();
  std::filesystem::remove(folder.file());
  std::filesystem::create_symlink(target, folder.file());
  EXPECT_EQ(network.listen(folder.address()).error().code(), Code::already_exists);
  EXPECT_TRUE(std::filesystem::exists(target));
}

PARLEY_FIBER_TEST(Unix, an_abstract_name_in_use_is_refused) {
  SocketNetwork network;
  const Address address = testing::free_unix_name();
  auto first = network.listen(address);
  EXPECT_EQ(network.listen(address).error().code(), Code::already_exists);
  first->reset();
  EXPECT_TRUE(network.listen(address));
}

PARLEY_FIBER_TEST(Unix, the_file_has_the_mode_asked_for_whatever_the_umask) {
  const Folder folder;
  SocketNetwork network;
  const mode_t before = ::umask(077);
  for (const std::uint32_t mode : {0600u, 0666u}) {
    ListenOptions options;
    options.file_mode = mode;
    auto listener = network.listen(folder.address(), options);
    ASSERT_TRUE(listener) << listener.error();
    EXPECT_EQ(folder.mode(), mode);
  }
  ::umask(027);
  auto usual = network.listen(folder.address());
  EXPECT_EQ(folder.mode(), 0750u);
  ::umask(before);
  ListenOptions odd;
  odd.file_mode = 04755;
  EXPECT_EQ(network.listen(folder.address(), odd).error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Unix, says_what_is_wrong_with_a_path) {
  SocketNetwork network;
  const auto missing = network.listen(*Address::parse("unix:///no/such/folder/shop.sock"));
  EXPECT_EQ(missing.error().code(), Code::not_found);
  Address made_by_hand{.network = "unix", .host = "/" + std::string(107, 'p'), .port = 0};
  EXPECT_NE(network.listen(made_by_hand).error().message().find("at most 107 bytes"),
            std::string::npos);
  EXPECT_NE(network.dial(made_by_hand).error().message().find("at most 107 bytes"),
            std::string::npos);
  made_by_hand.host = "shop.sock";
  EXPECT_EQ(network.listen(made_by_hand).error().code(), Code::invalid_argument);
  EXPECT_EQ(network.dial(made_by_hand).error().code(), Code::invalid_argument);
}

PARLEY_FIBER_TEST(Unix, a_dial_waits_for_a_full_queue_until_its_deadline) {
  SocketNetwork network;
  const Address address = testing::free_unix_name();
  ListenOptions options;
  options.backlog = 0;
  auto listener = network.listen(address, options);
  auto first = network.dial(address);
  ASSERT_TRUE(first) << first.error();
  EXPECT_EQ(network.dial(address, rt::Deadline::after(5ms)).error().code(),
            Code::deadline_exceeded);
  rt::Scope scope;
  scope.go("dial", [&] { EXPECT_TRUE(network.dial(address)); });
  rt::yield();
  EXPECT_TRUE((*listener)->accept());
  scope.join();
}

PARLEY_FIBER_TEST(Unix, waits_for_a_locked_folder) {
  const Folder folder;
  SocketNetwork network;
  Fd lock(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  rt::Scope scope;
  bool listened = false;
  scope.go("listen", [&] { listened = network.listen(folder.address()).has_value(); });
  for (int i = 0; i < 10; ++i) rt::yield();
  EXPECT_FALSE(folder.has_file());
  lock.reset();
  scope.join();
  EXPECT_TRUE(listened);
}

}  // namespace
}  // namespace parley::net
