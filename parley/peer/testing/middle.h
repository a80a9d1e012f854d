// Middle: somebody on the way between two peers who speak the parley framing: he hears all of it,
// and passes on what he likes. For tests.
//
//   Middle middle(pair.address, [](Message& m, bool up) { return std::vector{m, m}; });
//   auto session = pair.client.dial(middle.address());
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/wire/parley_framing.h"

namespace parley::testing {

class Middle {
 public:
  // What goes on instead of a message. `up`: to who was dialled. Called by two fibers for each
  // connection. A message is valid as long as this object.
  using PassOn = std::function<std::vector<wire::Message>(const wire::Message& message, bool up)>;

  Middle(std::string to, PassOn pass_on)
      : to_(std::move(to)),
        pass_on_(std::move(pass_on)),
        listener_(network_.listen(*net::Address::parse("tcp://127.0.0.1:0")).value()) {
    scope_.go("middle", [this] { accept(); });
  }
  ~Middle() {
    listener_->close();
    {
      const std::lock_guard lock(mutex_);
      for (const auto& each : lines_) each->close();
    }
    scope_.join();
  }
  Middle(const Middle&) = delete;
  Middle& operator=(const Middle&) = delete;

  [[nodiscard]] std::string address() const { return listener_->address().to_string(); }
  // All bytes of both directions.
  [[nodiscard]] std::string heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  struct Line {
    std::unique_ptr<net::Stream> down, up;
    wire::ParleyDecoder from_down, from_up;
    wire::ParleyEncoder to_up, to_down;
    void close() const {
      down->close();
      up->close();
    }
  };

  void accept() {
    for (;;) {
      auto came = listener_->accept();
      if (!came) return;
      auto line = std::make_shared<Line>();
      line->down = *std::move(came);
      line->up = network_.dial(*net::Address::parse(to_)).value();
      {
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
      }
      scope_.go("up", [this, line] {
        pass(*line, *line->down, line->from_down, *line->up, line->to_up, true);
      });
      scope_.go("down", [this, line] {
        pass(*line, *line->up, line->from_up, *line->down, line->to_down, false);
      });
    }
  }

  void pass(const Line& line, net::Stream& from, wire::ParleyDecoder& decoder, net::Stream& to,
            wire::ParleyEncoder& encoder, bool up) {
    std::string out;
    encoder.start(out);
    encoder.allow(*decoder.takes());  // peers take as much
    for (std::array<char, 4096> room{};;) {
      const auto size = from.read(room);
      if (!size || *size == 0) break;
      const std::string_view bytes(room.data(), *size);
      {
        const std::lock_guard lock(mutex_);
        heard_ += bytes;
      }
      decoder.feed(bytes);
      for (;;) {
        auto next = decoder.next();
        EXPECT_TRUE(next) << next.error();
        if (!next || !*next) break;
        if ((*next)->type == wire::MessageType::hello) continue;
        for (const wire::Message& each : pass_on_(**next, up)) {
          EXPECT_TRUE(encoder.encode(each, out).is_ok());
        }
      }
      if (!to.write(out).is_ok()) break;
      out.clear();
    }
    line.close();
  }

  const std::string to_;
  const PassOn pass_on_;
  net::TcpNetwork network_;
  std::unique_ptr<net::Listener> listener_;
  mutable rt::Mutex mutex_;
  std::vector<std::shared_ptr<Line>> lines_;
  std::string heard_;
  rt::Scope scope_;
};

}  // namespace parley::testing
