// HandServer: a server of HTTP/2 at inproc:shop whose frames a test writes by hand. Inside a fiber.
//
//   HandServer world([](Hand& hand, int) { hand.answer(hand.wait_for(headers_frame), "tea"); });
//   Client client(world.network, {.versions = Versions::http_2, .address_of = at_shop});
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/http/testing/http2_frames.h"
#include "parley/http/url.h"
#include "parley/net/in_process_network.h"
#include "parley/net/stream.h"
#include "parley/rt/scope.h"

namespace parley::http::testing {

inline const net::Address& shop_address() {
  static const net::Address address = *net::Address::parse("inproc:shop");
  return address;
}

// ClientOptions::address_of.
inline Result<net::Address> at_shop(const Url& /*url*/) { return shop_address(); }

// One connection.
class Hand {
 public:
  explicit Hand(net::Stream& stream) : stream_(stream) {}
  void send(const std::string& bytes) { (void)stream_.write(bytes); }
  void close() { stream_.close(); }
  // The next frame of this type; its id, 0 at the end.
  std::uint32_t wait_for(unsigned type) {
    for (;;) {
      while (!frames_.empty()) {
        last_ = frames_.front();
        frames_.erase(frames_.begin());
        if (last_.type == type) return last_.id;
      }
      std::array<char, 4096> buffer{};
      const auto size = stream_.read(buffer);
      if (!size || *size == 0) return 0;
      in_.append(buffer.data(), *size);
      if (in_.starts_with(preface)) in_.erase(0, preface.size());
      for (Frame& one : frames_in(in_)) frames_.push_back(std::move(one));
    }
  }
  // What wait_for() found.
  [[nodiscard]] const Frame& last() const { return last_; }
  void answer(std::uint32_t id, const std::string& body) {
    send(head(id, {{":status", "200"}}, 0) + frame(data_frame, ends_stream, id, body));
  }

 private:
  net::Stream& stream_;
  std::string in_;
  std::vector<Frame> frames_;
  Frame last_;
};

class HandServer {
 public:
  // `serve` gets each connection with its number, from 0 on, behind what is said first.
  explicit HandServer(std::function<void(Hand&, int)> serve,
                      std::string first = frame(settings_frame, 0, 0),
                      const net::InProcessOptions& options = {})
      : network(options), serve_(std::move(serve)), first_(std::move(first)) {
    scope_.go("server", [this] {
      while (auto stream = listener_->accept()) {
        scope_.go("connection", [this, it = std::shared_ptr(*std::move(stream)), n = accepted++] {
          Hand hand(*it);
          hand.send(first_);
          serve_(hand, n);
          while (hand.wait_for(unsigned{255}) != 0) continue;  // to the end
        });
      }
    });
  }
  ~HandServer() {
    scope_.cancel();
    scope_.join();
  }

  net::InProcessNetwork network;
  std::atomic<int> accepted = 0;

 private:
  const std::function<void(Hand&, int)> serve_;
  const std::string first_;
  std::unique_ptr<net::Listener> listener_ = std::move(*network.listen(shop_address()));
  rt::Scope scope_;
};

}  // namespace parley::http::testing
