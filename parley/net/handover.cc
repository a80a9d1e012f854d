#include "parley/net/handover.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "parley/base/fd.h"
#include "parley/net/impl/inheritance.h"
#include "parley/net/impl/listening_socket.h"
#include "parley/net/impl/socket.h"
#include "parley/rt/pollable.h"

namespace parley::net {
namespace {

// A hand-over is: these 8 bytes, the number of listeners and the bytes of their names (4 bytes
// each, big end first), with which the descriptors travel; then the names, each behind its length
// in one byte. The answer is the number of bytes (one byte) of the reason why they were refused,
// and the reason: 0 when they were taken.
constexpr std::string_view magic = "PARLEYL1";
constexpr std::size_t head_size = magic.size() + 8;
constexpr std::size_t longest_reason = 255;

using Head = std::array<char, head_size>;

struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * max_handed_listeners)> bytes{};
};

void put_number(char* at, std::size_t number) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(number >> (8 * (3 - i)) & 0xff);
}

std::size_t number_at(const char* at) {
  std::size_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(at[i]);
  return number;
}

[[gnu::noinline]] Result<Fd> second_descriptor(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return errno_status(errno, "hand over listeners");
  return copy;
}

Status check_passage(const Stream& stream) {
  if (stream.local_address().network == "unix" && stream.descriptor() >= 0) return {};
  return {Code::invalid_argument, "listeners pass over a Unix socket only, this stream is " +
                                      stream.local_address().to_string()};
}

// The stream's socket under a descriptor of its own, so that it can be waited for beside the
// stream.
struct Passage {
  Fd fd;
  rt::Pollable pollable;  // ends its watch before fd is closed

  Status open(const Stream& stream) {
    auto copy = second_descriptor(stream.descriptor());
    if (!copy) return copy.error();
    fd = *std::move(copy);
    return pollable.watch(fd.get());
  }
};

Status send_head(const Stream& to, const Head& head, const std::vector<int>& descriptors,
                 rt::Deadline deadline) {
  Passage passage;
  if (Status s = passage.open(to); !s.is_ok()) return s;
  Control control;
  iovec part{.iov_base = const_cast<char*>(head.data()), .iov_len = head.size()};  // only read
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
  for (;;) {
    const auto sent = impl::send_message(passage.fd.get(), message);
    if (!sent) return sent.error();
    // So few bytes go whole or not at all: one buffer of the kernel holds them.
    if (*sent != impl::would_block) return {};
    if (Status s = passage.pollable.wait_writable(deadline); !s.is_ok()) return s;
  }
}

// Puts the descriptors that came into `found`, whatever the return says.
Status receive_head(const Stream& from, Head& head, std::vector<Fd>& found, rt::Deadline deadline) {
  Passage passage;
  if (Status s = passage.open(from); !s.is_ok()) return s;
  Control control;
  iovec part{.iov_base = head.data(), .iov_len = head.size()};
  msghdr message{};
  long size = impl::would_block;
  while (size == impl::would_block) {
    message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const auto received = impl::receive_message(passage.fd.get(), message, 0);
    if (!received) return received.error();
    size = *received;
    if (size != impl::would_block) break;
    if (Status s = passage.pollable.wait_readable(deadline); !s.is_ok()) return s;
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      found.emplace_back(fd);
    }
  }
  if (size == 0) return {Code::data_loss, "the other side finished without handing over"};
  if (static_cast<std::size_t>(size) < head.size()) {
    return {Code::invalid_argument, "what came is no hand-over of listeners"};
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return {Code::resource_exhausted,
            "not all descriptors could be taken: too many, or the limit (ulimit -n) is reached"};
  }
  return {};
}

Status read_whole(Stream& from, std::span<char> into, rt::Deadline deadline) {
  while (!into.empty()) {
    const auto size = from.read(into, deadline);
    if (!size) return size.error();
    if (*size == 0) return {Code::data_loss, "the other side finished inside a hand-over"};
    into = into.subspan(*size);
  }
  return {};
}

// The names behind a head that was checked.
Result<std::vector<std::string>> read_names(Stream& from, std::size_t count, std::size_t bytes,
                                            rt::Deadline deadline) {
  std::string text(bytes, '\0');
  if (Status s = read_whole(from, text, deadline); !s.is_ok()) return s;
  std::vector<std::string> names;
  std::string_view rest = text;
  while (!rest.empty() && names.size() < count) {
    const std::size_t size = static_cast<unsigned char>(rest.front());
    if (size > rest.size() - 1) break;
    const std::string_view name = rest.substr(1, size);
    if (Status s = impl::check_listener_name(name); !s.is_ok()) return s;
    names.emplace_back(name);
    rest.remove_prefix(1 + size);
  }
  if (names.size() != count || !rest.empty()) {
    return Status(Code::invalid_argument, "the names of a hand-over do not fit its head");
  }
  return names;
}

// The file of a Unix socket that is now this process's to remove.
impl::SocketFile file_of(int fd) {
  const Address address = impl::local_address_of(fd);
  const bool has_file = address.network == "unix" && address.host.starts_with('/');
  return has_file ? impl::SocketFile(address.host) : impl::SocketFile();
}

Result<std::vector<NamedListener>> take(Stream& from, rt::Deadline deadline) {
  Head head{};
  std::vector<Fd> descriptors;
  if (Status s = receive_head(from, head, descriptors, deadline); !s.is_ok()) return s;
  const std::size_t count = number_at(head.data() + magic.size());
  const std::size_t name_bytes = number_at(head.data() + magic.size() + 4);
  if (std::string_view(head.data(), magic.size()) != magic || count != descriptors.size() ||
      count == 0 || name_bytes > count * (1 + max_listener_name)) {
    return Status(Code::invalid_argument, "what came is no hand-over of listeners");
  }
  auto names = read_names(from, count, name_bytes, deadline);
  if (!names) return names.error();
  for (std::size_t i = 0; i < count; ++i) {
    if (Status s = impl::check_listening(descriptors[i].get()); !s.is_ok()) {
      return Status(s.code(), "listener \"" + (*names)[i] + "\": the descriptor " + s.message());
    }
  }
  std::vector<NamedListener> taken;
  for (std::size_t i = 0; i < count; ++i) {
    impl::SocketFile file = file_of(descriptors[i].get());
    auto listener = impl::make_listener(std::move(descriptors[i]), std::move(file), true);
    if (!listener) {
      for (const NamedListener& other : taken) other.listener->set_shared();
      return listener.error();
    }
    taken.push_back({std::move((*names)[i]), *std::move(listener)});
  }
  return taken;
}

Status await_answer(Stream& to, rt::Deadline deadline) {
  char size = 0;
  if (Status s = read_whole(to, {&size, 1}, deadline); !s.is_ok()) return s;
  if (size == 0) return {};
  std::string reason(static_cast<unsigned char>(size), '\0');
  if (Status s = read_whole(to, reason, deadline); !s.is_ok()) return s;
  return Status(Code::failed_precondition, "hand over listeners: the other side refused them")
      .with_cause(reason);
}

}  // namespace

Status send_listeners(Stream& to, std::span<const ListenerToSend> listeners,
                      rt::Deadline deadline) {
  if (Status s = check_passage(to); !s.is_ok()) return s;
  if (listeners.empty() || listeners.size() > max_handed_listeners) {
    return {Code::invalid_argument, "hand over listeners: " + std::to_string(listeners.size()) +
                                        " of them, from 1 to " +
                                        std::to_string(max_handed_listeners) + " are possible"};
  }
  std::string names;
  std::vector<int> descriptors;
  for (const ListenerToSend& one : listeners) {
    if (Status s = impl::check_listener_name(one.name); !s.is_ok()) return s;
    if (one.listener->descriptor() < 0) {
      return {Code::invalid_argument, "hand over listeners: \"" + std::string(one.name) +
                                          "\" has no descriptor of its own"};
    }
    descriptors.push_back(one.listener->descriptor());
    names += static_cast<char>(one.name.size());
    names += one.name;
  }
  Head head{};
  magic.copy(head.data(), magic.size());
  put_number(head.data() + magic.size(), listeners.size());
  put_number(head.data() + magic.size() + 4, names.size());
  const Status begun = send_head(to, head, descriptors, deadline);
  Status status = begun.is_ok() ? to.write(names, deadline) : begun;
  // Who cannot take them may have said so, and gone, before it read all.
  if (status.is_ok() || status.code() == Code::unavailable) {
    const Status answer = await_answer(to, deadline);
    if (status.is_ok() || answer.code() == Code::failed_precondition) status = answer;
  }
  if (!begun.is_ok() && status == begun) return begun.with_context("hand over listeners");
  if (status.code() != Code::failed_precondition) {
    for (const ListenerToSend& one : listeners) one.listener->set_shared();
  }
  return status;
}

Result<std::vector<NamedListener>> receive_listeners(Stream& from, rt::Deadline deadline) {
  if (Status s = check_passage(from); !s.is_ok()) return s;
  auto taken = take(from, deadline);
  if (taken) {
    // An answer that does not arrive leaves the sender in doubt, not us.
    (void)from.write(std::string_view("\0", 1), deadline);
    return taken;
  }
  const Status status = taken.error().with_context("take over listeners");
  const std::string reason = status.message().substr(0, longest_reason);
  std::string answer(1, static_cast<char>(reason.size()));
  (void)from.write(answer + reason, deadline);
  return status;
}

Result<std::vector<NamedListener>> inherited_listeners() {
  const auto names = impl::read_inheritance(std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDS"),
                                            std::getenv("LISTEN_FDNAMES"), ::getpid());
  if (!names) return names.error();
  // All of them before the first is taken: what is not a listener may be somebody else's.
  for (std::size_t i = 0; i < names->size(); ++i) {
    const int fd = impl::first_inherited + static_cast<int>(i);
    if (Status s = impl::check_listening(fd); !s.is_ok()) {
      return Status(s.code(), "inherited listener \"" + (*names)[i] + "\": descriptor " +
                                  std::to_string(fd) + " " + s.message());
    }
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  std::vector<NamedListener> taken;
  for (std::size_t i = 0; i < names->size(); ++i) {
    auto listener = impl::make_listener(Fd(impl::first_inherited + static_cast<int>(i)), {}, true);
    if (!listener) return listener.error();
    taken.push_back({(*names)[i], *std::move(listener)});
  }
  return taken;
}

}  // namespace parley::net
