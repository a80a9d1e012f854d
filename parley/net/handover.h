// Listeners that pass from one process to another without refusing a connection: over a Unix socket
// to a process that runs already, or to a child that finds them open (systemd's way). Mechanism
// only: who starts whom, and when the old process stops accepting, is decided above.
//
// Both processes accept from one queue while both have the listener. What waits in it when the old
// one closes is accepted by the new one. Inside a fiber.
//
//   // The old process:                          // The new one:
//   net::send_listeners(*stream,                 auto taken = net::receive_listeners(*stream);
//                       {{{"http", &http}}});    for (auto& one : *taken) serve(one);
//   http.close();   // accepts no more
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::net {

// Listeners handed over at once (the kernel takes 253 descriptors in a message, unix(7)).
inline constexpr std::size_t max_handed_listeners = 64;
// Bytes of a listener's name: printable ASCII without ':', as sd_listen_fds(3) has it.
inline constexpr std::size_t max_listener_name = 255;

struct ListenerToSend {
  std::string_view name;
  Listener* listener = nullptr;
};

struct NamedListener {
  std::string name;
  std::unique_ptr<Listener> listener;
};

// Hands 1 to max_handed_listeners listeners to the process at the other end of `to`, a Unix stream
// on which nothing else is under way, and waits until it has taken them. Ok: it has them; here they
// go on accepting until they are closed, which then leaves the sockets and their files to the other
// process (Listener::set_shared). failed_precondition, with its reason, when the other side refused
// them. Any other error after they left (deadline_exceeded, the context's status, unavailable): it
// may have them, and closing is as after ok. invalid_argument, and nothing is sent, for a name or a
// listener that cannot be handed over.
Status send_listeners(Stream& to, std::span<const ListenerToSend> listeners,
                      rt::Deadline deadline = {});

// Takes what send_listeners() sends at the other end of `from`, in its order. Each descriptor is
// checked (a stream socket that listens, TCP or Unix), closed on exec and non-blocking. Closing a
// listener here removes the file of a Unix socket, and leaves its queue to whoever has it as well:
// who waits in it is refused when the last process has destroyed its own. invalid_argument when
// what came is no hand-over or holds something that is no listener; data_loss when it ended early;
// resource_exhausted when this process has too few descriptors left. After an error nothing is
// taken, and the sender has been told why.
Result<std::vector<NamedListener>> receive_listeners(Stream& from, rt::Deadline deadline = {});

// The listeners this process was started with, as sd_listen_fds(3) says: LISTEN_PID is this
// process, LISTEN_FDS the number of descriptors from 3 on, LISTEN_FDNAMES their names ("unknown"
// without). Empty when there are none or they are for another process. Checked like those received;
// their sockets and files stay the starter's (Listener::set_shared). Removes the variables, so that
// neither a second call nor a child takes them again: call it once, before there are other fibers.
// invalid_argument names the variable or descriptor that is wrong; nothing is taken then.
Result<std::vector<NamedListener>> inherited_listeners();

}  // namespace parley::net
