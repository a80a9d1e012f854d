// The load a client puts on a server, as its command line says it.
//
//   Result<Load> load = parse_load(argc, argv);
//   if (!load) return usage_error(load.error());
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"

namespace parley::bench {

// Limits of a load; beyond them parse_load() refuses.
inline constexpr std::size_t max_connections = 100'000;
inline constexpr std::size_t max_depth = 4'096;
// A body names its request (see body_of), which takes this much.
inline constexpr std::size_t min_body_bytes = 16;
// One frame has to fit the floor's receive buffer.
inline constexpr std::size_t max_body_bytes = 256 * 1024;
inline constexpr double max_seconds = 600;
inline constexpr double max_rate = 1e7;

struct Load {
  std::string address;          // as the server printed it
  std::size_t connections = 1;  // C
  std::size_t depth = 1;        // D: requests in flight on each connection
  std::size_t body_bytes = 16;
  Duration warmup = std::chrono::milliseconds(500);
  Duration window = std::chrono::seconds(2);
  pid_t server_pid = 0;    // whose CPU time is read at both ends of the window
  bool spin = false;       // poll with timeout 0 instead of sleeping (floor only)
  bool websocket = false;  // frames are messages of a WebSocket (the floor's client only)
  // Of Parley only:
  bool slice = false;           // bodies are bytes, and no texts
  bool idle_spin = true;        // false: RuntimeOptions::idle_spin is zero
  std::string ca_file;          // not empty: TLS, and who may have signed the server's certificate
  double calls_per_second = 0;  // over all connections, in an open loop; 0: a closed loop
};

// The options of a server of Parley: --no-idle-spin, --tls FOLDER (chain.pem and key.pem in it),
// --overload.
struct Serving {
  bool idle_spin = true;
  std::string tls_folder = {};
  bool has_overloader = false;
};
Result<Serving> parse_serving(int argc, const char* const* argv);

// --address A --server-pid PID are required; --connections, --depth, --body-bytes,
// --warmup-seconds, --seconds, --spin, --websocket, --slice, --no-idle-spin, --ca-file and
// --rate have the defaults above. An unknown option, a missing value or a number out of its limits
// is invalid_argument.
Result<Load> parse_load(int argc, const char* const* argv);

// The body of the request in `slot` (0..depth-1) of `connection`: `bytes` long, at least
// min_body_bytes, printable ASCII without quotes, different for every pair. Its first byte is the
// turn, 'a' at first.
std::string body_of(std::size_t connection, std::size_t slot, std::size_t bytes);

// The turn after `turn`: 'a' to 'z' and round again. Sent with every request of a slot, so that a
// late or doubled answer of the slot before is told from the right one.
constexpr char next_turn(char turn) noexcept {
  return turn == 'z' ? 'a' : static_cast<char>(turn + 1);
}

// How many calls go by for each whose latency is measured. Two clock readings cost 44 ns, which
// would be a quarter of a multiplexed call and nothing beside a lone one.
constexpr std::uint64_t latency_stride(const Load& load) noexcept {
  return load.depth > 1 ? 16 : 1;
}

// Prints the error to stderr; returns the exit code of a command used wrongly, 2.
int usage_error(const Status& status);
// Prints the error to stderr; returns the exit code of a run that failed, 1.
int run_error(const Status& status);

}  // namespace parley::bench
