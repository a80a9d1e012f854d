#include <algorithm>
#include <cerrno>
#include <utility>

#include "parley/base/fd.h"
#include "parley/net/impl/options.h"
#include "parley/net/impl/sim_state.h"
#include "parley/net/impl/socket.h"

namespace parley::net::impl {
namespace {

// Ports that nobody asked for by number (Linux: net.ipv4.ip_local_port_range).
constexpr std::uint16_t first_free_port = 32'768;
constexpr std::uint16_t last_free_port = 60'999;

bool is_loopback(const Address& address) {
  return address.host.starts_with("127.") || address.host == "::1";
}
bool is_any(const Address& address) { return address.host == "0.0.0.0" || address.host == "::"; }
bool is_own(const SimHost& host, const Address& address) {
  return is_loopback(address) || address.host == host.ipv4 || address.host == host.ipv6;
}

// Whether who listens on `own` takes what is sent to `address`, a numeric one without wildcard.
bool takes(const Address& own, bool v6_only, const Address& address) {
  if (own.network != address.network || own.port != address.port) return false;
  if (own.host == address.host) return true;
  if (own.network == "unix" || !is_any(own)) return false;
  return is_ipv6(own) == is_ipv6(address) || (is_ipv6(own) && !v6_only);
}

bool overlap(const SimListening& listening, const Address& address, const ListenOptions& options) {
  if (listening.options.reuse_port && options.reuse_port) return false;
  return takes(listening.address, listening.options.v6_only, address) ||
         takes(address, options.v6_only, listening.address);
}

Status check(const Address& address, const ListenOptions& options) {
  if (address.network != "tcp" && address.network != "unix") {
    return {Code::invalid_argument, "a listener takes tcp and unix addresses"};
  }
  if (address.network == "tcp" && !address.is_numeric()) {
    return {Code::invalid_argument, "a listener takes a numeric address or localhost, not a name"};
  }
  return apply(options, no_socket, address);
}

}  // namespace

// Refuses nodes that are down, and fibers of a life that has ended.
Status SimState::usable(const SimHost& host) const {
  if (ended_) return {Code::unavailable, "the simulated world has ended"};
  if (!host.up) return {Code::unavailable, "node " + host.name + " is down"};
  const rt::Context context = rt::Context::current();
  const auto* life = context.value<SimLife>();
  if (life == nullptr || life->host != &host || life->number == host.life) return {};
  return {Code::unavailable, "node " + host.name + " was restarted; this fiber is from before"};
}

Result<std::uint16_t> SimState::free_port(SimHost& host) const {
  const auto is_taken = [&host](std::uint16_t port) {
    return host.dial_ports.contains(port) ||
           std::any_of(host.listeners.begin(), host.listeners.end(),
                       [port](const SimListeningRef& one) { return one->address.port == port; });
  };
  for (int tries = 0; tries <= last_free_port - first_free_port; ++tries) {
    if (host.next_port < first_free_port || host.next_port > last_free_port) {
      host.next_port = first_free_port;
    }
    const std::uint16_t port = host.next_port++;
    if (!is_taken(port)) return port;
  }
  return errno_status(EADDRNOTAVAIL, "find a free port");
}

Result<SimListeningRef> SimState::listen(SimHost& host, const Address& address,
                                         const ListenOptions& options) {
  Address own = address.as_numbers();
  if (Status s = check(own, options); !s.is_ok()) return s;
  const std::lock_guard lock(mutex_);
  if (Status s = usable(host); !s.is_ok()) return s;
  if (own.network == "tcp") {
    if (!is_own(host, own) && !is_any(own)) {
      return bind_error(EADDRNOTAVAIL, own);
    }
    if (own.port == 0) {
      const auto port = free_port(host);
      if (!port) return port.error();
      own.port = *port;
    }
  }
  for (const SimListeningRef& one : host.listeners) {
    if (overlap(*one, own, options)) return bind_error(EADDRINUSE, own);
  }
  auto listening = std::make_shared<SimListening>();
  listening->host = &host;
  listening->address = own;
  listening->options = options;
  host.listeners.push_back(listening);
  return listening;
}

SimListeningRef SimState::listener_at(const SimHost& host, const Address& address) {
  std::vector<SimListeningRef> exact;
  std::vector<SimListeningRef> any;
  for (const SimListeningRef& one : host.listeners) {
    if (!takes(one->address, one->options.v6_only, address)) continue;
    (one->address.host == address.host ? exact : any).push_back(one);
  }
  const std::vector<SimListeningRef>& found = exact.empty() ? any : exact;
  if (found.empty()) return nullptr;
  return found[random_.below(found.size())];  // several with reuse_port
}

Result<SimState::Target> SimState::target_of(SimHost& from, const Address& named) {
  const Address address = named.as_numbers();
  if (address.network == "unix") return Target{&from, address};
  Target target{nullptr, address};
  if (!address.is_numeric()) {
    for (SimHost& host : hosts_) {
      if (host.name != address.host) continue;
      target.host = &host;
      target.address.host = host.ipv4;
      return target;
    }
    return Status(Code::not_found, "no node of the simulated world has this name");
  }
  if (is_any(address)) target.address.host = is_ipv6(address) ? "::1" : "127.0.0.1";
  if (is_loopback(target.address)) {
    target.host = &from;
    return target;
  }
  for (SimHost& host : hosts_) {
    if (is_own(host, address)) target.host = &host;
  }
  if (target.host == nullptr) return errno_status(EHOSTUNREACH, "connect");
  return target;
}

Result<Address> SimState::local_of(SimHost& host, const Target& target,
                                   const DialOptions& options) {
  if (Status s = apply(options, no_socket, target.address); !s.is_ok()) return s;
  if (target.address.network == "unix") {
    return options.bind.value_or(Address{.network = "unix", .host = {}, .port = 0});
  }
  Address local{.network = "tcp", .host = is_ipv6(target.address) ? host.ipv6 : host.ipv4};
  if (is_loopback(target.address)) local.host = target.address.host;
  if (options.bind) {
    const Address bind = options.bind->as_numbers();
    if (!is_any(bind)) {
      if (!is_own(host, bind)) return bind_error(EADDRNOTAVAIL, bind).with_context("option bind");
      local.host = bind.host;
    }
    if (host.dial_ports.contains(bind.port)) {
      return bind_error(EADDRINUSE, bind).with_context("option bind");
    }
    local.port = bind.port;
  }
  if (local.port == 0) {
    const auto port = free_port(host);
    if (!port) return port.error();
    local.port = *port;
  }
  return local;
}

SimConnectionRef SimState::connect(SimHost& host, const Target& target, const Address& local,
                                   const StreamOptions& options) {
  auto connection = std::make_shared<SimConnection>();
  connection->id = ++last_connection_;
  connection->dialled_from = local.port;
  if (local.port != 0) host.dial_ports.insert(local.port);
  SimEnd& here = connection->ends[0];
  SimEnd& there = connection->ends[1];
  here.host = &host;
  here.local = there.remote = local;
  here.remote = there.local = target.address;
  here.options = options;
  there.host = target.host;
  connections_.emplace(connection->id, connection);
  Duration soonest = Duration::max();
  const auto even_up_to_twice = [this](std::uint64_t mean) {
    return random_.between(0, mean > UINT64_MAX / 2 ? UINT64_MAX : 2 * mean);
  };
  for (SimEnd* end : {&here, &there}) {
    const LinkOptions& link = link_of(*end->host, end == &here ? *there.host : *here.host).options;
    if (link.mean_bytes_to_cut != 0) end->bytes_to_cut = even_up_to_twice(link.mean_bytes_to_cut);
    if (link.mean_time_to_cut.count() == 0) continue;
    const auto mean = static_cast<std::uint64_t>(link.mean_time_to_cut.count());
    soonest = std::min(soonest, Duration(static_cast<Duration::rep>(even_up_to_twice(mean))));
  }
  if (soonest != Duration::max()) {
    connection->cut_timer = plan(rt::now() + soonest, [this, connection] { cut(connection); });
  }
  return connection;
}

Result<SimConnectionRef> SimState::dial(SimHost& host, const Address& address,
                                        rt::Deadline deadline, const DialOptions& options) {
  if (address.network != "tcp" && address.network != "unix") {
    return Status(Code::invalid_argument, "a stream dials tcp and unix addresses");
  }
  std::unique_lock lock(mutex_);
  if (Status s = usable(host); !s.is_ok()) return s;
  if (connections_.size() >= options_.max_connections) {
    return Status(Code::resource_exhausted, "SimOptions::max_connections are open");
  }
  const auto target = target_of(host, address);
  if (!target) return target.error();
  const auto local = local_of(host, *target, options);
  if (!local) return local.error();
  ++counts_.dials;
  SimConnectionRef connection = connect(host, *target, *local, options.stream);
  SimEnd& end = connection->ends[0];
  send(connection, 0, {.kind = SimPacketKind::syn});
  const auto is_decided = [&end] {
    return end.state == SimEnd::State::established || end.error != 0 || !end.failure.is_ok();
  };
  const rt::Deadline patience = rt::Deadline::after(options_.connect_timeout);
  Status waited = end.writable.wait(lock, is_decided, std::min(deadline, patience));
  if (!end.failure.is_ok()) return end.failure;
  if (end.error != 0) return errno_status(end.error, "connect");
  if (waited.is_ok()) return connection;
  abandon(connection);
  if (rt::Context::current().is_done() || deadline.is_over()) return waited;
  return errno_status(ETIMEDOUT, "connect");
}

// Of a dial that gave up: it asks no more, and a late answer finds nobody.
void SimState::abandon(const SimConnectionRef& connection) {
  SimEnd& end = connection->ends[0];
  end.gone = true;
  if (connection->ends[1].state == SimEnd::State::opening) end.under_way.clear();
  break_end(connection, 0, ETIMEDOUT);
}

Result<SimConnectionRef> SimState::accept(SimListening& listening, rt::Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto is_ready = [&listening] { return listening.closed || !listening.queue.empty(); };
  const Status waited = listening.changed.wait(lock, is_ready, deadline);
  if (!listening.failure.is_ok()) return listening.failure;
  if (listening.closed) return Status(Code::unavailable, "the listener is closed");
  if (!waited.is_ok()) return waited;
  if (Status s = usable(*listening.host); !s.is_ok()) return s;
  SimConnectionRef connection = std::move(listening.queue.front());
  listening.queue.pop_front();
  ++listening.accepted;
  connection->listening = nullptr;
  return connection;
}

void SimState::close(const SimListeningRef& listening, const Status& why) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(listening->closed, true)) return;
  listening->failure = why;
  std::erase(listening->host->listeners, listening);
  for (const SimConnectionRef& one : std::exchange(listening->queue, {})) reset(one, 1);
  for (const std::uint64_t id : std::exchange(listening->half_open, {})) {
    const auto found = connections_.find(id);
    if (found != connections_.end()) reset(SimConnectionRef(found->second), 1);
  }
  listening->changed.broadcast();
}

}  // namespace parley::net::impl
