// What the two halves of the floor share: u32 length prefix (the machine's byte order, the prefix
// not counted), non-blocking loopback sockets, one epoll, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/fd.h"
#include "parley/base/result.h"

namespace parley::bench {

inline constexpr std::size_t prefix_bytes = sizeof(std::uint32_t);

// A read must be able to bring every frame in flight on a connection, or the floor is no floor:
// four frames of 64 KiB and their prefixes are 16 bytes more than 256 KiB, so that a buffer of 256
// KiB always leaves a piece of the last frame for a second read (16 % dearer). 320 KiB has room.
inline constexpr std::size_t receive_buffer_bytes = 320 * 1024;

// Events taken from one epoll_wait.
inline constexpr std::size_t max_events = 64;

// The bytes of the whole frame at the front of `bytes`; 0 while its prefix is not all there.
inline std::size_t frame_bytes_at(std::string_view bytes) noexcept {
  std::uint32_t body = 0;
  if (bytes.size() < prefix_bytes) return 0;
  std::memcpy(&body, bytes.data(), prefix_bytes);
  return prefix_bytes + body;
}

// Puts `rest` (what the read before left over) at the front of `buffer`, reads once behind it and
// returns both; `rest` is empty then. Nothing to read: an empty view, `rest` as it was.
// out_of_range when the other side has closed; other errors as errno has them.
Result<std::string_view> read_once(int fd, std::string& rest, std::span<char> buffer);

// An epoll descriptor.
Result<Fd> make_epoll();
// Adds `fd` (EPOLL_CTL_ADD) or changes it (EPOLL_CTL_MOD); `data` comes back with its events.
Status watch(const Fd& epoll, int operation, int fd, std::uint32_t events, void* data);

// A listening socket on 127.0.0.1, a port of the kernel's choice, and its "127.0.0.1:PORT".
struct Listening {
  Fd socket;
  std::string address;
};
Result<Listening> listen_on_loopback();
// The next connection, non-blocking, without Nagle; an empty Fd when none waits.
Result<Fd> accept_from(const Fd& listener);
// A connection to "HOST:PORT" (numbers), non-blocking once it stands, without Nagle.
Result<Fd> connect_to(std::string_view address);

}  // namespace parley::bench
