#include "parley/net/sim_network.h"

#include <utility>

#include "parley/net/impl/sim_state.h"

namespace parley::net {
namespace {

class SimListener final : public Listener {
 public:
  SimListener(std::shared_ptr<impl::SimState> state, impl::SimListeningRef listening)
      : state_(std::move(state)), listening_(std::move(listening)) {}
  ~SimListener() override { state_->close(listening_); }

  Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline) override {
    auto connection = state_->accept(*listening_, deadline);
    if (!connection) return connection.error();
    return impl::make_sim_stream(state_, *std::move(connection), 1);
  }
  void close() override { state_->close(listening_); }
  [[nodiscard]] const Address& address() const override { return listening_->address; }
  [[nodiscard]] ListenerCounts counts() const override {
    return {.accepted = state_->accepted(*listening_), .pauses = 0};
  }

 private:
  std::shared_ptr<impl::SimState> state_;
  impl::SimListeningRef listening_;
};

}  // namespace

Result<std::unique_ptr<Listener>> SimNode::listen(const Address& address,
                                                  const ListenOptions& options) {
  auto listening = state_.listen(host_, address, options);
  if (!listening) return listening.error().with_context("listen on " + address.to_string());
  return std::unique_ptr<Listener>(
      new SimListener(state_.shared_from_this(), *std::move(listening)));
}

Result<std::unique_ptr<Stream>> SimNode::dial(const Address& address, rt::Deadline deadline,
                                              const DialOptions& options) {
  auto connection = state_.dial(host_, address, deadline, options);
  if (!connection) return connection.error().with_context("dial " + address.to_string());
  return impl::make_sim_stream(state_.shared_from_this(), *std::move(connection), 0);
}

const std::string& SimNode::name() const { return host_.name; }

Address SimNode::address(std::uint16_t port) const {
  return {.network = "tcp", .host = host_.ipv4, .port = port};
}

rt::Context SimNode::context() const { return state_.context_of(host_); }

bool SimNode::is_up() const { return state_.is_up(host_); }

SimWorld::SimWorld(const SimOptions& options) : state_(std::make_shared<impl::SimState>(options)) {}

SimWorld::~SimWorld() { state_->end(); }

SimNode& SimWorld::node(std::string_view name) { return state_->node(name); }

void SimWorld::set_link(std::string_view from, std::string_view to, const LinkOptions& options) {
  state_->set_link(from, to, options);
}

void SimWorld::set_links(std::string_view a, std::string_view b, const LinkOptions& options) {
  set_link(a, b, options);
  set_link(b, a, options);
}

void SimWorld::block(std::string_view from, std::string_view to) {
  state_->set_blocked(from, to, true);
}

void SimWorld::unblock(std::string_view from, std::string_view to) {
  state_->set_blocked(from, to, false);
}

void SimWorld::partition(std::string_view a, std::string_view b) {
  block(a, b);
  block(b, a);
}

void SimWorld::heal(std::string_view a, std::string_view b) {
  unblock(a, b);
  unblock(b, a);
}

void SimWorld::isolate(std::string_view name) { state_->isolate(name); }
void SimWorld::heal() { state_->heal(); }
std::size_t SimWorld::cut(std::string_view a, std::string_view b) { return state_->cut(a, b); }
void SimWorld::crash(std::string_view name, Crash how) { state_->crash(name, how); }
void SimWorld::restart(std::string_view name) { state_->restart(name); }
SimCounts SimWorld::counts() const { return state_->counts(); }
std::uint64_t SimWorld::fingerprint() const { return state_->fingerprint(); }
std::size_t SimWorld::open_connections() const { return state_->open_connections(); }

}  // namespace parley::net
