#include "parley/peer/peer.h"

#include <string>
#include <unordered_map>

#include "parley/base/assert.h"
#include "parley/peer/impl/connection.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley {

using impl::Connection;

class Peer::Impl {
 public:
  explicit Impl(PeerOptions options)
      : options_(std::make_shared<const PeerOptions>(std::move(options))),
        router_(std::make_shared<Router>()) {}

  Router& router() { return *router_; }

  Result<net::Address> listen(std::string_view text) {
    const auto address = net::Address::parse(text);
    if (!address) return address.error();
    if (closed_) return Status(Code::failed_precondition, "the peer is closed");
    auto listener = network().listen(*address);
    if (!listener) return listener.error();
    net::Listener& accepting = **listener;
    listeners_.push_back(*std::move(listener));
    scope_.go("accept", [this, &accepting] { accept_loop(accepting); });
    return accepting.address();
  }

  Result<Session> dial(std::string_view text) {
    const auto address = net::Address::parse(text);
    if (!address) return address.error();
    if (closed_) return Status(Code::not_sent, "the peer is closed");
    if (is_full()) return too_many_sessions();
    no_dials_.add();  // close() waits for us
    auto stream = network().dial(*address, rt::Deadline::after(options_->dial_timeout));
    auto session = admit(*address, std::move(stream));
    no_dials_.done();
    return session;
  }

  [[nodiscard]] std::vector<Session> sessions() const {
    std::vector<Session> all;
    all.reserve(connections_.size());
    for (const auto& [id, connection] : connections_) all.emplace_back(connection);
    return all;
  }

  [[nodiscard]] std::size_t session_count() const { return connections_.size(); }

  void close() {
    PARLEY_ASSERT(!rt::Context::current().descends_from(scope_.context()),
                  "a handler closes its own peer, which would wait for that handler: let the fiber "
                  "that made the peer close it");
    closed_ = true;
    const rt::WithContext bound(rt::Context::background());
    for (const auto& listener : listeners_) listener->close();
    rt::Scope closing;
    for (const Session& session : sessions()) {
      // Without a fiber to spare they end one after the other.
      const auto close_it = [session] { session.close(); };
      if (!closing.try_go("close session", close_it)) close_it();
    }
    closing.join();
    (void)no_dials_.wait();
    scope_.join();
  }

 private:
  net::Network& network() { return options_->network == nullptr ? tcp_ : *options_->network; }

  [[nodiscard]] bool is_full() const { return connections_.size() >= options_->max_sessions; }

  [[nodiscard]] Status too_many_sessions() const {
    return {Code::resource_exhausted,
            "max_sessions: " + std::to_string(connections_.size()) + " sessions are open"};
  }

  // What dialling came to, after others may have dialled or closed meanwhile.
  Result<Session> admit(const net::Address& address, Result<std::unique_ptr<net::Stream>> stream) {
    if (!stream) {
      return Status(Code::not_sent, "no connection to " + address.to_string())
          .with_cause(stream.error().message());
    }
    if (closed_) return Status(Code::not_sent, "the peer was closed while dialling");
    if (is_full()) return too_many_sessions();  // others were dialled meanwhile
    return start(*std::move(stream));
  }

  // Refuses rather than waits at the limit of fibers: those that hold them may wait for us.
  Result<Session> start(std::unique_ptr<net::Stream> stream) {
    const SessionId id(++last_id_);
    auto connection = std::make_shared<Connection>(std::move(stream), id, options_, router_);
    const bool started = scope_.try_go("session", [this, connection] {
      connection->run();
      connections_.erase(connection->id());
    });
    if (!started) return Status(Code::resource_exhausted, "max_fibers: no fiber for a session");
    connections_.emplace(id, connection);
    return Session(connection);
  }

  void accept_loop(net::Listener& listener) {
    for (;;) {
      auto stream = listener.accept();
      if (stream && is_full()) {
        log("refused " + (*stream)->remote_address().to_string() + ": " +
            too_many_sessions().message());
        continue;
      }
      if (closed_) return;
      Status failure = stream.error();
      if (stream) failure = start(*std::move(stream)).error();
      if (failure.is_ok()) continue;
      // Out of descriptors or fibers, most likely. Connections wait in the kernel; trying again at
      // once would only spin.
      log("cannot accept: " + failure.to_string());
      if (!rt::sleep(options_->accept_pause).is_ok()) return;
    }
  }

  void log(const std::string& line) const {
    if (options_->log) options_->log(line);
  }

  std::shared_ptr<const PeerOptions> options_;
  std::shared_ptr<Router> router_;
  net::TcpNetwork tcp_;
  bool closed_ = false;
  rt::WaitGroup no_dials_;
  std::uint64_t last_id_ = 0;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unordered_map<SessionId, std::shared_ptr<Connection>> connections_;
  rt::Scope scope_{
      rt::Context::background()};  // accept loops and sessions: joined before the rest goes
};

Peer::Peer(PeerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Peer::~Peer() { close(); }

void Peer::add_handler(std::string_view method, Handler handler) {
  impl_->router().add(method, std::move(handler));
}

Result<net::Address> Peer::listen(std::string_view address) { return impl_->listen(address); }

Result<Session> Peer::dial(std::string_view address) { return impl_->dial(address); }

std::vector<Session> Peer::sessions() const { return impl_->sessions(); }

std::size_t Peer::session_count() const { return impl_->session_count(); }

void Peer::close() { impl_->close(); }

}  // namespace parley
