#include "parley/peer/peer.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "parley/base/assert.h"
#include "parley/codec/validate.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/farewell.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/inside.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/listening.h"
#include "parley/peer/impl/logging.h"
#include "parley/peer/impl/origin.h"
#include "parley/peer/impl/peer_options.h"
#include "parley/peer/impl/plugins.h"
#include "parley/peer/impl/words.h"
#include "parley/peer/impl/workplace.h"
#include "parley/rt/blocking.h"
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
  // `refused`: what was asked before it was made.
  Impl(PeerOptions options, Status refused)
      : options_(std::make_shared<const PeerOptions>(std::move(options))),
        plugins_(impl::Plugins::make(options_->plugins, nullptr)),
        refused_(std::move(refused)),
        framings_(std::make_shared<const impl::Framings>(impl::framings_of(*options_))),
        router_(std::make_shared<Router>()) {}

  // Asks plugins while the peer is built: what they refuse, it refuses.
  void built(Status status) {
    const std::lock_guard lock(lock_);
    if (refused_.is_ok()) refused_ = std::move(status);
  }
  void after_new_peer(Peer& peer) {
    if (plugins_ == nullptr) return;
    built(plugins_->run<Peer&>(&Plugin::after_new_peer, "after_new_peer", peer));
  }
  void on_register(const impl::Plugins* plugins, const Registration& registration) {
    if (plugins == nullptr) return;
    built(plugins->run<const Registration&>(&Plugin::on_register, "on_register", registration));
  }
  [[nodiscard]] const impl::Plugins* plugins() const { return plugins_.get(); }

  Router& router() { return *router_; }
  [[nodiscard]] const PeerOptions& options() const { return *options_; }

  Result<net::Address> listen(Peer& peer, std::string_view text, const ListenOptions& options) {
    const auto address = net::Address::parse(text);
    if (!address) return address.error();
    if (Status s = refused(); !s.is_ok()) return s;
    if (!begin_work()) return Status(Code::failed_precondition, "the peer is closed");
    return inside([&] { return start_listening(peer, *address, options); });
  }

  Status stop_listening(const net::Address& named) {
    const net::Address address = named.as_numbers();  // as that of a listener
    std::vector<std::shared_ptr<impl::Listening>> stopped;
    {
      const std::lock_guard lock(lock_);
      std::erase_if(listeners_, [&](const std::shared_ptr<impl::Listening>& each) {
        const bool is_it = each->address() == address;
        if (is_it) stopped.push_back(each);
        return is_it;
      });
    }
    for (const auto& each : stopped) each->stop();
    if (!stopped.empty()) return {};
    return {Code::not_found, "the peer does not listen at " + address.to_string() +
                                 ": give the address that listen() returned"};
  }

  Result<Session> dial(std::string_view text, const DialOptions& options) {
    const auto address = net::Address::parse(text);
    if (!address) return address.error();
    if (Status s = refused(); !s.is_ok()) return s;
    if (!begin_work()) return Status(Code::not_sent, "the peer is closed");
    return inside([&] { return start_dialling(*address, options); });
  }

  Result<Session> serve(std::unique_ptr<net::Stream> stream, Side side, const impl::Framings& own) {
    PARLEY_ASSERT(stream != nullptr, "a peer is to serve no stream at all");
    if (Status s = refused(); !s.is_ok()) return s;
    if (!begin_work()) return Status(Code::not_sent, "the peer is closed");
    return inside([&] { return start(std::move(stream), side, framings(own)); });
  }

  [[nodiscard]] const impl::Hub& hub() const { return *hub_; }

  [[nodiscard]] std::vector<Session> sessions() const {
    std::vector<Session> all;
    for (auto& connection : hub_->all()) all.emplace_back(std::move(connection));
    return all;
  }

  void close() {
    PARLEY_ASSERT(!is_inside(),
                  "a handler closes its own peer, or a hook does, which would wait for it: let the "
                  "fiber that made the peer close it, or ask for shutdown() there");
    begin_end(Status(Code::cancelled, "the peer was closed"), {});
    finish_end();
  }

  Status wait_shutdown(rt::Deadline deadline) { return farewell_.wait_begun(deadline); }

  ShutdownReport shutdown(const ShutdownOptions& options) {
    const Duration limit = options.limit.value_or(options_->drain_timeout);
    const auto begun = begin_end(Status(Code::cancelled, options.reason), limit);
    const std::string within = impl::in_milliseconds(limit);
    if (begun.is_first) {
      log(options.reason + ": ends within " + within + "; sessions: " +
          std::to_string(begun.sessions) + "; under way: " + begun.under_way.to_string());
    } else if (limit <= Duration::zero()) {
      log(options.reason + ": ends at once");
    }
    if (is_inside()) {
      // What was begun goes on by itself; without a fiber for it close() finishes it.
      (void)scope_.try_go("shutdown", [this] { tell_end(); });
      return {.sessions = begun.sessions, .is_over = false};
    }
    tell_end();
    finish_end();
    return farewell_.report();
  }

 private:
  // `own`: of one listener or dial.
  net::Network& network(net::Network* own) {
    if (own != nullptr) return *own;
    return options_->network == nullptr ? tcp_ : *options_->network;
  }

  [[nodiscard]] std::shared_ptr<const impl::Framings> framings(const impl::Framings& own) const {
    return own.empty() ? framings_ : std::make_shared<const impl::Framings>(own);
  }

  // f(), which begin_work() came before. Only hooks of plugins could ask for close() in it.
  template <class F>
  std::invoke_result_t<F> inside(F f) {
    auto made = plugins_ == nullptr ? f() : impl::run_inside(this, f);
    under_way_.done();
    return made;
  }

  // A handler of this peer, a callback, or a hook.
  [[nodiscard]] bool is_inside() const {
    return rt::Context::current().descends_from(scope_.context()) || impl::is_inside_of(this);
  }

  impl::Farewell::Begun begin_end(const Status& reason, std::optional<Duration> limit) {
    {
      const std::lock_guard lock(lock_);
      closed_ = true;  // from here on no listener and no session is added
      for (const auto& listening : listeners_) listening->stop();
    }
    introductions_.end_all(Status(Code::not_sent, "the peer was closed meanwhile"), limit);
    return farewell_.begin(reason, limit);
  }

  void tell_end() {
    farewell_.finish();
    if (!has_told_.exchange(true)) log(farewell_.report().to_string());
  }

  void finish_end() {
    const rt::WithContext bound(rt::Context::background());
    farewell_.finish();
    (void)under_way_.wait();
    (void)alive_.wait();
    const std::lock_guard lock(join_lock_);
    scope_.join();
    hub_->finish_errands();
  }

  // False once the peer is closed. Otherwise close() waits until under_way_ says that it is done.
  bool begin_work() {
    const std::lock_guard lock(lock_);
    if (!closed_) under_way_.add();
    return !closed_;
  }

  [[nodiscard]] Status refused() const {
    const std::lock_guard lock(lock_);
    return refused_;
  }

  Result<net::Address> start_listening(Peer& peer, const net::Address& address,
                                       const ListenOptions& options) {
    if (Status s = impl::check(options); !s.is_ok()) return s;
    auto made = network(options.network).listen(address, options.socket);
    if (!made) return made.error();
    const auto listening = std::make_shared<impl::Listening>(
        *std::move(made), framings(options.framings), options.max_sessions);
    if (plugins_ != nullptr) {
      Status status = plugins_->run<Peer&, const net::Address&>(
          &Plugin::after_listen, "after_listen", peer, listening->address());
      if (!status.is_ok()) return status;
    }
    {
      const std::lock_guard lock(lock_);
      if (closed_) return Status(Code::failed_precondition, "the peer was closed meanwhile");
      listeners_.push_back(listening);
    }
    if (scope_.try_go("accept", [this, listening] { accept_loop(listening); })) {
      return listening->address();
    }
    listening->stop();
    const std::lock_guard lock(lock_);
    std::erase(listeners_, listening);
    return Status(Code::resource_exhausted, "max_fibers: no fiber to accept sessions with");
  }

  Result<Session> start_dialling(const net::Address& address, const DialOptions& options) {
    if (Status s = impl::check(options); !s.is_ok()) return s;
    if (Status s = check_redial(options.redial); !s.is_ok()) return s;
    if (is_full()) return too_many_sessions();
    if (plugins_ != nullptr) {
      if (Status s = before_dial(address, false); !s.is_ok()) return s;
    }
    const auto until = rt::Deadline::after(options.timeout.value_or(options_->dial_timeout));
    auto stream = network(options.network).dial(address, until, options.socket);
    if (stream && options.redial.count > 0) return start_line(*std::move(stream), address, options);
    if (stream) return start(*std::move(stream), Side::dialled, framings(options.framings));
    return Status(Code::not_sent, "no connection to " + address.to_string())
        .with_cause(stream.error().message());
  }

  [[nodiscard]] Status check_redial(const RedialOptions& redial) const {
    if (redial.count == 0 || options_->max_fibers > 1) return impl::check(redial);
    return {Code::failed_precondition,
            "a session that is dialled again needs PeerOptions::max_fibers of at least 2"};
  }

  // An error of plugins.
  Status before_dial(const net::Address& address, bool is_redial) const {
    return plugins_->run<const Dialling&>(&Plugin::before_dial, "before_dial",
                                          {.address = address, .is_redial = is_redial});
  }

  // A session that is dialled again when its connection is cut.
  Result<Session> start_line(std::unique_ptr<net::Stream> stream, const net::Address& address,
                             const DialOptions& options) {
    impl::LineTerms terms{
        network(options.network),
        address,
        options.timeout.value_or(options_->dial_timeout),
        options,
        impl::Origin{options_, framings(options.framings), router_, plugins_, ready_, workplaces_,
                     hub_, in_session_, [this](const Connection&) { alive_.done(); }},
        [this] { return begin_connection(); },
        [this](const Connection& last) { forget(last); }};
    if (plugins_ != nullptr) {
      terms.before_dial = [this](const net::Address& to) { return before_dial(to, true); };
      terms.introduce = [this](Connection& made, std::string& id) {
        return introductions_.introduce(made, Side::dialled, true, id);
      };
    }
    const auto line = std::make_shared<impl::Line>(SessionNumber(++last_number_), std::move(terms));
    const std::shared_ptr<Connection> connection = line->start(std::move(stream));
    std::string id;
    Status status;
    if (plugins_ != nullptr) {
      status = introductions_.introduce(*connection, Side::dialled, false, id);
    }
    alive_.add();  // of the line; its connections are counted too
    if (status.is_ok()) status = admit_introduced(connection);
    if (!status.is_ok()) {
      line->abandon();
      alive_.done();
      return status;
    }
    return begin(connection, id);
  }

  // Of a session that there is already. False once the peer is closed.
  bool begin_connection() {
    const std::lock_guard lock(lock_);
    if (!closed_) alive_.add();
    return !closed_;
  }

  [[nodiscard]] bool is_full() const {
    return hub_->size() + introductions_.size() >= options_->max_sessions;
  }

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

  using Forget = std::function<void(const Connection&)>;

  Result<Session> start(std::unique_ptr<net::Stream> stream, Side side,
                        std::shared_ptr<const impl::Framings> framings) {
    return start(std::move(stream), side, std::move(framings),
                 [this](const Connection& gone) { forget(gone); });
  }

  Result<Session> start(std::unique_ptr<net::Stream> stream, Side side,
                        std::shared_ptr<const impl::Framings> framings, Forget forget) {
    const SessionNumber number(++last_number_);
    auto connection = std::make_shared<Connection>(
        std::move(stream), number, side,
        impl::Origin{options_, std::move(framings), router_, plugins_, ready_, workplaces_, hub_,
                     in_session_, std::move(forget)});
    if (plugins_ != nullptr) [[unlikely]]
      return start_with_plugins(connection, side);
    if (Status s = admit(connection); !s.is_ok()) return s;
    connection->begin();
    return Session(connection);
  }

  Result<Session> start_with_plugins(const std::shared_ptr<Connection>& connection, Side side) {
    std::string id;
    if (Status s = introductions_.introduce(*connection, side, false, id); !s.is_ok()) return s;
    if (Status s = admit_introduced(connection); !s.is_ok()) return s;
    return begin(connection, id);
  }

  // The same as admit(); plugins, which have met it, are told.
  Status admit_introduced(const std::shared_ptr<Connection>& connection) {
    Status status = admit(connection);
    if (!status.is_ok() && plugins_ != nullptr) impl::Early::tell_of_end(*connection, status);
    return status;
  }

  // `id`: what plugins want it to be called by, if that is not empty.
  Result<Session> begin(const std::shared_ptr<Connection>& connection, const std::string& id) {
    if (!id.empty()) (void)hub_->give(*connection, id);  // it was looked at before
    connection->begin();
    const Session session(connection);
    if (plugins_ == nullptr) return session;
    Status status;
    {
      const auto [context, cancel] = rt::Context::current().with_timeout(options_->early_timeout);
      const rt::WithContext bound(context);
      status = plugins_->run<const Session&>(&Plugin::on_session, "on_session", session);
    }
    if (status.is_ok()) return session;
    session.close();
    return status;
  }

  // Of a connection that `listening` has accepted, and counts already.
  Status start_accepted(std::unique_ptr<net::Stream> stream,
                        const std::shared_ptr<impl::Listening>& listening) {
    if (!listening->has_limit()) {
      return start(std::move(stream), Side::accepted, listening->framings()).error();
    }
    const auto seat = std::make_shared<impl::Listening::Seat>(listening);
    const auto session = start(std::move(stream), Side::accepted, listening->framings(),
                               [this, seat](const Connection& gone) {
                                 seat->leave();
                                 forget(gone);
                               });
    // A plugin may have refused one that had begun.
    if (!session) seat->leave();
    return session.error();
  }

  // What plugins do about a new session may take long: others are accepted meanwhile.
  Status accept(std::unique_ptr<net::Stream> stream,
                const std::shared_ptr<impl::Listening>& listening) {
    listening->began();
    if (plugins_ == nullptr ||
        !(plugins_->has(&Plugin::after_accept) || plugins_->has(&Plugin::on_session))) {
      return start_accepted(std::move(stream), listening);
    }
    auto introduce = [this, listening, stream = std::move(stream)]() mutable {
      const std::string address = stream->remote_address().to_string();
      const Status status = start_accepted(std::move(stream), listening);
      if (!status.is_ok()) log("refused " + address + ": " + status.to_string());
    };
    if (scope_.try_go("new session", std::move(introduce))) return {};
    listening->ended();
    return {Code::resource_exhausted, "max_fibers: no fiber for the plugins around a new session"};
  }

  void accept_loop(const std::shared_ptr<impl::Listening>& listening) {
    net::Listener& listener = listening->listener();
    Shortage shortage;
    for (;; rt::checkpoint()) {  // where there is always another connection, accept() does not wait
      const auto until = rt::Deadline::after(impl::Listening::pause(options_->accept_report));
      auto stream = listener.accept(until);
      if (listening->is_stopped()) return;
      tell_of(shortage, listener);
      if (!stream && stream.error().code() == Code::deadline_exceeded) continue;
      const Status full = is_full() ? too_many_sessions() : listening->has_room();
      if (stream && !full.is_ok()) {
        refuse(**stream, full);
        continue;
      }
      const Status failure = stream ? accept(*std::move(stream), listening) : stream.error();
      if (failure.is_ok()) continue;
      if (listening->is_stopped()) return;
      // Out of fibers, most likely. Connections wait in the kernel; trying again at once would only
      // spin.
      log("cannot accept: " + failure.to_string());
      if (!rt::sleep(impl::Listening::pause(options_->accept_pause)).is_ok()) return;
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

  void log(const std::string& line) const { impl::log_line(*options_, line); }

  const std::shared_ptr<const PeerOptions> options_;
  const std::shared_ptr<const impl::Plugins> plugins_;  // null when there are none
  Status refused_;  // guarded by the lock: why it neither listens nor dials
  const std::shared_ptr<const impl::Framings> framings_;
  const std::shared_ptr<Router> router_;
  net::TcpNetwork tcp_;
  const std::shared_ptr<impl::Hub> hub_ = std::make_shared<impl::Hub>();
  impl::Farewell farewell_{*hub_};
  std::atomic<bool> has_told_ = false;  // of its end
  std::atomic<std::uint64_t> last_number_ = 0;
  rt::WaitGroup under_way_;  // listen() and dial()
  impl::Introductions introductions_;

  mutable rt::Mutex lock_;  // of what follows
  bool closed_ = false;
  std::vector<std::shared_ptr<impl::Listening>> listeners_;

  rt::Pool<std::unique_ptr<impl::Workplace>> workplaces_{
      [] { return std::make_unique<impl::Workplace>(); }};
  rt::WaitGroup alive_;                         // sessions
  rt::Mutex join_lock_;                         // of whoever joins the next
  rt::Scope scope_{rt::Context::background()};  // accept loops: joined before the rest goes
  const rt::Context in_session_ = scope_.context().with_value(impl::InSession());
  rt::ReadyQueue ready_{"session",  // runs them
                        rt::Context::background(),
                        {.max_fibers = options_->max_fibers, .min_fibers = 1}};
};

Peer::Peer(PeerOptions options) {
  Status refused = impl::complete(options);
  impl_ = std::make_unique<Impl>(std::move(options), std::move(refused));
  impl_->after_new_peer(*this);
}

Peer::~Peer() { close(); }

void Peer::add_handler(std::string_view method, Handler handler, codec::MethodShape shape) {
  add({}, method, std::move(handler), std::move(shape), false);
}

void Peer::add(const impl::MethodPlace& place, std::string_view method, Handler handler,
               codec::MethodShape shape, bool is_stream) {
  const std::string name = place.prefix + std::string(method);
  const Registration registration{.method = name, .is_stream = is_stream};
  impl_->on_register(impl_->plugins(), registration);
  impl_->on_register(place.plugins.get(), registration);
  const PeerOptions& options = impl_->options();
  if (options.validate && shape.parameters != nullptr && !is_stream) {
    // Told now, and not only by the first call.
    const Status rules =
        codec::check_rules_as(*shape.parameters, {.patterns = options.patterns.get()});
    if (!rules.is_ok()) impl::log_line(options, name + " will fail: " + rules.to_string());
  }
  handler = impl::with_plugins(place.plugins, std::move(handler));
  if (is_stream) {
    impl_->router().add_stream(name, std::move(handler), std::move(shape));
  } else {
    impl_->router().add(name, std::move(handler), std::move(shape));
  }
}

impl::MethodPlace Peer::place_in(const impl::MethodPlace& place, std::string_view prefix,
                                 std::vector<Plugin> plugins) const {
  impl::MethodPlace inner = place;
  inner.prefix += prefix;
  if (plugins.empty()) return inner;
  if (place.plugins != nullptr) {
    const std::vector<Plugin>& outer = place.plugins->all();
    plugins.insert(plugins.begin(), outer.begin(), outer.end());
  }
  inner.plugins = impl::Plugins::make(std::move(plugins), impl_->plugins());
  return inner;
}

void Peer::add_unknown(wire::MessageType type, Handler handler, bool takes_filtered) {
  impl_->on_register(impl_->plugins(), Registration());
  impl_->router().set_unknown(type, std::move(handler), takes_filtered);
}

std::string Peer::name_of(std::string_view controller, std::string_view method) const {
  std::string joined(controller);
  if (!joined.empty()) joined += '_';
  joined += method;
  return impl_->options().name_mapper(joined);
}

const PeerOptions& Peer::options() const { return impl_->options(); }

std::vector<codec::MethodShape> Peer::methods() const { return impl_->router().methods(); }

std::vector<codec::MethodShape> Peer::stream_methods() const {
  return impl_->router().stream_methods();
}

Result<net::Address> Peer::listen(std::string_view address, const ListenOptions& options) {
  return impl_->listen(*this, address, options);
}

Status Peer::stop_listening(const net::Address& address) { return impl_->stop_listening(address); }

Result<Session> Peer::dial(std::string_view address, const DialOptions& options) {
  return impl_->dial(address, options);
}

Result<Session> Peer::serve(std::unique_ptr<net::Stream> stream, Side side,
                            std::vector<std::shared_ptr<const wire::Framing>> framings) {
  return impl_->serve(std::move(stream), side, framings);
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

Status Peer::wait_shutdown(rt::Deadline deadline) const { return impl_->wait_shutdown(deadline); }

ShutdownReport Peer::shutdown(const ShutdownOptions& options) { return impl_->shutdown(options); }

}  // namespace parley
