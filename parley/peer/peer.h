// Peer: an equal among equals. It serves methods, listens, dials; the same type is client and
// server.
//
// Make it inside a fiber; it belongs to that fiber's runtime, and any of its fibers may use it. It
// lives until it is closed or destroyed, whatever becomes of the context of the fiber that made it.
//
//   parley::Peer peer;
//   peer.handle("/math/add", [](int a, int b) { return a + b; });
//   auto address = peer.listen("tcp://127.0.0.1:0");
//   auto session = peer.dial("tcp://127.0.0.1:4711");
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/peer/context.h"
#include "parley/peer/handler.h"
#include "parley/peer/options.h"
#include "parley/peer/router.h"
#include "parley/peer/session.h"

namespace parley {

class Peer {
 public:
  explicit Peer(PeerOptions options = {});
  // close().
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Serves `method`, on sessions dialled and accepted alike: CALLs get the function's result,
  // PUSHes run it and drop the result. See make_handler for what functions will do. Calls run in
  // parallel, also those of one session as soon as one of them waits or is slow, each to its end on
  // one fiber: what `function` shares between calls needs a lock (rt::Mutex), a channel or an
  // atomic, as in Go. They begin in the order in which they came. A method handled
  // twice is a bug. What `function` refers to must outlive the peer (declare it first), or close()
  // must come before its end. Methods may be added at any time.
  // With `names` of all parameters callers may send them by name, too; they and `description` are
  // for schemas:
  //   peer.handle<"order", "urgent">("/order/place", &place, "Places an order.");
  template <codec::Name... names, class F>
  void handle(std::string_view method, F&& function, std::string_view description = {}) {
    using Function = std::decay_t<F>;
    add_handler(method, make_handler<names...>(Function(std::forward<F>(function))),
                handler_shape<Function, names...>(method, description));
  }
  void add_handler(std::string_view method, Handler handler, codec::MethodShape shape = {});

  // The methods it serves, by name: codec::openapi_of(peer.methods()) and the like (schema.h).
  [[nodiscard]] std::vector<codec::MethodShape> methods() const;

  // Accepts sessions at `address` ("tcp://127.0.0.1:0") and returns the address with its real port.
  // May be called several times. Errors: of Address::parse and Network::listen;
  // failed_precondition once the peer is closed; resource_exhausted without a fiber to accept with.
  Result<net::Address> listen(std::string_view address);

  // Opens a session. not_sent, with the reason as cause, when that fails within dial_timeout;
  // invalid_argument for an address that is none; resource_exhausted at max_sessions.
  Result<Session> dial(std::string_view address);

  // The sessions there are.
  [[nodiscard]] std::vector<Session> sessions() const;
  [[nodiscard]] std::size_t session_count() const;

  // Stops listening and ends every session in order (Session::close), all at once. Twice is fine.
  // One of its own handlers cannot call it (a bug): the peer waits for its handlers, for at most
  // drain_timeout, then flush_timeout for what is queued, then close_timeout for the other side.
  void close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parley
