#include "parley/peer/peer.h"

#include <atomic>
#include <mutex>
#include <string>

#include "parley/base/assert.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/origin.h"
#include "parley/peer/impl/workplace.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/pool.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley {

using impl::Connection;

class Peer::Impl {
 public:
  explicit Impl(PeerOptions options)
      : options_(std::make_shared<const PeerOptions>(std::move(options))),
        framings_(std::make_shared<const impl::Framings>(impl::framings_of(*options_))),
        router_(std::make_shared<Router>()) {}

  Router& router() { return *router_; }
  [[nodiscard]] const PeerOptions& options() const { return *options_; }

  Result<net::Address> listen(std::string_view text) {
    const auto address = net::Address::parse(text);
    if (!address) return address.error();
    if (!begin_work()) return Status(Code::failed_precondition, "the peer is closed");
    auto listening = start_listening(*address);
    under_way_.done();
    return listening;
  }

  Result<Session> dial(std::string_view text) {
    const auto address = net::Address::parse(text);
    if (!address) return address.error();
    if (!begin_work()) return Status(Code::not_sent, "the peer is closed");
    auto session = start_dialling(*address);
    under_way_.done();
    return session;
  }

  Result<Session> serve(std::unique_ptr<net::Stream> stream, Side side) {
    PARLEY_ASSERT(stream != nullptr, "a peer is to serve no stream at all");
    if (!begin_work()) return Status(Code::not_sent, "the peer is closed");
    auto session = start(std::move(stream), side);
    under_way_.done();
    return session;
  }

  [[nodiscard]] const impl::Hub& hub() const { return *hub_; }

  [[nodiscard]] std::vector<Session> sessions() const {
    std::vector<Session> all;
    for (auto& connection : hub_->all()) all.emplace_back(std::move(connection));
    return all;
  }

  void close() {
    PARLEY_ASSERT(!rt::Context::current().descends_from(scope_.context()),
                  "a handler closes its own peer, which would wait for that handler: let the fiber "
                  "that made the peer close it");
    const rt::WithContext bound(rt::Context::background());
    {
      const std::lock_guard lock(lock_);
      closed_ = true;  // from here on no listener and no session is added
      for (const auto& listener : listeners_) listener->close();
    }
    rt::Scope closing;
    for (const Session& session : sessions()) {
      // Without a fiber to spare they end one after the other.
      const auto close_it = [session] { session.close(); };
      if (!closing.try_go("close session", close_it)) close_it();
    }
    closing.join();
    (void)under_way_.wait();
    (void)alive_.wait();
    scope_.join();
  }

 private:
  net::Network& network() { return options_->network == nullptr ? tcp_ : *options_->network; }

  // False once the peer is closed. Otherwise close() waits until under_way_ says that it is done.
  bool begin_work() {
    const std::lock_guard lock(lock_);
    if (!closed_) under_way_.add();
    return !closed_;
  }

  Result<net::Address> start_listening(const net::Address& address) {
    auto made = network().listen(address);
    if (!made) return made.error();
    const std::shared_ptr<net::Listener> listener = *std::move(made);
    {
      const std::lock_guard lock(lock_);
      if (closed_) return Status(Code::failed_precondition, "the peer was closed meanwhile");
      listeners_.push_back(listener);
    }
    if (scope_.try_go("accept", [this, listener] { accept_loop(*listener); })) {
      return listener->address();
    }
    listener->close();
    const std::lock_guard lock(lock_);
    std::erase(listeners_, listener);
    return Status(Code::resource_exhausted, "max_fibers: no fiber to accept sessions with");
  }

  Result<Session> start_dialling(const net::Address& address) {
    if (is_full()) return too_many_sessions();
    auto stream = network().dial(address, rt::Deadline::after(options_->dial_timeout));
    if (stream) return start(*std::move(stream), Side::dialled);
    return Status(Code::not_sent, "no connection to " + address.to_string())
        .with_cause(stream.error().message());
  }

  [[nodiscard]] bool is_full() const { return hub_->size() >= options_->max_sessions; }

  [[nodiscard]] Status too_many_sessions() const {
    return {Code::resource_exhausted,
            "max_sessions: " + std::to_string(options_->max_sessions) + " sessions are open"};
  }

  // Ok when the session is in the table, where close() finds it.
  Status admit(const std::shared_ptr<Connection>& connection) {
    const std::lock_guard lock(lock_);
    if (closed_) return {Code::not_sent, "the peer was closed while dialling"};
    alive_.add();  // before others can see it, and end it
    // Others may have been dialled or accepted meanwhile.
    Status status = hub_->add(connection, options_->max_sessions);
    if (!status.is_ok()) alive_.done();
    return status;
  }

  void forget(const Connection& connection) {
    hub_->remove(connection);
    alive_.done();
  }

  Result<Session> start(std::unique_ptr<net::Stream> stream, Side side) {
    const SessionNumber number(++last_number_);
    auto connection = std::make_shared<Connection>(
        std::move(stream), number, side,
        impl::Origin{options_, framings_, router_, ready_, workplaces_, hub_, in_session_,
                     [this](const Connection& gone) { forget(gone); }});
    if (Status s = admit(connection); !s.is_ok()) return s;
    connection->begin();
    return Session(connection);
  }

  void accept_loop(net::Listener& listener) {
    Shortage shortage;
    for (;;) {
      const auto until = rt::Deadline::after(options_->accept_report);
      auto stream = listener.accept(until);
      if (is_closed()) return;
      tell_of(shortage, listener);
      if (!stream && stream.error().code() == Code::deadline_exceeded) continue;
      if (stream && is_full()) {
        refuse(**stream, too_many_sessions());
        continue;
      }
      const Status failure =
          stream ? start(*std::move(stream), Side::accepted).error() : stream.error();
      if (failure.is_ok()) continue;
      if (is_closed()) return;
      // Out of fibers, most likely. Connections wait in the kernel; trying again at once would only
      // spin.
      log("cannot accept: " + failure.to_string());
      if (!rt::sleep(options_->accept_pause).is_ok()) return;
    }
  }

  void refuse(const net::Stream& stream, const Status& why) const {
    log("refused " + stream.remote_address().to_string() + ": " + why.message());
  }

  // What has been told of accept() finding no descriptor.
  struct Shortage {
    std::uint64_t pauses = 0;
    Instant at{};
  };

  void tell_of(Shortage& told, const net::Listener& listener) const {
    const std::uint64_t pauses = listener.counts().pauses;
    if (pauses == told.pauses) return;
    if (told.pauses > 0 && rt::now() - told.at < options_->accept_report) return;
    log("accepting at " + listener.address().to_string() + " paused " +
        std::to_string(pauses - told.pauses) +
        " times because no descriptor was left; connections wait in the kernel's queue: raise the "
        "limit (ulimit -n), or lower max_sessions");
    told = {.pauses = pauses, .at = rt::now()};
  }

  [[nodiscard]] bool is_closed() const {
    const std::lock_guard lock(lock_);
    return closed_;
  }

  void log(const std::string& line) const {
    if (options_->log) options_->log(line);
  }

  const std::shared_ptr<const PeerOptions> options_;
  const std::shared_ptr<const impl::Framings> framings_;
  const std::shared_ptr<Router> router_;
  net::TcpNetwork tcp_;
  const std::shared_ptr<impl::Hub> hub_ = std::make_shared<impl::Hub>();
  std::atomic<std::uint64_t> last_number_ = 0;
  rt::WaitGroup under_way_;  // listen() and dial()

  mutable rt::Mutex lock_;  // of what follows
  bool closed_ = false;
  std::vector<std::shared_ptr<net::Listener>> listeners_;

  rt::Pool<std::unique_ptr<impl::Workplace>> workplaces_{
      [] { return std::make_unique<impl::Workplace>(); }};
  rt::WaitGroup alive_;                         // sessions
  rt::Scope scope_{rt::Context::background()};  // accept loops: joined before the rest goes
  const rt::Context in_session_ = scope_.context().with_value(impl::InSession());
  rt::ReadyQueue ready_{"session",  // runs them
                        rt::Context::background(),
                        {.max_fibers = options_->max_fibers, .min_fibers = 1}};
};

Peer::Peer(PeerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Peer::~Peer() { close(); }

void Peer::add_handler(std::string_view method, Handler handler, codec::MethodShape shape) {
  impl_->router().add(method, std::move(handler), std::move(shape));
}

void Peer::add_stream_handler(std::string_view method, Handler handler) {
  impl_->router().add_stream(method, std::move(handler));
}

void Peer::set_unknown(wire::MessageType type, Handler handler) {
  impl_->router().set_unknown(type, std::move(handler));
}

std::string Peer::name_of(std::string_view controller, std::string_view method) const {
  std::string joined(controller);
  if (!joined.empty()) joined += '_';
  joined += method;
  return impl_->options().name_mapper(joined);
}

std::vector<codec::MethodShape> Peer::methods() const { return impl_->router().methods(); }

Result<net::Address> Peer::listen(std::string_view address) { return impl_->listen(address); }

Result<Session> Peer::dial(std::string_view address) { return impl_->dial(address); }

Result<Session> Peer::serve(std::unique_ptr<net::Stream> stream, Side side) {
  return impl_->serve(std::move(stream), side);
}

std::vector<Session> Peer::sessions() const { return impl_->sessions(); }

std::size_t Peer::session_count() const { return impl_->hub().size(); }

std::optional<Session> Peer::session(std::string_view id) const {
  auto found = impl_->hub().find(id);
  if (found == nullptr) return std::nullopt;
  return Session(std::move(found));
}

std::optional<Session> Peer::random_session() const {
  auto found = impl_->hub().any();
  if (found == nullptr) return std::nullopt;
  return Session(std::move(found));
}

void Peer::close() { impl_->close(); }

}  // namespace parley
