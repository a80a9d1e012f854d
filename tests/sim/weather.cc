#include "weather.h"

#include <memory>
#include <string>

#include "parley/peer/early_session.h"
#include "parley/peer/plugin.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/heartbeat.h"
#include "parley/peer/plugins/trace.h"
#include "parley/rt/random.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

const char* any_of(std::span<const char* const> names) {
  return names[static_cast<std::size_t>(draw(0, static_cast<int>(names.size()) - 1))];
}

void strike(net::SimWorld& world, const char* server, const char* client, Duration length) {
  switch (draw(1, 6)) {
    case 1:
      world.partition(server, client);
      (void)rt::sleep(length);
      world.heal(server, client);
      break;
    case 2:  // one way only
      world.block(client, server);
      (void)rt::sleep(length);
      world.unblock(client, server);
      break;
    case 3:
      (void)world.cut(server, client);
      break;
    case 4:
      world.set_links(server, client, {.latency = 300ms, .bytes_per_second = 5'000});
      break;
    case 5:
      world.crash(server, once_in(2) ? net::Crash::machine : net::Crash::process);
      (void)rt::sleep(length);
      world.restart(server);
      break;
    default:
      world.isolate(server);
      (void)rt::sleep(length);
      world.heal();
  }
}

// Whoever came in is heard going, once: looked at when the peer is gone.
struct GuestBook {
  GuestBook() = default;
  GuestBook(const GuestBook&) = delete;
  GuestBook& operator=(const GuestBook&) = delete;
  ~GuestBook() { must(present == 0, "plugins hear of the end of each session they let in"); }
  int present = 0;
};

// One that is around everything, and takes its time now and then.
Plugin bystander() {
  const auto book = std::make_shared<GuestBook>();
  const auto come = [book](const EarlySession& session) {
    pause(20ms);
    // One that is dialled again has not gone.
    if (!session.is_redial()) ++book->present;
    return Status();
  };
  // PUSHes begin in their order, if nobody waits before them.
  const auto after = [](auto&, Next& next) {
    Status status = next();
    pause(5ms);
    return status;
  };
  const auto around = [after](auto& step, Next& next) {
    pause(5ms);
    return after(step, next);
  };
  return {.name = "bystander",
          .after_dial = come,
          .after_accept = come,
          .call = around,
          .open = around,
          .serve = after,
          .serve_stream = around,
          .on_disconnect = [book](const ClosedSession&) {
            --book->present;
            must(book->present >= 0, "the end of a session is heard of once");
          }};
}

// Refuses some.
Plugin doorkeeper() {
  const auto refuse = [](EarlySession&) {
    return once_in(8) ? Status(Code::not_sent, "not this time") : Status();
  };
  return {.name = "doorkeeper", .after_dial = refuse, .after_accept = refuse};
}

}  // namespace

PeerOptions options_on(net::Network& node) {
  PeerOptions options;
  options.network = &node;
  options.call_timeout = draw(1, 2'000) * 1ms;
  options.dial_timeout = 500ms;
  options.frame_timeout = 3s;
  options.write_timeout = 3s;
  options.drain_timeout = 500ms;
  options.flush_timeout = 500ms;
  options.close_timeout = 200ms;
  if (once_in(2)) options.plugins = {bystander(), doorkeeper()};
  if (once_in(3)) options.plugins.push_back(trace());
  if (once_in(2)) {
    options.plugins.push_back(
        heartbeat({.interval = draw(1'000, 2'000) * 1ms,
                   .timeout = draw(100, 1'000) * 1ms,
                   .kind = once_in(2) ? HeartbeatKind::call : HeartbeatKind::push}));
  }
  return options;
}

net::SimOptions network_options() {
  net::SimOptions options{.seed = rt::random_bits()};
  options.link.latency = draw(0, 2'000) * 1us;
  options.link.jitter = draw(0, 5'000) * 1us;
  if (once_in(2)) options.link.mean_bytes_to_cut = static_cast<std::uint64_t>(draw(500, 50'000));
  if (once_in(3)) options.link.bytes_per_second = 50'000;
  options.observer = [](const net::SimEvent& event) {
    rt::trace_event(event.what, {event.connection, event.bytes},
                    std::string(event.from) + " > " + std::string(event.to));
  };
  return options;
}

void blow(net::SimWorld& world, std::span<const char* const> servers,
          std::span<const char* const> clients) {
  const int strikes = draw(0, 6);
  for (int i = 0; i < strikes; ++i) {
    (void)rt::sleep(draw(1, 200) * 1ms);
    const char* const server = any_of(servers);
    strike(world, server, any_of(clients), draw(1, 800) * 1ms);
  }
  for (const char* server : servers) world.restart(server);
  world.heal();
  for (const char* server : servers) {
    for (const char* client : clients) world.set_links(server, client, {});
  }
}

}  // namespace parley::sim
