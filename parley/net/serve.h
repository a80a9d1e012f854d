// Server: accepts connections and runs a handler when bytes have come. A connection at rest is an
// object of a few hundred bytes and owns no stack, so that a hundred thousand of them cost memory
// for what they are, not for what they might do. In a handler everything may wait as usual; it has
// a fiber, and with it a stack, until it returns.
//
//   auto echo = [](net::Stream& stream) -> Result<net::Next> {
//     std::array<char, 4096> buffer;
//     const auto size = stream.try_read(buffer);
//     if (!size) return size.error();
//     if (!*size) return net::Next::rest;                    // nothing after all
//     if (**size == 0) return net::Next::end;
//     if (Status s = stream.write({buffer.data(), **size}); !s.is_ok()) return s;
//     return net::Next::rest;                                // called again if something is left
//   };
//   Status status = net::Server(**listener, echo).serve();
//
// A stream that cannot tell when it becomes readable (Stream::readiness() is null) is served as
// well, by a fiber that waits for as long as the connection lives.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>

#include "parley/base/result.h"
#include "parley/net/stream.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/wait_group.h"

namespace parley::net {

namespace impl {
class Served;
struct ServedNode;
}  // namespace impl

// What becomes of a connection when its handler returns.
enum class Next : std::uint8_t {
  rest,       // wait for more
  end,        // close it
  hand_over,  // it is no longer watched: Servant::take() gets it
};

// What a program keeps of one connection, and what it does with it.
class Servant {
 public:
  // When the connection is over and `stream` is gone.
  virtual ~Servant() = default;

  // On a fiber: right after the connection was made, and whenever something has come since the last
  // call returned; never two at once. There may be nothing to read after all. What it leaves to be
  // read makes this be called again, after the other connections that have something: so one
  // try_read a call is fair, and a call that reads nothing would be repeated for ever. An error
  // ends the connection and goes to ServeOptions::on_error, as does an exception. Rest after the
  // end was read is the same as end. Waits end when the server stops.
  virtual Result<Next> on_readable(Stream& stream) = 0;

  // The connection is over, whoever ended it, and `stream` goes when this returns: the last moment
  // for fibers of the servant's own that use it. On a fiber; it may wait.
  virtual void on_end(Stream& /*stream*/) {}

  // When it wants to be called although nothing comes; asked after each of these calls. So what a
  // connection waits for costs an alarm and no fiber: the rest of a message, or the end of a
  // linger. May be put off as often as wanted, which costs nothing until it would have rung.
  [[nodiscard]] virtual Instant due() { return Instant::max(); }
  // At due() or a little later, with nothing to read just then; as on_readable() otherwise. One
  // that leaves due() where it was is called again at once.
  virtual Result<Next> on_due(Stream& /*stream*/) { return Next::rest; }
  // Once, after Server::drain(): what is under way is to be the last.
  virtual Result<Next> on_drain(Stream& /*stream*/) { return Next::rest; }
  // After Next::hand_over, on the same fiber, for as long as it likes: the connection keeps its
  // place and is waited for until this returns, and its waits end when the server stops. Who moves
  // the stream on keeps it longer. The servant goes afterwards.
  virtual void take(std::unique_ptr<Stream> /*stream*/) {}
};

struct ServeOptions {
  // Connections at once. Further ones stay in the kernel's queue (ListenOptions::backlog) until one
  // ends.
  std::size_t max_connections = 1'000'000;
  // Handlers at once that have begun and wait for something. At the limit, and at
  // RuntimeOptions::max_fibers, connections that have something to say wait for their turn.
  std::size_t max_handlers = 10'000;
  // A connection whose handler had nothing to do for so long, or up to a sixteenth longer, ends
  // with deadline_exceeded. Zero: it may be silent for ever.
  Duration idle_timeout{};
  // Called on a fiber for each new connection before anything else, without holding up others: to
  // put TLS on it, for example. Null: the connection is served as it is.
  std::function<Result<std::unique_ptr<Stream>>(std::unique_ptr<Stream>)> open{};
  // Told why a connection to `remote` ended, unless its handler or the server wanted it. On a fiber
  // of that connection. Null: nobody is told.
  std::function<void(const Address& remote, const Status& why)> on_error{};
};

// What a server did so far, and has now.
struct ServeCounts {
  std::uint64_t accepted = 0;
  std::size_t connections = 0;  // now
  // Fibers that are in a handler, or about to be. None when every connection is at rest.
  std::size_t handlers = 0;
  std::uint64_t errors = 0;         // connections that ended with one, idle ones included
  std::uint64_t idle_timeouts = 0;  // connections that were silent for too long
  // How often max_connections, and max_handlers or max_fibers, kept something waiting.
  std::uint64_t waits_for_connection = 0;
  std::uint64_t waits_for_handler = 0;
};

class Server {
 public:
  using MakeServant = std::function<std::unique_ptr<Servant>(Stream& stream)>;

  // `make_servant` is called for each new connection, on a fiber on which it may wait and write a
  // greeting; null refuses the connection. `listener` must outlive the server. Inside a fiber.
  Server(Listener& listener, MakeServant make_servant, ServeOptions options = {});
  // One function for all connections, with nothing to keep of any: Result<Next>(Stream&).
  template <class Handler>
    requires std::is_invocable_r_v<Result<Next>, Handler&, Stream&>
  Server(Listener& listener, Handler handler, ServeOptions options = {});
  // After serve() has returned.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Once. invalid_argument for a limit of 0. Accepts until the listener is closed, and returns ok
  // when the last connection has ended. When the calling fiber's context ends, or accept() fails,
  // ends all connections and returns that status once their handlers have returned.
  Status serve();

  // From any fiber: each servant is told once, on its fiber, that its connection should come to an
  // end (Servant::on_drain), those of connections still to come as well. Returns at once; serve()
  // returns when they have ended and the listener was closed. Twice is fine.
  void drain();

  // From any fiber.
  [[nodiscard]] ServeCounts counts() const;

 private:
  friend class impl::Served;
  struct Connections;

  Status accept_all();
  void stop();

  Listener& listener_;
  const MakeServant make_servant_;
  const ServeOptions options_;
  rt::Semaphore places_;
  rt::WaitGroup alive_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> draining_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  std::atomic<std::uint64_t> idle_timeouts_ = 0;
  std::atomic<std::uint64_t> waits_for_connection_ = 0;
  const std::unique_ptr<Connections> connections_;
  rt::ReadyQueue ready_;
};

namespace impl {

template <class Handler>
class FunctionServant final : public Servant {
 public:
  explicit FunctionServant(Handler& handler) : handler_(handler) {}
  Result<Next> on_readable(Stream& stream) override { return handler_(stream); }

 private:
  Handler& handler_;
};

}  // namespace impl

template <class Handler>
  requires std::is_invocable_r_v<Result<Next>, Handler&, Stream&>
Server::Server(Listener& listener, Handler handler, ServeOptions options)
    : Server(listener,
             MakeServant([shared = std::make_shared<Handler>(std::move(handler))](Stream&) {
               return std::make_unique<impl::FunctionServant<Handler>>(*shared);
             }),
             std::move(options)) {}

}  // namespace parley::net
