#include "parley/net/impl/sim_state.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "parley/base/assert.h"

namespace parley::net::impl {
namespace {

constexpr std::size_t max_name = max_host_label;

void check(const LinkOptions& link) {
  PARLEY_ASSERT(link.latency >= Duration::zero(), "LinkOptions::latency: less than 0");
  PARLEY_ASSERT(link.jitter >= Duration::zero(), "LinkOptions::jitter: less than 0");
  PARLEY_ASSERT(link.max_packet >= 1, "LinkOptions::max_packet: at least 1 byte");
  PARLEY_ASSERT(link.mean_time_to_cut >= Duration::zero(),
                "LinkOptions::mean_time_to_cut: less than 0");
}

void check(const SimOptions& options) {
  const auto is_chance = [](double chance) { return chance >= 0 && chance <= 1; };
  check(options.link);
  check(options.loopback);
  PARLEY_ASSERT(is_chance(options.short_read_chance), "SimOptions::short_read_chance: 0 to 1");
  PARLEY_ASSERT(is_chance(options.short_write_chance), "SimOptions::short_write_chance: 0 to 1");
  PARLEY_ASSERT(options.send_buffer >= 1, "SimOptions::send_buffer: at least 1 byte");
  PARLEY_ASSERT(options.receive_buffer >= 1, "SimOptions::receive_buffer: at least 1 byte");
  PARLEY_ASSERT(options.connect_timeout > Duration::zero(), "SimOptions::connect_timeout: over 0");
  PARLEY_ASSERT(options.transfer_timeout > Duration::zero(),
                "SimOptions::transfer_timeout: over 0");
}

bool is_node_name(std::string_view name) {
  if (name.empty() || name.size() > max_name) return false;
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
  });
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  std::uint64_t state = hash ^ value;
  return split_mix(state);
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  hash = mix(hash, text.size());
  for (const char letter : text) hash = mix(hash, static_cast<unsigned char>(letter));
  return hash;
}

}  // namespace

SimState::SimState(const SimOptions& options)
    : options_(options),
      began_(rt::now()),
      random_(options.seed),
      scope_(rt::Context::background(), rt::OnExit::cancel) {
  check(options);
  scope_.go("sim world", [this] { drive(); });
}

void SimState::drive() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    if (agenda_.first() <= rt::now()) {
      agenda_.take_first()();
      continue;
    }
    const rt::Deadline next =
        agenda_.empty() ? rt::Deadline::never() : rt::Deadline::at(agenda_.first());
    const Status waited = agenda_changed_.wait(lock, next);
    if (!waited.is_ok() && rt::Context::current().is_done()) return;
  }
}

void SimState::record(std::string_view what, const SimHost& from, const SimHost* to,
                      std::uint64_t connection, std::size_t bytes) {
  const Duration at = rt::now() - began_;
  fingerprint_ = mix(fingerprint_, what);
  fingerprint_ = mix(fingerprint_, static_cast<std::uint64_t>(at.count()));
  fingerprint_ = mix(fingerprint_, from.number);
  fingerprint_ = mix(fingerprint_, to == nullptr ? 0 : to->number);
  fingerprint_ = mix(fingerprint_, connection);
  fingerprint_ = mix(fingerprint_, bytes);
  if (!options_.observer) return;
  options_.observer({.at = at,
                     .what = what,
                     .from = from.name,
                     .to = to == nullptr ? std::string_view() : std::string_view(to->name),
                     .connection = connection,
                     .bytes = bytes});
}

void SimState::begin_life(SimHost& host) {
  auto [context, cancel] = rt::Context::background().with_cancel();
  host.context = context.with_value(SimLife{.host = &host, .number = host.life});
  host.cancel.emplace(std::move(cancel));
}

SimNode& SimState::node(std::string_view name) {
  const std::lock_guard lock(mutex_);
  for (const SimHost& host : hosts_) {
    if (host.name == name) return *host.node;
  }
  PARLEY_ASSERT(is_node_name(name), "the name of a node is 1 to 63 of a-z, 0-9 and '-'");
  PARLEY_ASSERT(hosts_.size() < max_sim_nodes, "a SimWorld has at most max_sim_nodes nodes");
  PARLEY_ASSERT(!ended_, "the simulated world has ended");
  SimHost& host = hosts_.emplace_back();
  host.number = hosts_.size();
  host.name = name;
  constexpr std::size_t byte = 256;
  host.ipv4 =
      "10.0." + std::to_string(host.number / byte) + "." + std::to_string(host.number % byte);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string last;
  for (std::size_t rest = host.number; rest != 0; rest /= digits.size()) {
    last.insert(last.begin(), digits[rest % digits.size()]);
  }
  host.ipv6 = "fd00::" + last;
  host.node.reset(new SimNode(*this, host));
  begin_life(host);
  return *host.node;
}

SimHost& SimState::host_named(std::string_view name) {
  const auto found = std::find_if(hosts_.begin(), hosts_.end(),
                                  [name](const SimHost& host) { return host.name == name; });
  PARLEY_ASSERT(found != hosts_.end(), "no node of the simulated world has this name");
  return *found;
}

SimLink& SimState::link_of(const SimHost& from, const SimHost& to) {
  const auto [found, is_new] = links_.try_emplace({from.number, to.number});
  if (is_new) found->second.options = &from == &to ? options_.loopback : options_.link;
  return found->second;
}

// A machine without power takes nothing.
bool SimState::is_blocked(const SimHost& from, const SimHost& to) {
  return !to.powered || link_of(from, to).blocked;
}

void SimState::set_link(std::string_view from, std::string_view to, const LinkOptions& options) {
  check(options);
  const std::lock_guard lock(mutex_);
  link_of(host_named(from), host_named(to)).options = options;
}

std::vector<SimConnectionRef> SimState::connections_of(const SimHost& a, const SimHost* b) {
  std::vector<SimConnectionRef> found;
  for (const auto& [id, connection] : connections_) {
    const SimHost* first = connection->ends[0].host;
    const SimHost* second = connection->ends[1].host;
    const bool is_between = (first == &a && (b == nullptr || second == b)) ||
                            (second == &a && (b == nullptr || first == b));
    if (is_between) found.push_back(connection);
  }
  return found;
}

void SimState::set_blocked(SimHost& from, SimHost& to, bool blocked) {
  SimLink& link = link_of(from, to);
  if (link.blocked == blocked) return;
  link.blocked = blocked;
  link.free_at = rt::now();
  record(blocked ? "block" : "unblock", from, &to);
  for (const SimConnectionRef& one : connections_of(from, &to)) {
    link_changed(one);
    if (is_blocked(from, to)) continue;
    if (one->ends[0].host == &from) send_again(one, 0);
    if (one->ends[1].host == &from) send_again(one, 1);
  }
}

void SimState::set_blocked(std::string_view from, std::string_view to, bool blocked) {
  const std::lock_guard lock(mutex_);
  set_blocked(host_named(from), host_named(to), blocked);
}

void SimState::isolate(std::string_view name) {
  const std::lock_guard lock(mutex_);
  SimHost& host = host_named(name);
  for (SimHost& other : hosts_) {
    if (&other == &host) continue;
    set_blocked(host, other, true);
    set_blocked(other, host, true);
  }
}

void SimState::heal() {
  const std::lock_guard lock(mutex_);
  for (SimHost& from : hosts_) {
    for (SimHost& to : hosts_) set_blocked(from, to, false);
  }
}

std::size_t SimState::cut(std::string_view a, std::string_view b) {
  const std::lock_guard lock(mutex_);
  const auto found = connections_of(host_named(a), &host_named(b));
  for (const SimConnectionRef& one : found) cut(one);
  return found.size();
}

// What this end sent arrives up to a point. A dead process' kernel then resets.
void SimState::crash_end(const SimConnectionRef& connection, std::size_t side, Crash how) {
  SimEnd& end = connection->ends[side];
  end.failure = Status(Code::unavailable, "node " + end.host->name + " crashed");
  end.received = {};
  end.read_from = 0;
  if (!end.dead) {
    const auto kept = static_cast<std::ptrdiff_t>(random_.between(0, end.under_way.size()));
    end.under_way.erase(end.under_way.begin() + kept, end.under_way.end());
    break_end(connection, side, ECONNRESET);
    if (how == Crash::process) send(connection, side, {.kind = SimPacketKind::reset});
  }
  end.readable.broadcast();
  end.writable.broadcast();
}

void SimState::crash(std::string_view name, Crash how) {
  std::optional<rt::Cancel> cancel;
  std::vector<SimListeningRef> listeners;
  const Status why(Code::unavailable, "node " + std::string(name) + " crashed");
  {
    const std::lock_guard lock(mutex_);
    SimHost& host = host_named(name);
    if (!host.up) return;
    record("crash", host, nullptr);
    host.up = false;
    host.powered = how == Crash::process;
    cancel = std::exchange(host.cancel, std::nullopt);
    listeners = host.listeners;
    for (const SimConnectionRef& one : connections_of(host)) {
      for (const std::size_t side : {0U, 1U}) {
        if (one->ends[side].host == &host) crash_end(one, side, how);
      }
      link_changed(one);
    }
  }
  for (const SimListeningRef& one : listeners) close(one, why);
  if (cancel) (*cancel)(why);
}

void SimState::restart(std::string_view name) {
  const std::lock_guard lock(mutex_);
  SimHost& host = host_named(name);
  if (host.up) return;
  record("restart", host, nullptr);
  host.up = true;
  const bool was_silent = !std::exchange(host.powered, true);
  ++host.life;
  begin_life(host);
  for (const SimConnectionRef& one : connections_of(host)) {
    if (!was_silent) continue;
    link_changed(one);
    for (const std::size_t side : {0U, 1U}) {
      const SimHost& from = *one->ends[side].host;
      if (&from != &host && !is_blocked(from, host)) send_again(one, side);
    }
  }
}

void SimState::end() {
  std::vector<rt::Cancel> cancels;
  std::vector<SimListeningRef> listeners;
  const Status why(Code::unavailable, "the simulated world has ended");
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (SimHost& host : hosts_) {
      if (host.cancel) cancels.push_back(*std::exchange(host.cancel, std::nullopt));
      listeners.insert(listeners.end(), host.listeners.begin(), host.listeners.end());
    }
    for (const auto& [id, connection] : std::exchange(connections_, {})) {
      for (SimEnd& end : connection->ends) {
        end.failure = why;
        end.dead = true;
        end.under_way.clear();
        end.readable.broadcast();
        end.writable.broadcast();
      }
    }
    agenda_changed_.broadcast();
  }
  for (const SimListeningRef& one : listeners) close(one, why);
  for (const rt::Cancel& cancel : cancels) cancel(why);
  scope_.cancel();
  scope_.join();
  agenda_.clear();
}

SimCounts SimState::counts() {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::uint64_t SimState::fingerprint() {
  const std::lock_guard lock(mutex_);
  return fingerprint_;
}

std::size_t SimState::open_connections() {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

rt::Context SimState::context_of(const SimHost& host) {
  const std::lock_guard lock(mutex_);
  return host.context;
}

bool SimState::is_up(const SimHost& host) {
  const std::lock_guard lock(mutex_);
  return host.up;
}

std::uint64_t SimState::accepted(const SimListening& listening) {
  const std::lock_guard lock(mutex_);
  return listening.accepted;
}

}  // namespace parley::net::impl
