// ClientConnection: what the pool of a client (client_pool.h) keeps: one connection to an origin,
// of any version of HTTP. HTTP/1 carries one exchange at a time, HTTP/2 many. Private to http.
//
// The pool and the exchanges of the connection share it; all of this may be called by any fiber.
// The pool calls reserve(), is_usable() and can_take_more() with its lock held: they neither wait
// nor call the pool.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "parley/base/result.h"
#include "parley/http/body_size.h"
#include "parley/http/exchange.h"
#include "parley/http/message.h"
#include "parley/rt/deadline.h"

namespace parley::http::impl {

class ClientConnection {
 public:
  virtual ~ClientConnection() = default;
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Many exchanges go at once. Its destructor waits for fibers of its own, which may be those that
  // call on_change()'s hook: it is not destroyed there.
  [[nodiscard]] virtual bool is_multiplexed() const noexcept { return false; }
  // It may soon take more than now: the other side has not said yet how many.
  [[nodiscard]] virtual bool is_settling() const noexcept { return false; }
  // One more exchange could begin at once.
  [[nodiscard]] virtual bool can_take_more() const noexcept = 0;
  // Takes the place of one exchange, which begin() then fills or unreserve() gives back. False when
  // there is none.
  [[nodiscard]] virtual bool reserve() noexcept = 0;
  virtual void unreserve() noexcept = 0;
  // Another exchange may go on it, now or later: it has had no error, has not been closed and the
  // other side does not say that it ends it. Where nothing is under way this looks at the network,
  // so ask it right before reserve().
  [[nodiscard]] virtual bool is_usable() = 0;
  // Exchanges under way, reserved places included. The pool may drop a connection that has none.
  [[nodiscard]] virtual std::size_t under_way() const noexcept = 0;

  // Begins an exchange in the reserved place, which it gives back in any case. A request without a
  // body leaves at once. Errors as for Exchange::write(); not_sent when the request has certainly
  // not been processed.
  virtual Result<std::unique_ptr<ClientExchange>> begin(Request request, BodySize size,
                                                        rt::Deadline deadline) = 0;

  // Ends it and all of its exchanges, with unavailable. Twice is fine.
  virtual void close() noexcept = 0;

  // Called whenever can_take_more() or is_usable() may have changed: an exchange is over, the other
  // side ended the connection. Set once, before the first reserve(). Called without locks, on any
  // fiber; it may be called after the pool is gone.
  virtual void on_change(std::function<void()> hook) = 0;

 protected:
  ClientConnection() = default;
};

}  // namespace parley::http::impl
