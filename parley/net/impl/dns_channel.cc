#include "parley/net/impl/dns_channel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "parley/net/impl/dns_conf.h"

namespace parley::net::impl {
namespace {

constexpr int events_per_round = 16;
constexpr int rounds_per_process = 8;  // then others have their turn
constexpr std::uint16_t dns_port = 53;
constexpr std::chrono::milliseconds default_timeout{5000};  // resolv.conf(5)
constexpr int default_tries = 2;
constexpr std::size_t max_refusals = 64;  // servers whose last refusal is remembered

[[gnu::noinline]] Status watch(int epoll, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0) return {};
  if (errno == ENOENT && ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return errno_status(errno, "watch a socket to a DNS server");
}

[[gnu::noinline]] void unwatch(int epoll, int fd) {
  ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
}

Status refuse_server(const std::string& text) {
  return {Code::invalid_argument,
          "DNS server \"" + text +
              "\": write a numeric address with or without a port, as 10.0.0.2, 10.0.0.2:5353 or "
              "[fd00::2]:53"};
}

// "10.0.0.2", "10.0.0.2:5353", "fd00::2", "[fd00::2]:53".
Result<ares_addr_port_node> parse_server(const std::string& text) {
  std::string host = text;
  std::string port;
  const std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string::npos) return refuse_server(text);
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':' || end + 2 == text.size()) return refuse_server(text);
      port = text.substr(end + 2);
    }
  } else if (colon != std::string::npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return refuse_server(text);
  }
  ares_addr_port_node node{};
  if (::inet_pton(AF_INET, host.c_str(), &node.addr.addr4) == 1) {
    node.family = AF_INET;
  } else if (::inet_pton(AF_INET6, host.c_str(), &node.addr.addr6) == 1) {
    node.family = AF_INET6;
  } else {
    return refuse_server(text);
  }
  std::uint16_t number = dns_port;
  const auto end = std::from_chars(port.data(), port.data() + port.size(), number);
  if (!port.empty() && (end.ec != std::errc() || end.ptr != port.data() + port.size())) {
    return refuse_server(text);
  }
  if (number == 0) return refuse_server(text);
  node.udp_port = node.tcp_port = number;
  return node;
}

Status status_of_library(int error, const std::string& what) {
  const Code code = error == ARES_ENOMEM ? Code::resource_exhausted : Code::internal;
  return {code, what + ": c-ares says \"" + ares_strerror(error) + "\""};
}

}  // namespace

// What c-ares hands back to us with the answer. Owned by c-ares from asking to answering.
struct DnsChannel::Asked {
  const DnsChannel* channel;
  DnsQuestion question;
  Done done;
  Instant since;
  // Of the hosts file.
  bool is_in_file = false;
  std::vector<std::string> hosts;
};

Result<std::unique_ptr<DnsChannel>> DnsChannel::open(const ResolverOptions& options) {
  std::unique_ptr<DnsChannel> channel(new DnsChannel);
  if (Status s = channel->open_descriptors(); !s.is_ok()) return s;
  if (Status s = channel->open_channels(options); !s.is_ok()) return s;
  if (Status s = channel->set_servers(options); !s.is_ok()) return s;
  channel->read_servers();
  return channel;
}

DnsChannel::~DnsChannel() { dns_.reset(); }

[[gnu::noinline]] Status DnsChannel::open_descriptors() {
  ready_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!ready_) return errno_status(errno, "open a poller for DNS");
  wake_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_) return errno_status(errno, "open an event for DNS");
  return watch(ready_.get(), wake_.get(), EPOLLIN);
}

Status DnsChannel::open_channels(const ResolverOptions& options) {
  const ResolvConf conf = parse_resolv_conf(read_resolv_conf(options.resolv_conf));
  std::chrono::milliseconds timeout = default_timeout;
  if (conf.timeout_s) timeout = std::chrono::seconds(*conf.timeout_s);
  if (options.timeout) timeout = *options.timeout;

  std::string path = options.resolv_conf;
  std::string lookups = "b";  // DNS; "f" is the hosts file
  ares_options settings{};
  settings.flags = ARES_FLAG_NOALIASES;  // HOSTALIASES names a file to be read at each query
  settings.timeout = static_cast<int>(timeout.count());
  settings.tries = options.tries.value_or(conf.attempts.value_or(default_tries));
  settings.lookups = lookups.data();
  settings.resolvconf_path = path.data();
  settings.sock_state_cb = &DnsChannel::on_socket;
  settings.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                   ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
  ares_channel channel = nullptr;
  if (const int error = ares_init_options(&channel, &settings, mask); error != ARES_SUCCESS) {
    return status_of_library(error, "prepare DNS with " + options.resolv_conf);
  }
  dns_.reset(channel);
  ares_set_socket_functions(dns_.get(), &dns_socket_functions, static_cast<DnsWitness*>(this));

  lookups = "f";
  if (const int error = ares_init_options(&channel, &settings, mask); error != ARES_SUCCESS) {
    return status_of_library(error, "prepare the hosts file");
  }
  files_.reset(channel);
  patience_ = std::to_string(settings.tries) + (settings.tries == 1 ? " round" : " rounds") +
              " of " + std::to_string(timeout.count()) + " ms";
  return {};
}

Status DnsChannel::set_servers(const ResolverOptions& options) {
  if (options.servers.empty()) return {};
  std::vector<ares_addr_port_node> nodes;
  nodes.reserve(options.servers.size());
  for (const std::string& text : options.servers) {
    auto node = parse_server(text);
    if (!node) return node.error();
    nodes.push_back(*node);
    if (nodes.size() > 1) nodes[nodes.size() - 2].next = &nodes.back();  // reserved: stays put
  }
  const int error = ares_set_servers_ports(dns_.get(), nodes.data());
  return error == ARES_SUCCESS ? Status() : status_of_library(error, "set the DNS servers");
}

void DnsChannel::read_servers() {
  ares_addr_port_node* list = nullptr;
  if (ares_get_servers_ports(dns_.get(), &list) != ARES_SUCCESS) return;
  for (const ares_addr_port_node* node = list; node != nullptr; node = node->next) {
    if (!servers_.empty()) servers_ += ", ";
    servers_ +=
        dns_server_text(node->family, &node->addr, node->udp_port == 0 ? dns_port : node->udp_port);
  }
  ares_free_data(list);
}

[[gnu::noinline]] void DnsChannel::wake() const {
  // Fails only when the counter is at its end: then it is readable anyway.
  [[maybe_unused]] const int error = ::eventfd_write(wake_.get(), 1);
}

void DnsChannel::on_socket(void* self, ares_socket_t fd, int readable, int writable) {
  auto& channel = *static_cast<DnsChannel*>(self);
  if (readable == 0 && writable == 0) {
    unwatch(channel.ready_.get(), fd);
    return;
  }
  const std::uint32_t events = (readable != 0 ? std::uint32_t{EPOLLIN} : 0U) |
                               (writable != 0 ? std::uint32_t{EPOLLOUT} : 0U);
  channel.cannot_watch_ = !watch(channel.ready_.get(), fd, events).is_ok();
}

void DnsChannel::refused(const std::string& server, std::string_view why) {
  if (refusals_.size() >= max_refusals && !refusals_.contains(server)) refusals_.clear();
  refusals_[server] = {std::string(why), rt::now()};
}

void DnsChannel::came_back(int fd) {
  to_tell_.insert(fd);
  wake();
}

void DnsChannel::ask(const DnsQuestion& question, Done done) {
  auto asked = std::make_unique<Asked>();
  asked->channel = this;
  asked->question = question;
  asked->done = std::move(done);
  asked->since = rt::now();
  const bool is_host = question.type == DnsType::a || question.type == DnsType::aaaa;
  if (is_host && ask_hosts_file(*asked)) {
    DnsAnswer answer;
    answer.hosts = std::move(asked->hosts);
    if (answer.hosts.empty()) {
      answer.status = Status(Code::not_found, "look up " + question.to_string() +
                                                  ": the hosts file has an address of the other "
                                                  "family only");
    }
    asked->done(std::move(answer));
    return;
  }
  // C_IN and the numbers of types stand in RFC 1035, 3.2.4 and 3.2.2.
  constexpr int class_internet = 1;
  ares_search(dns_.get(), question.name.c_str(), class_internet, static_cast<int>(question.type),
              &DnsChannel::on_reply, asked.release());
}

// True when the hosts file knows the name: then it alone decides, for both families, as nsswitch's
// "files dns" has it.
bool DnsChannel::ask_hosts_file(Asked& asked) const {
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT | ARES_AI_ENVHOSTS;
  hints.ai_family = AF_UNSPEC;
  std::string name = asked.question.name;
  if (name.ends_with('.')) name.pop_back();
  // With "f" as its only source c-ares answers before it returns.
  ares_getaddrinfo(files_.get(), name.c_str(), nullptr, &hints, &DnsChannel::on_file, &asked);
  return asked.is_in_file;
}

void DnsChannel::on_file(void* asked, int status, int /*timeouts*/, ares_addrinfo* found) {
  if (status != ARES_SUCCESS) return;
  auto& mine = *static_cast<Asked*>(asked);
  const int family = mine.question.type == DnsType::a ? AF_INET : AF_INET6;
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
    mine.is_in_file = true;
    if (node->ai_family != family || mine.hosts.size() >= max_dns_records) continue;
    if (family == AF_INET) {
      sockaddr_in ipv4{};
      std::memcpy(&ipv4, node->ai_addr, sizeof ipv4);
      add_host(mine.hosts, family, &ipv4.sin_addr);
    } else {
      sockaddr_in6 ipv6{};
      std::memcpy(&ipv6, node->ai_addr, sizeof ipv6);
      add_host(mine.hosts, family, &ipv6.sin6_addr);
    }
  }
  ares_freeaddrinfo(found);
}

void DnsChannel::on_reply(void* asked, int status, int /*timeouts*/, unsigned char* reply,
                          int size) {
  const std::unique_ptr<Asked> mine(static_cast<Asked*>(asked));
  const std::string_view text(reinterpret_cast<const char*>(reply),
                              reply == nullptr ? 0 : static_cast<std::size_t>(size));
  mine->done(mine->channel->answer_of(*mine, status, text));
}

std::string DnsChannel::refusals_since(Instant asked) const {
  std::string text;
  for (const auto& [server, refusal] : refusals_) {
    if (refusal.when >= asked) text += (text.empty() ? "" : ", ") + server + " " + refusal.why;
  }
  return text;
}

DnsAnswer DnsChannel::answer_of(const Asked& asked, int status, std::string_view reply) const {
  if (status == ARES_SUCCESS || (status == ARES_ENODATA && !reply.empty())) {
    DnsAnswer answer = parse_dns_reply(asked.question, reply);
    if (answer.status.code() != Code::data_loss) return answer;
    status = ARES_EBADRESP;
  }
  const std::string what = "look up " + asked.question.to_string() + ": ";
  const auto fail = [&](Code code, const std::string& why) {
    DnsAnswer answer;
    answer.status = Status(code, what + why);
    answer.is_kept = code == Code::not_found;
    return answer;
  };
  switch (status) {
    case ARES_ENOTFOUND:
      return fail(Code::not_found, "no such name (NXDOMAIN), by the word of " + servers_ +
                                       "; check its spelling and the search list");
    case ARES_ENODATA:
      return fail(Code::not_found, "the name exists, but has no " +
                                       std::string(name_of(asked.question.type)) + " record");
    case ARES_EBADNAME:
      return fail(Code::invalid_argument, "this is not a name that DNS can carry");
    case ARES_ENOMEM:
      return fail(Code::resource_exhausted, "no memory left");
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
      return fail(Code::cancelled, "the resolver is closed");
    case ARES_EBADRESP:
    case ARES_EFORMERR:
      return fail(Code::unavailable, "a malformed reply from " + servers_ + "; ask another server");
    case ARES_ETIMEOUT:
      if (cannot_watch_) {
        return fail(Code::resource_exhausted, "the poller takes no more descriptors; see epoll(7)");
      }
      return fail(Code::unavailable, "no answer from " + servers_ + " within " + patience_ +
                                         "; check that it runs and can be reached");
    default:
      break;
  }
  const std::string refusals = refusals_since(asked.since);
  if (!refusals.empty()) {
    return fail(Code::unavailable,
                "no server gave an answer: " + refusals + "; try again later or another server");
  }
  return fail(Code::unavailable, "cannot reach " + servers_ + " (" + ares_strerror(status) +
                                     "); check that a DNS server runs there");
}

namespace {

using Events = std::array<epoll_event, events_per_round>;

[[gnu::noinline]] int ready_events(int epoll, Events& events) {
  return ::epoll_wait(epoll, events.data(), events_per_round, 0);
}

[[gnu::noinline]] void drain(int event) {
  eventfd_t value = 0;
  [[maybe_unused]] const int error = ::eventfd_read(event, &value);
}

}  // namespace

bool DnsChannel::process() {
  bool is_done = false;
  for (int round = 0; round < rounds_per_process && !is_done; ++round) {
    Events events{};
    const int count = ready_events(ready_.get(), events);
    is_done = count <= 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wake_.get()) {
        drain(wake_.get());
        continue;
      }
      const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
      const bool readable = broken || (event.events & EPOLLIN) != 0;
      const bool writable = broken || (event.events & EPOLLOUT) != 0;
      ares_process_fd(dns_.get(), readable ? event.data.fd : ARES_SOCKET_BAD,
                      writable ? event.data.fd : ARES_SOCKET_BAD);
    }
  }
  // A copy: what it makes c-ares do changes the set.
  for (const int fd : std::set<int>(to_tell_)) ares_process_fd(dns_.get(), fd, ARES_SOCKET_BAD);
  ares_process_fd(dns_.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // timeouts
  return is_done;
}

rt::Deadline DnsChannel::next_timeout() const {
  timeval buffer{};
  const timeval* left = ares_timeout(dns_.get(), nullptr, &buffer);
  if (left == nullptr) return rt::Deadline::never();
  return rt::Deadline::after(std::chrono::seconds(left->tv_sec) +
                             std::chrono::microseconds(left->tv_usec));
}

}  // namespace parley::net::impl
