#include "parley/net/impl/unix.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "parley/net/impl/listening_socket.h"
#include "parley/net/impl/options.h"
#include "parley/net/impl/socket.h"
#include "parley/net/impl/socket_stream.h"
#include "parley/rt/time.h"

namespace parley::net::impl {
namespace {

using namespace std::chrono_literals;

// A full queue is not something poll(2) can wait for (unix(7) knows EAGAIN only): how long to wait
// before asking again, growing twofold.
constexpr Duration first_dial_pause = 1ms;
constexpr Duration longest_dial_pause = 50ms;

// How long to wait for a folder that another process has locked.
constexpr Duration longest_lock_wait = 5s;
constexpr Duration lock_pause = 5ms;

constexpr std::uint32_t all_permissions = 0777;

// For addresses that did not come from Address::parse.
Status check(const Address& address) {
  const std::string& host = address.host;
  if (host.size() < 2 || host.size() > max_unix_path || (host[0] != '/' && host[0] != '@')) {
    return {Code::invalid_argument,
            "a Unix address is a whole path or '@' and a name, of at most " +
                std::to_string(max_unix_path) + " bytes"};
  }
  return {};
}

Status dial_error(int error) {
  switch (error) {
    case ENOENT:
      return {Code::unavailable, "there is no such socket file"};
    case ECONNREFUSED:
      return {Code::unavailable, "nobody listens there"};
    case EPROTOTYPE:
      return {Code::invalid_argument, "the socket there is of another type"};
    default:
      return errno_status(error, "connect");
  }
}

}  // namespace

Result<Fd> connect_unix(const Address& address, int type, rt::Deadline deadline,
                        const DialOptions& options) {
  if (Status s = check(address); !s.is_ok()) return s;
  auto fd = open_socket(address, type);
  if (!fd) return fd.error();
  if (Status s = apply(options, fd->get(), address); !s.is_ok()) return s;
  const SocketAddress where = socket_address_of(address);
  for (Duration pause = first_dial_pause;; pause = std::min(pause * 2, longest_dial_pause)) {
    const int error = connect(fd->get(), where);
    if (error == 0) return fd;
    if (error != EAGAIN) return dial_error(error);
    if (deadline.is_over()) {
      return Status(Code::deadline_exceeded, "the queue of who listens there stayed full");
    }
    const Instant next = std::min(rt::now() + pause, deadline.instant());
    if (Status s = rt::sleep_until(next); !s.is_ok()) return s;
  }
}

Result<std::unique_ptr<Stream>> dial_unix(const Address& address, rt::Deadline deadline,
                                          const DialOptions& options) {
  auto fd = connect_unix(address, SOCK_STREAM, deadline, options);
  if (!fd) return fd.error();
  return make_socket_stream(*std::move(fd), address);
}

namespace {

[[gnu::noinline]] Result<Fd> open_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_status(errno, "open the folder " + folder + " to lock it");
  return fd;
}

// 0, EAGAIN, or the errno value of the failure.
[[gnu::noinline]] int try_lock(int fd) { return ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }

// The lock goes with the descriptor.
Result<Fd> lock_folder_of(const std::string& path) {
  auto folder = open_folder(path);
  if (!folder) return folder.error();
  const rt::Deadline until = rt::Deadline::after(longest_lock_wait);
  for (;;) {
    const int error = try_lock(folder->get());
    if (error == 0) return folder;
    if (error != EAGAIN) return errno_status(error, "lock the folder of the socket file");
    if (until.is_over()) {
      return Status(Code::unavailable,
                    "another process keeps the folder of the socket file locked; see who with "
                    "lslocks, or choose a folder of your own");
    }
    if (Status s = rt::sleep(lock_pause); !s.is_ok()) return s;
  }
}

// Removes the socket file at `path` if nobody listens there.
[[gnu::noinline]] Status remove_stale(const Address& address, int type) {
  struct stat status{};
  if (::lstat(address.host.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return errno_status(errno, "look at the file");
  }
  if (!S_ISSOCK(status.st_mode)) {
    return {Code::already_exists,
            "a file that is not a socket is there: remove it or choose another path"};
  }
  auto probe = open_socket(address, type);
  if (!probe) return probe.error();
  const int error = connect(probe->get(), socket_address_of(address));
  if (error == ENOENT) return {};
  if (error == 0 || error == EAGAIN || error == EPROTOTYPE) {
    return {Code::already_exists, "somebody listens there"};
  }
  if (error != ECONNREFUSED) return errno_status(error, "ask whether somebody listens there");
  if (::unlink(address.host.c_str()) == 0 || errno == ENOENT) return {};
  return errno_status(errno, "remove the stale socket file");
}

[[gnu::noinline]] Status set_mode(const std::string& path, std::uint32_t mode) {
  if (::chmod(path.c_str(), mode) == 0) return {};
  return errno_status(errno, "set the permissions of the socket file");
}

// Binds and listens, with the folder locked.
Status listen_on_file(int fd, int type, const Address& address, const ListenOptions& options,
                      SocketFile& file) {
  if (Status s = remove_stale(address, type); !s.is_ok()) return s;
  // bind() gives the file the mode of the socket, less the umask: never more than was asked for,
  // not even for a moment.
  if (options.file_mode && ::fchmod(fd, *options.file_mode) != 0) {
    return {Code::internal, "the socket did not take its permissions"};
  }
  if (Status s = bind_to(fd, address); !s.is_ok()) return s;
  file = SocketFile(address.host);
  Status status;
  if (options.file_mode) status = set_mode(address.host, *options.file_mode);
  if (status.is_ok()) status = start_listening(fd, options.backlog);
  if (!status.is_ok()) file.remove();
  return status;
}

}  // namespace

Result<Fd> open_unix_listening(const Address& address, int type, const ListenOptions& options,
                               SocketFile& file) {
  if (Status s = check(address); !s.is_ok()) return s;
  const bool has_file = address.host.starts_with('/');
  if (options.file_mode && (!has_file || *options.file_mode > all_permissions)) {
    return Status(Code::invalid_argument, has_file
                                              ? "option file_mode: permission bits are at most 0777"
                                              : "option file_mode: an abstract name has no file");
  }
  auto fd = open_socket(address, type);
  if (!fd) return fd.error();
  if (Status s = apply(options, fd->get(), address); !s.is_ok()) return s;
  if (!has_file) {
    if (Status s = bind_to(fd->get(), address); !s.is_ok()) return s;
    if (Status s = start_listening(fd->get(), options.backlog); !s.is_ok()) return s;
    return fd;
  }
  auto lock = lock_folder_of(address.host);
  if (!lock) return lock.error();
  if (Status s = listen_on_file(fd->get(), type, address, options, file); !s.is_ok()) return s;
  return fd;
}

}  // namespace parley::net::impl
