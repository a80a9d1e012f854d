// DnsChannel: c-ares, driven from outside: everything it waits for is gathered in one descriptor,
// which is readable when process() has work. One fiber uses it at a time (c-ares is not
// thread-safe), except for wake(). Private to net.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "parley/base/fd.h"
#include "parley/base/result.h"
#include "parley/net/impl/dns_reply.h"
#include "parley/net/impl/dns_socket.h"
#include "parley/net/resolver.h"
#include "parley/rt/deadline.h"

namespace parley::net::impl {

class DnsChannel final : private DnsWitness {
 public:
  using Done = std::function<void(DnsAnswer)>;

  static Result<std::unique_ptr<DnsChannel>> open(const ResolverOptions& options);
  // Calls every Done that is left with cancelled.
  ~DnsChannel() override;
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  // Readable when process() has work to do.
  [[nodiscard]] int fd() const { return ready_.get(); }
  // Makes fd() readable. From any fiber.
  void wake() const;

  // Calls `done` exactly once: from here, from process() or from the destructor.
  void ask(const DnsQuestion& question, Done done);
  // Does what is due. False when there is more: call again soon.
  [[nodiscard]] bool process();
  // When process() has to be called even if fd() is not readable.
  [[nodiscard]] rt::Deadline next_timeout() const;
  // "10.0.0.2:53, 10.0.0.3:53"
  [[nodiscard]] const std::string& servers() const { return servers_; }

 private:
  struct Asked;
  struct FreeChannel {
    void operator()(ares_channel channel) const { ares_destroy(channel); }
  };
  using Channel = std::unique_ptr<ares_channeldata, FreeChannel>;

  DnsChannel() = default;
  Status open_descriptors();
  Status open_channels(const ResolverOptions& options);
  Status set_servers(const ResolverOptions& options);
  void read_servers();

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
  static void on_reply(void* asked, int status, int timeouts, unsigned char* reply, int size);
  static void on_file(void* asked, int status, int timeouts, ares_addrinfo* found);
  void refused(const std::string& server, std::string_view why) override;
  void came_back(int fd) override;
  bool is_to_tell(int fd) override { return to_tell_.erase(fd) > 0; }
  void closed(int fd) override { to_tell_.erase(fd); }

  [[nodiscard]] bool ask_hosts_file(Asked& asked) const;
  [[nodiscard]] DnsAnswer answer_of(const Asked& asked, int status, std::string_view reply) const;
  [[nodiscard]] std::string refusals_since(Instant asked) const;

  struct Refusal {
    std::string why;
    Instant when;
  };

  Fd ready_;                                 // an epoll over c-ares' sockets and wake_
  Fd wake_;                                  // eventfd(2)
  std::map<std::string, Refusal> refusals_;  // of each server the last one
  std::set<int> to_tell_;                    // sockets whose next read is to fail
  std::string servers_;
  std::string patience_;       // "2 rounds of 5000 ms"
  bool cannot_watch_ = false;  // a socket could not be watched: queries time out
  Channel files_;
  Channel dns_;  // goes first: its destructor still closes sockets and calls back
};

}  // namespace parley::net::impl
