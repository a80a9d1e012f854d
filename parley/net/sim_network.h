// SimWorld: nodes with a network between them, in memory. Each node is a Network; what one node
// dials another accepts, over links with latency, a bandwidth and faults, all of which follow from
// one seed. Streams keep every rule of stream.h and fail as the kernel's sockets do.
//
//   net::SimWorld world({.seed = seed, .link = {.latency = 2ms, .jitter = 1ms}});
//   auto listener = world.node("shop").listen(*net::Address::parse("tcp://0.0.0.0:80"));
//   auto stream = world.node("till").dial(*net::Address::parse("tcp://shop:80"));
//   world.partition("shop", "till");     // nothing flows; the connection waits
//   world.heal("shop", "till");          // and goes on
//   world.crash("shop");                 // "Connection reset by peer" at the till
//
// Make it, use it and destroy it inside a fiber, from any of them; it must outlive its nodes'
// users. Time is the runtime's: with a ManualClock nothing arrives before that is advanced. With
// one worker and a clock of the test's the same seed gives the same events in the same order, and
// fingerprint() shows it; on several workers the order in which fibers reach the world is theirs.
//
// What it does not do: names beyond those of nodes, datagrams, and whatever needs a descriptor
// (listeners that pass to another process, peer credentials).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/net/network.h"
#include "parley/rt/context.h"

namespace parley::net {

namespace impl {
class SimState;
struct SimHost;
}  // namespace impl

// One direction between two nodes. A value out of its range is a bug of whoever gives it.
struct LinkOptions {
  // How long a packet travels, and what the seed may add to it, up to `jitter`. The order of the
  // packets of a connection stays.
  Duration latency = std::chrono::microseconds(500);
  Duration jitter = std::chrono::microseconds(200);
  // What passes in a second, shared by all connections of the link. 0: as much as comes.
  std::uint64_t bytes_per_second = 0;
  // What is written leaves in packets of 1 to so many bytes, as the seed likes it.
  std::size_t max_packet = 1460;
  // Each connection is cut (reset on both sides, and what was under way is lost) at a moment, or
  // after a number of bytes, that the seed picks between nothing and twice this. 0: never.
  Duration mean_time_to_cut{0};
  std::uint64_t mean_bytes_to_cut = 0;
};

// One thing that happened in a world.
struct SimEvent {
  Duration at{0};              // since the world was made
  std::string_view what;       // see SimOptions::observer
  std::string_view from;       // names of nodes
  std::string_view to;         // empty where only one node is concerned
  std::uint64_t connection{};  // counted from 1; 0 where it is not about one
  std::size_t bytes{};
};

struct SimOptions {
  std::uint64_t seed = 1;
  // Of every link for which set_link() said nothing else.
  LinkOptions link{};
  // Of a node to itself: loopback, its own address and Unix sockets.
  LinkOptions loopback{.latency = {}, .jitter = {}, .max_packet = 65'536};
  // How often a read gives less than has come, and a write takes less than there is room for, as
  // any socket may. 0 to 1.
  double short_read_chance = 0.25;
  double short_write_chance = 0.25;
  // Bytes on their way or not yet read, in each direction of a connection: what one side's send
  // buffer and the other's receive buffer hold. Then a write waits. StreamOptions can say otherwise
  // for one stream.
  std::size_t send_buffer = std::size_t{64} * 1024;
  std::size_t receive_buffer = std::size_t{64} * 1024;
  // How long dial() tries where nothing answers (Linux: net.ipv4.tcp_syn_retries = 6), and how long
  // a connection keeps what it cannot deliver before it breaks with "Connection timed out" (Linux:
  // net.ipv4.tcp_retries2 = 15), unless StreamOptions::user_timeout says otherwise.
  Duration connect_timeout = std::chrono::seconds(127);
  Duration transfer_timeout = std::chrono::seconds(924);
  // At most; one more is resource_exhausted ("Cannot assign requested address" for connections).
  std::size_t max_connections = 16'384;
  // Told each event: syn, refused, connected, data, end, reset, timeout, cut, block, unblock,
  // crash, restart. Must not use the world, nor wait.
  std::function<void(const SimEvent&)> observer{};
};

// How a node goes.
enum class Crash : std::uint8_t {
  // Its process dies and its kernel lives: the other sides get what was sent, up to a point that
  // the seed picks, and then a reset; who dials is refused.
  process,
  // Its power goes: the other sides hear nothing until it is back, and then a reset as soon as they
  // send. Who dials hears nothing either.
  machine,
};

// What a world did so far.
struct SimCounts {
  std::uint64_t dials = 0;
  std::uint64_t connections = 0;  // that were made
  std::uint64_t packets = 0;      // with bytes of a user, that arrived
  std::uint64_t bytes = 0;        // in them
  std::uint64_t cuts = 0;
  std::uint64_t resets = 0;    // that arrived
  std::uint64_t timeouts = 0;  // connections that broke by transfer_timeout or keep-alive
};

// Nodes in a world.
inline constexpr std::size_t max_sim_nodes = 4'096;

// One node of a SimWorld, alive as long as that. Its addresses are 10.0.0.1, 10.0.0.2, ... and
// fd00::1, fd00::2, ... in the order in which nodes were first named.
class SimNode final : public Network {
 public:
  // As Network says. Takes the node's own addresses, loopback (127.*, ::1), 0.0.0.0, [::] and Unix
  // addresses, which are the node's own. unavailable while the node is down.
  Result<std::unique_ptr<Listener>> listen(const Address& address,
                                           const ListenOptions& options = {}) override;
  // As Network says. A host may also be the name of a node: not_found when there is none. An
  // address that no node has is unavailable, "No route to host".
  Result<std::unique_ptr<Stream>> dial(const Address& address, rt::Deadline deadline = {},
                                       const DialOptions& options = {}) override;

  [[nodiscard]] const std::string& name() const;
  // Its IPv4 address with this port.
  [[nodiscard]] Address address(std::uint16_t port) const;
  // The context of what runs on the node: crash() cancels it. After a restart there is a new one;
  // fibers that still have the old one can no longer dial, listen or accept here. Start the node's
  // fibers in an rt::Scope of this context.
  [[nodiscard]] rt::Context context() const;
  [[nodiscard]] bool is_up() const;

 private:
  friend class SimWorld;
  friend class impl::SimState;
  SimNode(impl::SimState& state, impl::SimHost& host) : state_(state), host_(host) {}

  impl::SimState& state_;
  impl::SimHost& host_;
};

class SimWorld {
 public:
  // An option out of its range is a bug, named.
  explicit SimWorld(const SimOptions& options = {});
  // Breaks what is still connected and cancels the contexts of the nodes. Streams and listeners may
  // live on, broken; nodes do not.
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  // The node of that name, made when it is asked for first. A name is 1 to 63 of a-z, 0-9 and '-';
  // another one, and more than max_sim_nodes, is a bug. As are, below, names of nodes that do not
  // exist.
  SimNode& node(std::string_view name);

  // From now on, for what is sent from `from` to `to`; or both ways.
  void set_link(std::string_view from, std::string_view to, const LinkOptions& options);
  void set_links(std::string_view a, std::string_view b, const LinkOptions& options);

  // Nothing flows from `from` to `to`; what is sent, or was under way, is held. Connections stay:
  // when the way is free again it is sent anew, unless it had to wait for longer than
  // transfer_timeout, or keep_alive found the silence first. The same both ways: partition().
  void block(std::string_view from, std::string_view to);
  void unblock(std::string_view from, std::string_view to);
  void partition(std::string_view a, std::string_view b);
  void heal(std::string_view a, std::string_view b);
  // `name` and everybody else, the nodes that exist by now.
  void isolate(std::string_view name);
  // Unblocks everything.
  void heal();

  // Resets every connection between the two, on both sides at once; what was under way is lost.
  // Returns how many.
  std::size_t cut(std::string_view a, std::string_view b);

  // Ends the node's context, closes its listeners and ends its connections as `how` says. Its own
  // streams and listeners are unavailable ever after. A node that is down stays down.
  void crash(std::string_view name, Crash how = Crash::process);
  // Up again, with a new context, no listener and no connection. Does nothing to one that is up.
  void restart(std::string_view name);

  [[nodiscard]] SimCounts counts() const;
  // A hash over every event so far, with its time: equal for runs that went the same way.
  [[nodiscard]] std::uint64_t fingerprint() const;
  // Connections that still exist on at least one side.
  [[nodiscard]] std::size_t open_connections() const;

 private:
  std::shared_ptr<impl::SimState> state_;
};

}  // namespace parley::net
