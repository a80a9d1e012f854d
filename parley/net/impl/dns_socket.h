// The system calls c-ares makes, as ours: descriptors that do not block and are not inherited, no
// SIGPIPE, and a look at the replies c-ares keeps to itself. Private to net.
#pragma once

#include <string>
#include <string_view>

#include "parley/net/impl/dns_ares.h"

namespace parley::net::impl {

// Hears what c-ares drops: it takes a server's refusal as a reason to ask the next one, and tells
// in the end only that all failed.
class DnsWitness {
 public:
  virtual ~DnsWitness() = default;
  // `server` answered with an error: "SERVFAIL".
  virtual void refused(const std::string& server, std::string_view why) = 0;
  // A query sent on `fd` earlier came back: nobody listens there. To be told to c-ares by a read.
  virtual void came_back(int fd) = 0;
  // Whether the next read of `fd` is to tell it; then it is told.
  virtual bool is_to_tell(int fd) = 0;
  virtual void closed(int fd) = 0;
};

// For ares_set_socket_functions; the user data is a DnsWitness*.
extern const ares_socket_functions dns_socket_functions;

// "127.0.0.1:53", "[::1]:53"; empty for another family.
std::string dns_server_text(int family, const void* address, int port);

}  // namespace parley::net::impl
