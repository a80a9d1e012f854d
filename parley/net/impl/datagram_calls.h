// The system calls that move batches of datagrams. Private to net.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "parley/net/datagram.h"

namespace parley::net::impl {

// The number of messages, or minus the errno value (EAGAIN: to be tried again when ready).
int send_batch(int fd, mmsghdr* messages, std::size_t count);
int receive_batch(int fd, mmsghdr* messages, std::size_t count);

// Up to max_batch messages to be sent, cut out of a list of Outgoing.
class SendBatch {
 public:
  // A place in the list: an entry, and how much of it went before.
  struct Place {
    std::size_t entry = 0;
    std::size_t offset = 0;
  };

  // Takes messages from `at` on; `offload`: segments are left to the kernel.
  void fill(std::span<const Outgoing> datagrams, Place at, bool offload);

  [[nodiscard]] mmsghdr* messages() { return messages_.data(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  // True when the kernel is asked to cut the first message.
  [[nodiscard]] bool first_is_cut() const { return messages_[0].msg_hdr.msg_controllen > 0; }
  // Where the list goes on once `sent` messages are out.
  [[nodiscard]] Place behind(std::size_t sent) const { return behind_[sent - 1]; }

 private:
  struct Control {
    alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof(std::uint16_t))> bytes{};
  };

  void add(const Outgoing& datagram, std::string_view part, bool cut);

  std::array<mmsghdr, max_batch> messages_{};
  std::array<iovec, max_batch> parts_{};
  std::array<Control, max_batch> controls_{};
  std::array<Place, max_batch> behind_{};
  std::size_t count_ = 0;
};

// The segment size of a message that the kernel joined of several; 0 for a single datagram.
std::size_t segment_of(const msghdr& message);

}  // namespace parley::net::impl
