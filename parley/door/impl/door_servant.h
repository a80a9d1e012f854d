// DoorServant: one connection of a Door in a net::Server: finds out what it speaks and becomes
// that. Private to door. Belongs to the server's fiber of the connection.
//
//   net::Server server(listener, [&](net::Stream&) {
//     return std::make_unique<DoorServant>(rooms, detector);
//   });
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "parley/door/detect.h"
#include "parley/door/erpc_http.h"
#include "parley/http/service.h"
#include "parley/net/serve.h"
#include "parley/peer/peer.h"

namespace parley::door::impl {

// Where connections go, and how many did. Outlives the servants.
struct Rooms {
  Peer& peer;
  std::shared_ptr<http::Service> http{};
  std::function<void(std::unique_ptr<net::Stream>)> pass_on{};  // what is TLS
  bool takes_erpc_http = false;  // calls of it, among what begins as HTTP/1
  std::function<void(const net::Address& remote, const Status& why)> on_error{};

  std::map<std::string, std::atomic<std::uint64_t>, std::less<>> counts{};  // the names stay
  std::atomic<std::size_t> undetected = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::uint64_t> timeouts = 0;
  std::atomic<std::uint64_t> websockets = 0;
};

class DoorServant final : public net::Servant {
 public:
  // Made as the connection begins.
  DoorServant(Rooms& rooms, const Detector& detector);
  ~DoorServant() override;

  Result<net::Next> on_readable(net::Stream& stream) override;
  void on_end(net::Stream& stream) override;
  [[nodiscard]] Instant due() override;
  Result<net::Next> on_due(net::Stream& stream) override;
  Result<net::Next> on_drain(net::Stream& stream) override;
  void take(std::unique_ptr<net::Stream> stream) override;

 private:
  enum class Goes : std::uint8_t { nowhere, to_tls, to_peer };

  Result<net::Next> become(std::string_view spoken, net::Stream& stream);
  Result<net::Next> attend(std::unique_ptr<net::Servant> servant, net::Stream& stream);

  Rooms& rooms_;
  const Detector& detector_;
  const Instant due_;
  std::unique_ptr<net::Servant> http_;  // once it is that
  std::string before_;                  // what was read
  std::string spoken_;                  // the framing
  ErpcHttpSeen erpc_seen_;              // of `before_`
  Goes goes_ = Goes::nowhere;
  bool is_draining_ = false;
  bool is_detected_ = false;
};

}  // namespace parley::door::impl
