// The inside of a SimWorld: nodes, links, connections and what is under way between them. One lock
// guards all of it; a fiber of its own (drive()) lets what is due happen. Private to net.
//
// A connection has two ends. What an end sends is a packet in its `under_way`, which keeps the
// order; the agenda says when to look at it. A blocked link leaves packets where they are, and
// unblocking gives them new times of arrival.
//
// Functions here are called with the lock unless they take it, which those of the public classes
// and of Stream and Listener do ("locks").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/random.h"
#include "parley/net/impl/sim_agenda.h"
#include "parley/net/sim_network.h"
#include "parley/rt/cond.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"

namespace parley::net::impl {

struct SimConnection;
using SimConnectionRef = std::shared_ptr<SimConnection>;

enum class SimPacketKind : std::uint8_t { syn, syn_ack, ack, data, credit, fin, reset };

struct SimPacket {
  SimPacketKind kind = SimPacketKind::data;
  Instant arrival{};
  std::string data{};
  std::size_t credit = 0;  // bytes the receiver of this may write in addition
};

// Somebody who listens; shared by the world and the Listener.
struct SimListening {
  SimHost* host = nullptr;
  Address address;
  ListenOptions options;
  std::deque<SimConnectionRef> queue;  // to be accepted
  std::set<std::uint64_t> half_open;   // connections that will be in the queue
  bool closed = false;
  Status failure;  // why, if not by close()
  std::uint64_t accepted = 0;
  rt::Cond changed;
};
using SimListeningRef = std::shared_ptr<SimListening>;

// One end of a connection.
struct SimEnd {
  enum class State : std::uint8_t { opening, half_open, established };

  SimHost* host = nullptr;
  Address local;
  Address remote;
  StreamOptions options;
  State state = State::opening;

  std::string received;  // from `read_from` on it is still to be read
  std::size_t read_from = 0;
  std::size_t shown = 0;       // bytes peek() showed: no read gives fewer
  std::size_t unreturned = 0;  // bytes read whose room the other side does not know of
  std::size_t credit = 0;      // bytes that may still be written
  std::size_t window = 0;      // what credit began with
  bool fin_received = false;
  bool fin_sent = false;
  bool closed = false;  // by close()
  bool gone = false;    // the Stream is destroyed
  bool dead = false;    // sends nothing any more, and answers whatever comes with a reset
  int error = 0;        // errno value of what broke it
  bool error_told = false;
  Status failure;  // this side itself went: its node, or the world
  rt::Cond readable;
  rt::Cond writable;

  std::deque<SimPacket> under_way;  // sent and not yet arrived at the other end
  Instant last_arrival{};
  Instant last_heard{};
  std::optional<std::uint64_t> bytes_to_cut;
  std::optional<SimAgenda::Key> transfer_timer;
  std::optional<SimAgenda::Key> silence_timer;

  [[nodiscard]] std::size_t unread() const { return received.size() - read_from; }
};

struct SimConnection {
  std::uint64_t id = 0;
  std::array<SimEnd, 2> ends;  // who dialled, who listened
  SimListeningRef listening;   // until it was accepted
  bool queued = false;
  std::uint16_t dialled_from = 0;                 // the port to be given back; 0 when none
  std::optional<SimAgenda::Key> handshake_timer;  // of who listened
  std::optional<SimAgenda::Key> cut_timer;
};

struct SimLink {
  LinkOptions options;
  bool blocked = false;
  Instant free_at{};  // when what was sent so far has passed the bottleneck
};

// Carried by a node's context, so that a fiber of a former life is known.
struct SimLife {
  const SimHost* host = nullptr;
  std::uint64_t number = 0;
};

struct SimHost {
  std::size_t number = 0;  // from 1
  std::string name;
  std::string ipv4;
  std::string ipv6;
  std::unique_ptr<SimNode> node;
  bool up = true;
  bool powered = true;
  std::uint64_t life = 1;
  rt::Context context = rt::Context::background();
  std::optional<rt::Cancel> cancel;
  std::vector<SimListeningRef> listeners;
  std::set<std::uint16_t> dial_ports;
  std::uint16_t next_port = 0;
};

class SimState : public std::enable_shared_from_this<SimState> {
 public:
  explicit SimState(const SimOptions& options);
  SimState(const SimState&) = delete;
  SimState& operator=(const SimState&) = delete;
  ~SimState() = default;

  // sim_state.cc: nodes, links, faults. All of them lock.
  SimNode& node(std::string_view name);
  void set_link(std::string_view from, std::string_view to, const LinkOptions& options);
  void set_blocked(std::string_view from, std::string_view to, bool blocked);
  void isolate(std::string_view name);
  void heal();
  std::size_t cut(std::string_view a, std::string_view b);
  void crash(std::string_view name, Crash how);
  void restart(std::string_view name);
  // Breaks everything and ends the fiber.
  void end();
  SimCounts counts();
  std::uint64_t fingerprint();
  std::size_t open_connections();
  rt::Context context_of(const SimHost& host);
  bool is_up(const SimHost& host);
  std::uint64_t accepted(const SimListening& listening);

  // sim_sockets.cc: what a node is asked for. They lock.
  Result<SimListeningRef> listen(SimHost& host, const Address& address,
                                 const ListenOptions& options);
  Result<SimConnectionRef> dial(SimHost& host, const Address& address, rt::Deadline deadline,
                                const DialOptions& options);
  Result<SimConnectionRef> accept(SimListening& listening, rt::Deadline deadline);
  void close(const SimListeningRef& listening, const Status& why = {});

  // sim_stream.cc: what a stream is asked for. They lock.
  Result<std::size_t> read(const SimConnectionRef& connection, std::size_t side,
                           std::span<char> into, rt::Deadline deadline);
  Result<std::size_t> peek(SimEnd& end, std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline);
  Result<std::size_t> write(const SimConnectionRef& connection, std::size_t side,
                            std::span<const std::string_view> pieces, rt::Deadline deadline);
  Status close_write(const SimConnectionRef& connection, std::size_t side);
  void close(const SimConnectionRef& connection, std::size_t side);
  void destroy(const SimConnectionRef& connection, std::size_t side);

 private:
  // sim_state.cc
  void drive();
  SimHost& host_named(std::string_view name);
  SimLink& link_of(const SimHost& from, const SimHost& to);
  bool is_blocked(const SimHost& from, const SimHost& to);
  void set_blocked(SimHost& from, SimHost& to, bool blocked);
  void begin_life(SimHost& host);
  std::vector<SimConnectionRef> connections_of(const SimHost& a, const SimHost* b = nullptr);
  void crash_end(const SimConnectionRef& connection, std::size_t side, Crash how);
  void record(std::string_view what, const SimHost& from, const SimHost* to,
              std::uint64_t connection = 0, std::size_t bytes = 0);

  // sim_transport.cc: packets and what they do.
  SimAgenda::Key plan(Instant at, std::function<void()> act);
  void forget(std::optional<SimAgenda::Key>& key);
  Instant arrival_of(SimEnd& from, const SimEnd& to, std::size_t bytes);
  void send(const SimConnectionRef& connection, std::size_t side, SimPacket packet);
  void send_again(const SimConnectionRef& connection, std::size_t side);
  void deliver(const SimConnectionRef& connection, std::size_t side);
  void arrive(const SimConnectionRef& connection, std::size_t side, SimPacket packet);
  void arrive_syn(const SimConnectionRef& connection);
  void arrive_syn_ack(const SimConnectionRef& connection);
  void arrive_ack(const SimConnectionRef& connection);
  void arrive_data(const SimConnectionRef& connection, std::size_t side, std::string data);
  void arrive_reset(const SimConnectionRef& connection, std::size_t side);
  void enqueue(const SimConnectionRef& connection);
  void reset(const SimConnectionRef& connection, std::size_t side);
  void finish(const SimConnectionRef& connection, std::size_t side);
  void return_room(const SimConnectionRef& connection, std::size_t side, bool all);
  void break_end(const SimConnectionRef& connection, std::size_t side, int error);
  void break_both(const SimConnectionRef& connection);
  void cut(const SimConnectionRef& connection);
  void watch_transfer(const SimConnectionRef& connection, std::size_t side);
  void watch_silence(const SimConnectionRef& connection, std::size_t side);
  void link_changed(const SimConnectionRef& connection);
  void settle(const SimConnectionRef& connection);

  // sim_sockets.cc
  struct Target {
    SimHost* host = nullptr;
    Address address;
  };
  Status usable(const SimHost& host) const;
  Result<Target> target_of(SimHost& from, const Address& named);
  Result<Address> local_of(SimHost& host, const Target& target, const DialOptions& options);
  SimListeningRef listener_at(const SimHost& host, const Address& address);
  Result<std::uint16_t> free_port(SimHost& host) const;
  SimConnectionRef connect(SimHost& host, const Target& target, const Address& local,
                           const StreamOptions& options);

  void abandon(const SimConnectionRef& connection);

  static Status closed_here();

  const SimOptions options_;
  const Instant began_;
  rt::Mutex mutex_;
  Random random_;
  SimAgenda agenda_;
  rt::Cond agenda_changed_;
  std::deque<SimHost> hosts_;                                     // addresses of its elements stay
  std::map<std::pair<std::size_t, std::size_t>, SimLink> links_;  // by the numbers of hosts
  std::map<std::uint64_t, SimConnectionRef> connections_;
  std::uint64_t last_connection_ = 0;
  SimCounts counts_;
  std::uint64_t fingerprint_ = 0;
  bool ended_ = false;
  rt::Scope scope_;  // last: its fiber uses the rest
};

std::unique_ptr<Stream> make_sim_stream(std::shared_ptr<SimState> state,
                                        SimConnectionRef connection, std::size_t side);

}  // namespace parley::net::impl
