#include "parley/door/grpc_health.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "parley/codec/reflect.h"
#include "parley/rt/cond.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"

namespace parley::door {

// As protobuf has them.
struct HealthCheckRequest {
  std::string service;
};
struct HealthCheckResponse {
  std::int32_t status = 0;
};

struct GrpcHealth::State {
  Result<HealthCheckResponse> check(const HealthCheckRequest& request) {
    const std::lock_guard lock(mutex);
    const auto at = services.find(request.service);
    if (at != services.end()) return HealthCheckResponse{static_cast<std::int32_t>(at->second)};
    return Status(Code::not_found, "nothing is known of the service \"" + request.service + "\"");
  }

  void shutdown() {
    const std::lock_guard lock(mutex);
    is_over = true;
    for (auto& [name, serving] : services) serving = GrpcServing::not_serving;
    changed.broadcast();
  }

  // A method of `peer`, whose end would else wait for whoever watches.
  Status watch(const Peer& peer, Stream<HealthCheckRequest, HealthCheckResponse>& stream) {
    const auto request = stream.receive();
    if (!request) return request.error();
    if (!*request) return {Code::invalid_argument, "Watch takes the name of a service"};
    rt::Scope scope(rt::OnExit::cancel);
    const bool is_seen = scope.try_go("health end", [&] {
      if (peer.wait_shutdown().is_ok()) shutdown();
    });
    if (!is_seen) return {Code::resource_exhausted, "max_fibers: no fiber to watch for the end"};
    return tell((*request)->service, stream);
  }

  Status tell(const std::string& service, Stream<HealthCheckRequest, HealthCheckResponse>& stream) {
    std::optional<GrpcServing> told;
    std::unique_lock lock(mutex);
    for (;;) {
      const auto at = services.find(service);
      const GrpcServing now = at == services.end() ? GrpcServing::service_unknown : at->second;
      if (told == now) {
        if (is_over) return {Code::unavailable, "health: the server is shutting down"};
        if (Status s = changed.wait(lock); !s.is_ok()) return s;
        continue;
      }
      told = now;
      lock.unlock();
      if (Status s = stream.send({static_cast<std::int32_t>(now)}); !s.is_ok()) return s;
      lock.lock();
    }
  }

  rt::Mutex mutex;
  rt::Cond changed;
  std::map<std::string, GrpcServing, std::less<>> services = {{"", GrpcServing::serving}};
  bool is_over = false;
};

GrpcHealth::GrpcHealth(Peer& peer) : state_(std::make_shared<State>()) {
  peer.handle("/grpc.health.v1.Health/Check", [state = state_](const HealthCheckRequest& request) {
    return state->check(request);
  });
  peer.handle_stream(
      "/grpc.health.v1.Health/Watch",
      [state = state_, &peer](Stream<HealthCheckRequest, HealthCheckResponse>& stream) {
        return state->watch(peer, stream);
      });
}

Status GrpcHealth::set(std::string_view service, GrpcServing serving) {
  const std::lock_guard lock(state_->mutex);
  if (state_->is_over) return {Code::failed_precondition, "health: shutdown() was called"};
  const auto at = state_->services.find(service);
  if (at != state_->services.end()) {
    at->second = serving;
  } else if (state_->services.size() > max_services) {
    return {Code::resource_exhausted, "max_services: health is told of " +
                                          std::to_string(max_services) + " services at most"};
  } else {
    state_->services.emplace(service, serving);
  }
  state_->changed.broadcast();
  return {};
}

void GrpcHealth::shutdown() { state_->shutdown(); }

}  // namespace parley::door
