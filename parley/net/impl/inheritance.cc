#include "parley/net/impl/inheritance.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "parley/base/fd.h"
#include "parley/net/handover.h"
#include "parley/net/impl/socket.h"

namespace parley::net::impl {
namespace {

// Digits and nothing else.
std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || end.ec != std::errc() ||
      end.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

Status wrong(const std::string& variable, const std::string& why) {
  return {Code::invalid_argument, "environment variable " + variable + ": " + why};
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

[[gnu::noinline]] Status check_is_socket(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) {
    return {Code::invalid_argument, "is not open"};
  }
  if (S_ISSOCK(status.st_mode)) return {};
  return {Code::invalid_argument, "is not a socket"};
}

[[gnu::noinline]] Status set_flags(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
    return {};
  }
  return errno_status(errno, "set its flags");
}

}  // namespace

Status check_listener_name(std::string_view name) {
  if (name.empty() || name.size() > max_listener_name) {
    return {Code::invalid_argument, "a listener's name has " + std::to_string(name.size()) +
                                        " bytes, from 1 to " + std::to_string(max_listener_name) +
                                        " are possible"};
  }
  const bool is_plain = std::all_of(name.begin(), name.end(),
                                    [](char c) { return c >= ' ' && c <= '~' && c != ':'; });
  if (is_plain) return {};
  return {Code::invalid_argument, "a listener's name is printable ASCII without ':'"};
}

Result<std::vector<std::string>> read_inheritance(const char* listen_pid, const char* listen_fds,
                                                  const char* listen_fdnames, std::int64_t own) {
  std::vector<std::string> names;
  if (listen_pid == nullptr || listen_fds == nullptr) return names;
  const auto pid = number_in(listen_pid);
  if (!pid || *pid == 0) return wrong("LISTEN_PID", "not the number of a process");
  if (*pid != own) return names;
  const auto count = number_in(listen_fds);
  if (!count) return wrong("LISTEN_FDS", "not a number of descriptors");
  const auto size = static_cast<std::size_t>(*count);
  if (size > max_handed_listeners) {
    return wrong("LISTEN_FDS", std::to_string(size) + " descriptors, at most " +
                                   std::to_string(max_handed_listeners) + " are taken");
  }
  if (listen_fdnames == nullptr || size == 0) {
    names.assign(size, "unknown");
    return names;
  }
  names = split(listen_fdnames);
  if (names.size() != size) {
    return wrong("LISTEN_FDNAMES", std::to_string(names.size()) + " names for " +
                                       std::to_string(size) + " descriptors");
  }
  for (const std::string& name : names) {
    if (Status s = check_listener_name(name); !s.is_ok()) {
      return wrong("LISTEN_FDNAMES", s.message());
    }
  }
  return names;
}

Status check_listening(int fd) {
  if (Status s = check_is_socket(fd); !s.is_ok()) return s;
  if (get_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM) {
    return {Code::invalid_argument, "is not a stream socket"};
  }
  const int family = get_option(fd, SOL_SOCKET, SO_DOMAIN);
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
    return {Code::invalid_argument,
            "is of address family " + std::to_string(family) + ", neither IP nor Unix"};
  }
  if (get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1) {
    return {Code::invalid_argument, "does not listen"};
  }
  return set_flags(fd);
}

}  // namespace parley::net::impl
