#include "parley/net/tls_network.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/semaphore.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

// After the network below could not accept, for another reason than that it is closed.
constexpr Duration accept_pause = std::chrono::milliseconds(100);

// One fiber accepts from the network below, and one does the handshake of each connection. A place
// is held from before a connection is taken until accept() has given it away.
class TlsListener final : public Listener {
 public:
  TlsListener(std::unique_ptr<Listener> below, const TlsNetworkOptions& options)
      : below_(std::move(below)),
        server_(*options.server),
        on_refused_(options.on_refused),
        places_(options.max_pending),
        ready_(options.max_pending) {}
  ~TlsListener() override { close(); }
  TlsListener(const TlsListener&) = delete;
  TlsListener& operator=(const TlsListener&) = delete;

  // False without a fiber for it.
  bool begin() {
    return scope_.try_go("tls listener", [this] { take_connections(); });
  }

  Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline) override {
    auto stream = ready_.receive(deadline);
    if (stream) {
      places_.release();
      ++accepted_;
      return *std::move(stream);
    }
    if (stream.error().code() != Code::out_of_range) return stream.error();
    const std::scoped_lock lock(lock_);
    return why_closed_;
  }

  void close() override {
    end(Status(Code::unavailable, "the listener at " + address().to_string() + " is closed"));
    below_->close();
    scope_.cancel();
    // Who has shaken hands and was not accepted is refused, as those in the queue below are.
    while (ready_.try_receive()) places_.release();
  }

  [[nodiscard]] const Address& address() const override { return below_->address(); }
  [[nodiscard]] ListenerCounts counts() const override {
    ListenerCounts counts = below_->counts();
    counts.accepted = accepted_;
    return counts;
  }
  [[nodiscard]] int descriptor() const override { return below_->descriptor(); }
  void set_shared() override { below_->set_shared(); }

 private:
  void take_connections() {
    while (places_.acquire().is_ok()) {
      auto stream = below_->accept();
      if (!stream) {
        places_.release();
        const bool is_over =
            stream.error().code() == Code::unavailable || !rt::Context::current().status().is_ok();
        if (is_over) return end(stream.error());
        refused(address(), stream.error());
        if (!rt::sleep(accept_pause).is_ok()) return end(stream.error());
        continue;
      }
      // Shared, for a function that is to be copied.
      const auto held = std::make_shared<std::unique_ptr<Stream>>(*std::move(stream));
      if (scope_.try_go("tls handshake", [this, held] { shake_hands(std::move(*held)); })) continue;
      refused((*held)->remote_address(),
              Status(Code::resource_exhausted, "max_fibers: no fiber to do the handshake with"));
      places_.release();
    }
  }

  void shake_hands(std::unique_ptr<Stream> stream) {
    const Address from = stream->remote_address();
    auto secured = server_.accept(std::move(stream));
    if (!secured) {
      places_.release();
      return refused(from, secured.error());
    }
    // There is room for as many as there are places; a channel that is closed drops it.
    if (!ready_.try_send(std::unique_ptr<Stream>(*std::move(secured)))) places_.release();
  }

  void refused(const Address& from, const Status& why) const {
    if (on_refused_) on_refused_(from, why);
  }

  // The first reason stays.
  void end(Status why) {
    const std::scoped_lock lock(lock_);
    if (!why_closed_.is_ok()) return;
    why_closed_ = std::move(why);
    ready_.close();
  }

  const std::unique_ptr<Listener> below_;
  TlsServer& server_;
  const std::function<void(const Address&, const Status&)> on_refused_;
  rt::Semaphore places_;
  rt::Channel<std::unique_ptr<Stream>> ready_;
  std::atomic<std::uint64_t> accepted_ = 0;
  rt::Mutex lock_;
  Status why_closed_;  // guarded by the lock
  rt::Scope scope_{rt::Context::background(), rt::OnExit::cancel};
};

}  // namespace

TlsNetwork::TlsNetwork(TlsNetworkOptions options) : options_(std::move(options)) {
  PARLEY_ASSERT(options_.below != nullptr, "a TlsNetwork needs a network below it");
  PARLEY_ASSERT(options_.max_pending > 0, "TlsNetworkOptions::max_pending is 0");
}

Result<std::unique_ptr<Listener>> TlsNetwork::listen(const Address& address,
                                                     const ListenOptions& options) {
  if (options_.server == nullptr) {
    return Status(Code::failed_precondition,
                  "listening at " + address.to_string() + ": TlsNetworkOptions::server is not set");
  }
  auto below = options_.below->listen(address, options);
  if (!below) return below.error();
  auto listener = std::make_unique<TlsListener>(*std::move(below), options_);
  if (!listener->begin()) {
    return Status(Code::resource_exhausted, "max_fibers: no fiber to accept connections with");
  }
  return std::unique_ptr<Listener>(std::move(listener));
}

Result<std::unique_ptr<Stream>> TlsNetwork::dial(const Address& address, rt::Deadline deadline,
                                                 const DialOptions& options) {
  if (options_.client == nullptr) {
    return Status(Code::failed_precondition,
                  "dialling " + address.to_string() + ": TlsNetworkOptions::client is not set");
  }
  auto below = options_.below->dial(address, deadline, options);
  if (!below) return below.error();
  const std::string& name = options_.server_name.empty() ? address.host : options_.server_name;
  auto secured = options_.client->connect_to(name, *std::move(below), deadline);
  if (!secured) return secured.error().with_context("dialling " + address.to_string());
  return std::unique_ptr<Stream>(*std::move(secured));
}

}  // namespace parley::net
