// The settings of a Peer and of one call: every limit and every wait has its name and default here.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "parley/base/clock.h"
#include "parley/net/network.h"
#include "parley/peer/name_mapper.h"
#include "parley/wire/framing.h"
#include "parley/wire/metadata.h"

namespace parley {

struct PeerOptions {
  // How long a call waits for its answer unless CallOptions says otherwise.
  Duration call_timeout = std::chrono::seconds(30);
  // How long dial() tries.
  Duration dial_timeout = std::chrono::seconds(5);
  // How long the rest of a message may take to come once its first byte is there. A session that
  // needs longer is closed. Between messages a session may be silent for ever.
  Duration frame_timeout = std::chrono::seconds(30);
  // How long the other side may take nothing of what is sent. A session that stalls longer is
  // closed.
  Duration write_timeout = std::chrono::seconds(30);
  // At the end of a session: how long handlers and calls under way are waited for.
  Duration drain_timeout = std::chrono::seconds(5);
  // Then: how long what is queued may take to leave.
  Duration flush_timeout = std::chrono::seconds(5);
  // After that: how long the other side may take to close its half.
  Duration close_timeout = std::chrono::seconds(2);
  // After a connection could not be taken (no fiber was left for it): how long until the next
  // accept. Without a descriptor left, accepting pauses by itself (net::Listener::accept).
  Duration accept_pause = std::chrono::milliseconds(100);
  // How often it is logged, at most, that accepting pauses because no descriptor is left.
  Duration accept_report = std::chrono::seconds(1);

  // A whole message, in both directions. The parley framing takes 64 KiB whatever is said here; its
  // further limits are those of wire::ParleyLimits, for framings of your own.
  std::size_t max_frame_bytes = std::size_t{16} << 20U;
  // Sessions at once; further connections are closed at once.
  std::size_t max_sessions = 10'000;
  // Handlers running at once for one session. A CALL beyond is answered with resource_exhausted, a
  // PUSH beyond is dropped and logged.
  std::size_t max_handlers = 1'024;
  // Bytes of arguments that the handlers of one session hold; what would exceed it is refused as
  // above. One request alone may always run.
  std::size_t max_handler_bytes = std::size_t{64} << 20U;
  // Calls of ours waiting for an answer in one session; a further one fails with
  // resource_exhausted.
  std::size_t max_calls = 65'536;
  // Fibers that run the sessions of this peer, and so handlers that may wait at the same time,
  // within RuntimeOptions::max_fibers. A CALL beyond is answered with resource_exhausted.
  std::size_t max_fibers = 100'000;
  // Bytes waiting to be sent in one session; who wants to send more waits. As many again of answers
  // to pings and to calls that are not run; a session that asks for more of them and takes none is
  // closed.
  std::size_t max_outgoing_bytes = std::size_t{4} << 20U;

  // Streams that the other side of a session may have open at once, at least 100; each is served as
  // a handler of max_handlers. Bytes that may have come on one of them without being read, at least
  // 64 KiB, and on all of a session together, at least 1 MiB: readers that are slow together hold
  // up the session's other streams beyond that. A message that is larger than half of either may
  // come all the same. Framings of your own have them in their limits.
  std::size_t max_streams = 1'000;
  std::size_t stream_credit = std::size_t{256} << 10U;
  std::size_t session_credit = std::size_t{4} << 20U;

  // How the methods of controllers get their names (controller.h).
  NameMapper name_mapper = &http_name;

  // The byte formats this peer speaks. It dials with the first; who dials it may speak any of them,
  // which is told by the first bytes. None: parley, then raw.
  std::vector<std::shared_ptr<const wire::Framing>> framings = {};

  // Where connections come from; null: TCP. Must outlive the peer.
  net::Network* network = nullptr;
  // Told, one line each, of what no caller sees: sessions that ended badly, pushes that failed.
  // Fibers call it, several at once: what it writes to needs a lock if it has none of its own.
  std::function<void(std::string_view line)> log = {};
};

struct CallOptions {
  // Overrides PeerOptions::call_timeout.
  std::optional<Duration> timeout = {};
  // Travels beside the arguments.
  wire::Metadata metadata = {};
  // Where the metadata of the answer goes, an error's too; null: nowhere.
  wire::Metadata* reply_metadata = nullptr;
};

}  // namespace parley
