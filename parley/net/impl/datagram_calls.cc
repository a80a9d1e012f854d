#include "parley/net/impl/datagram_calls.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>

namespace parley::net::impl {
namespace {

// Payload of one message that the kernel cuts: it must fit an IP packet with its headers.
constexpr std::size_t largest_cut = 65'000;

}  // namespace

[[gnu::noinline]] int send_batch(int fd, mmsghdr* messages, std::size_t count) {
  for (;;) {
    const int sent = ::sendmmsg(fd, messages, static_cast<unsigned>(count), MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

[[gnu::noinline]] int receive_batch(int fd, mmsghdr* messages, std::size_t count) {
  for (;;) {
    const int received =
        ::recvmmsg(fd, messages, static_cast<unsigned>(count), MSG_CMSG_CLOEXEC, nullptr);
    if (received >= 0) return received;
    if (errno != EINTR) return -errno;
  }
}

void SendBatch::add(const Outgoing& datagram, std::string_view part, bool cut) {
  // The kernel only reads what these point to.
  parts_[count_] = {const_cast<char*>(part.data()), part.size()};
  msghdr& message = messages_[count_].msg_hdr;
  message = {};
  const auto to = datagram.to.raw();
  message.msg_name = to.empty() ? nullptr : const_cast<unsigned char*>(to.data());
  message.msg_namelen = static_cast<socklen_t>(to.size());
  message.msg_iov = &parts_[count_];
  message.msg_iovlen = 1;
  if (cut) {
    Control& control = controls_[count_];
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto segment = static_cast<std::uint16_t>(datagram.segment);
    std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
  }
  ++count_;
}

void SendBatch::fill(std::span<const Outgoing> datagrams, Place at, bool offload) {
  count_ = 0;
  while (count_ < max_batch && at.entry < datagrams.size()) {
    const Outgoing& datagram = datagrams[at.entry];
    const std::string_view rest = datagram.payload.substr(at.offset);
    std::size_t size = rest.size();
    if (datagram.segment > 0) {
      // A segment longer than a cut can be goes alone, and fails where it is too long.
      const std::size_t together =
          std::clamp<std::size_t>(largest_cut / datagram.segment, 1, offload ? max_segments : 1);
      size = std::min(size, together * datagram.segment);
    }
    add(datagram, rest.substr(0, size), datagram.segment > 0 && size > datagram.segment);
    at.offset += size;
    if (at.offset == datagram.payload.size()) at = {at.entry + 1, 0};
    behind_[count_ - 1] = at;
  }
}

std::size_t segment_of(const msghdr& message) {
  // CMSG_NXTHDR takes what it only reads as writable.
  auto* all = const_cast<msghdr*>(&message);
  for (cmsghdr* header = CMSG_FIRSTHDR(all); header != nullptr; header = CMSG_NXTHDR(all, header)) {
    if (header->cmsg_level != SOL_UDP || header->cmsg_type != UDP_GRO) continue;
    int segment = 0;
    std::memcpy(&segment, CMSG_DATA(header), sizeof segment);
    return segment > 0 ? static_cast<std::size_t>(segment) : 0;
  }
  return 0;
}

}  // namespace parley::net::impl
