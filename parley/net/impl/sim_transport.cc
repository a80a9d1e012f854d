#include <algorithm>
#include <cerrno>
#include <utility>

#include "parley/net/impl/sim_state.h"

namespace parley::net::impl {
namespace {

// A kernel whose queue of connections is full drops what asks for one; it is asked again (RFC 6298
// begins with a second).
constexpr Duration syn_retry = std::chrono::seconds(1);

constexpr std::size_t dialler = 0;
constexpr std::size_t listener_side = 1;

std::size_t other(std::size_t side) { return 1 - side; }

}  // namespace

SimAgenda::Key SimState::plan(Instant at, std::function<void()> act) {
  const bool is_first = at < agenda_.first();
  const SimAgenda::Key key = agenda_.add(at, std::move(act));
  if (is_first) agenda_changed_.signal();
  return key;
}

void SimState::forget(std::optional<SimAgenda::Key>& key) {
  if (key) agenda_.remove(*key);
  key.reset();
}

Instant SimState::arrival_of(SimEnd& from, const SimEnd& to, std::size_t bytes) {
  SimLink& link = link_of(*from.host, *to.host);
  const LinkOptions& options = link.options;
  Instant left = rt::now();
  if (options.bytes_per_second != 0) {
    const double seconds =
        static_cast<double>(bytes) / static_cast<double>(options.bytes_per_second);
    left = std::max(left, link.free_at) + Duration(static_cast<Duration::rep>(seconds * 1e9));
    link.free_at = left;
  }
  const auto most = static_cast<std::uint64_t>(options.jitter.count());
  const Duration jitter(static_cast<Duration::rep>(random_.between(0, most)));
  from.last_arrival = std::max(from.last_arrival, left + options.latency + jitter);
  return from.last_arrival;
}

void SimState::send(const SimConnectionRef& connection, std::size_t side, SimPacket packet) {
  SimEnd& from = connection->ends[side];
  const bool is_kept = packet.kind == SimPacketKind::data || packet.kind == SimPacketKind::fin;
  packet.arrival = arrival_of(from, connection->ends[other(side)], packet.data.size());
  plan(packet.arrival, [this, connection, side] { deliver(connection, side); });
  from.under_way.push_back(std::move(packet));
  if (is_kept) watch_transfer(connection, side);
}

// What was held leaves anew, in its order.
void SimState::send_again(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& from = connection->ends[side];
  for (SimPacket& packet : from.under_way) {
    packet.arrival = arrival_of(from, connection->ends[other(side)], packet.data.size());
    plan(packet.arrival, [this, connection, side] { deliver(connection, side); });
  }
}

void SimState::deliver(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& from = connection->ends[side];
  SimEnd& to = connection->ends[other(side)];
  while (!from.under_way.empty() && from.under_way.front().arrival <= rt::now()) {
    if (is_blocked(*from.host, *to.host)) return;
    SimPacket packet = std::move(from.under_way.front());
    from.under_way.pop_front();
    arrive(connection, other(side), std::move(packet));
  }
}

void SimState::arrive(const SimConnectionRef& connection, std::size_t side, SimPacket packet) {
  SimEnd& end = connection->ends[side];
  end.last_heard = rt::now();
  if (packet.kind == SimPacketKind::reset) return arrive_reset(connection, side);
  if (end.dead) return send(connection, side, {.kind = SimPacketKind::reset});
  switch (packet.kind) {
    case SimPacketKind::syn:
      return arrive_syn(connection);
    case SimPacketKind::syn_ack:
      return arrive_syn_ack(connection);
    case SimPacketKind::ack:
      return arrive_ack(connection);
    case SimPacketKind::data:
      return arrive_data(connection, side, std::move(packet.data));
    case SimPacketKind::credit:
      end.credit += packet.credit;
      end.writable.broadcast();
      return;
    case SimPacketKind::fin:
      record("end", *connection->ends[other(side)].host, end.host, connection->id);
      end.fin_received = true;
      end.readable.broadcast();
      return settle(connection);
    case SimPacketKind::reset:
      break;  // above
  }
}

void SimState::arrive_syn(const SimConnectionRef& connection) {
  SimEnd& end = connection->ends[listener_side];
  const SimHost& from = *connection->ends[dialler].host;
  const SimListeningRef listening = end.host->up ? listener_at(*end.host, end.local) : nullptr;
  if (listening == nullptr) {
    record("refused", from, end.host, connection->id);
    end.dead = true;
    return send(connection, listener_side, {.kind = SimPacketKind::reset});
  }
  const auto room = static_cast<std::size_t>(listening->options.backlog) + 1;
  if (listening->queue.size() + listening->half_open.size() >= room) {
    plan(rt::now() + syn_retry, [this, connection] {
      if (!connection->ends[dialler].dead && !connection->ends[listener_side].dead) {
        send(connection, dialler, {.kind = SimPacketKind::syn});
      }
    });
    return;
  }
  record("syn", from, end.host, connection->id);
  listening->half_open.insert(connection->id);
  connection->listening = listening;
  end.options = listening->options.stream;
  end.state = SimEnd::State::half_open;
  connection->handshake_timer = plan(rt::now() + options_.connect_timeout, [this, connection] {
    break_end(connection, listener_side, ETIMEDOUT);
  });
  for (const std::size_t side : {dialler, listener_side}) {
    SimEnd& one = connection->ends[side];
    const auto size = [](std::size_t asked, std::size_t usual) {
      return asked != 0 ? asked : usual;
    };
    one.window =
        size(one.options.send_buffer, options_.send_buffer) +
        size(connection->ends[other(side)].options.receive_buffer, options_.receive_buffer);
    one.credit = one.window;
  }
  send(connection, listener_side, {.kind = SimPacketKind::syn_ack});
}

void SimState::arrive_syn_ack(const SimConnectionRef& connection) {
  SimEnd& end = connection->ends[dialler];
  ++counts_.connections;
  record("connected", *end.host, connection->ends[listener_side].host, connection->id);
  end.state = SimEnd::State::established;
  end.writable.broadcast();
  send(connection, dialler, {.kind = SimPacketKind::ack});
}

void SimState::arrive_ack(const SimConnectionRef& connection) {
  connection->ends[listener_side].state = SimEnd::State::established;
  forget(connection->handshake_timer);
  const auto defer = connection->listening->options.defer_accept;
  if (defer.count() == 0) return enqueue(connection);
  plan(rt::now() + defer, [this, connection] { enqueue(connection); });
}

// Out of the half-open ones, to be accepted.
void SimState::enqueue(const SimConnectionRef& connection) {
  if (connection->queued || connection->listening == nullptr) return;
  if (connection->ends[listener_side].dead) return;
  SimListening& listening = *connection->listening;
  listening.half_open.erase(connection->id);
  connection->queued = true;
  listening.queue.push_back(connection);
  listening.changed.signal();
}

void SimState::arrive_data(const SimConnectionRef& connection, std::size_t side, std::string data) {
  SimEnd& end = connection->ends[side];
  const SimHost& from = *connection->ends[other(side)].host;
  // RFC 1122, 4.2.2.13: nobody will ever read it.
  if (end.closed || end.gone) return reset(connection, side);
  ++counts_.packets;
  counts_.bytes += data.size();
  record("data", from, end.host, connection->id, data.size());
  end.received += data;
  end.readable.broadcast();
  if (side == listener_side) enqueue(connection);
}

void SimState::arrive_reset(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& end = connection->ends[side];
  if (end.dead) return;
  ++counts_.resets;
  record("reset", *connection->ends[other(side)].host, end.host, connection->id);
  int error = ECONNRESET;
  if (end.state == SimEnd::State::opening) error = ECONNREFUSED;
  if (end.fin_received) error = EPIPE;  // as Linux in CLOSE_WAIT
  break_end(connection, side, error);
}

// Ends the connection from this side at once.
void SimState::reset(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& end = connection->ends[side];
  if (end.dead) return;
  break_end(connection, side, ECONNRESET);
  send(connection, side, {.kind = SimPacketKind::reset});
}

void SimState::finish(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& end = connection->ends[side];
  if (end.fin_sent || end.dead) return;
  end.fin_sent = true;
  send(connection, side, {.kind = SimPacketKind::fin});
}

// Tells the other side of the room that reading made, when it is worth a packet.
void SimState::return_room(const SimConnectionRef& connection, std::size_t side, bool all) {
  constexpr std::size_t worth = 8;
  SimEnd& end = connection->ends[side];
  if (end.unreturned == 0 || end.dead || end.fin_received) return;
  if (!all && end.unreturned < connection->ends[other(side)].window / worth) return;
  send(connection, side,
       {.kind = SimPacketKind::credit, .credit = std::exchange(end.unreturned, 0)});
}

void SimState::break_end(const SimConnectionRef& connection, std::size_t side, int error) {
  SimEnd& end = connection->ends[side];
  if (end.dead) return;
  end.dead = true;
  end.error = error;
  SimEnd& there = connection->ends[other(side)];
  if (there.state == SimEnd::State::opening && end.under_way.empty()) there.dead = true;
  if (connection->listening != nullptr) connection->listening->half_open.erase(connection->id);
  end.readable.broadcast();
  end.writable.broadcast();
  settle(connection);
}

void SimState::break_both(const SimConnectionRef& connection) {
  for (const std::size_t side : {dialler, listener_side}) {
    connection->ends[side].under_way.clear();
    break_end(connection, side, ECONNRESET);
  }
}

void SimState::cut(const SimConnectionRef& connection) {
  ++counts_.cuts;
  record("cut", *connection->ends[dialler].host, connection->ends[listener_side].host,
         connection->id);
  break_both(connection);
}

// TCP's patience with bytes that are not acknowledged.
void SimState::watch_transfer(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& end = connection->ends[side];
  const SimHost& there = *connection->ends[other(side)].host;
  if (end.dead || end.transfer_timer) return;
  if (!is_blocked(*end.host, there) && !is_blocked(there, *end.host)) return;
  const Duration patience =
      end.options.user_timeout ? Duration(*end.options.user_timeout) : options_.transfer_timeout;
  end.transfer_timer = plan(rt::now() + patience, [this, connection, side] {
    ++counts_.timeouts;
    record("timeout", *connection->ends[side].host, connection->ends[other(side)].host,
           connection->id);
    break_end(connection, side, ETIMEDOUT);
  });
}

// The questions of TCP's keep-alive, none of which is answered while the link is blocked; one that
// finds nothing of the connection left is answered with a reset.
void SimState::watch_silence(const SimConnectionRef& connection, std::size_t side) {
  SimEnd& end = connection->ends[side];
  const SimEnd& there = connection->ends[other(side)];
  if (end.dead || !end.options.keep_alive || end.state != SimEnd::State::established) return;
  const KeepAlive& ask = *end.options.keep_alive;
  const Instant first = std::max(rt::now(), end.last_heard + ask.idle);
  if (is_blocked(*end.host, *there.host) || is_blocked(*there.host, *end.host)) {
    end.silence_timer = plan(first + ask.interval * ask.count, [this, connection, side] {
      ++counts_.timeouts;
      record("timeout", *connection->ends[side].host, connection->ends[other(side)].host,
             connection->id);
      break_end(connection, side, ETIMEDOUT);
    });
  } else if (there.dead) {
    end.silence_timer = plan(first, [this, connection, side] { arrive_reset(connection, side); });
  }
}

// After a link of the connection was blocked or unblocked.
void SimState::link_changed(const SimConnectionRef& connection) {
  for (const std::size_t side : {dialler, listener_side}) {
    SimEnd& end = connection->ends[side];
    const SimHost& there = *connection->ends[other(side)].host;
    forget(end.silence_timer);
    watch_silence(connection, side);
    const bool to_there = is_blocked(*end.host, there);
    if (!to_there && !is_blocked(there, *end.host)) {
      forget(end.transfer_timer);
    } else if (!end.under_way.empty() && end.state == SimEnd::State::established) {
      watch_transfer(connection, side);
    }
  }
}

// Forgets what nobody needs any more.
void SimState::settle(const SimConnectionRef& connection) {
  const auto is_over = [](const SimEnd& end) {
    return end.dead || (end.gone && end.fin_sent && end.fin_received);
  };
  for (SimEnd& end : connection->ends) {
    if (!is_over(end)) continue;
    forget(end.transfer_timer);
    forget(end.silence_timer);
  }
  if (is_over(connection->ends[listener_side])) forget(connection->handshake_timer);
  if (!is_over(connection->ends[dialler]) || !is_over(connection->ends[listener_side])) return;
  forget(connection->cut_timer);
  connection->ends[dialler].host->dial_ports.erase(
      std::exchange(connection->dialled_from, std::uint16_t{0}));
  connections_.erase(connection->id);
}

}  // namespace parley::net::impl
