// Foreign: a connection by hand that speaks the parley framing, for tests of what a peer makes of
// it. Belongs to one fiber.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/net/network.h"
#include "parley/rt/deadline.h"
#include "parley/wire/parley_framing.h"

namespace parley::testing {

class Foreign {
 public:
  explicit Foreign(const std::string& address)
      : stream_(network_.dial(*net::Address::parse(address)).value()) {}

  void say(std::string_view bytes) { EXPECT_TRUE(stream_->write(bytes).is_ok()); }
  void say_hello() {
    std::string out;
    encoder_.start(out);
    say(out);
  }
  void say(const wire::Message& message) { say_at_once({message}); }
  // False once the other side has cut the connection.
  bool try_say(const wire::Message& message) {
    std::string out;
    EXPECT_TRUE(encoder_.encode(message, out).is_ok());
    return stream_->write(out).is_ok();
  }
  // In one write.
  void say_at_once(const std::vector<wire::Message>& messages) {
    std::string out;
    for (const wire::Message& message : messages) {
      EXPECT_TRUE(encoder_.encode(message, out).is_ok());
    }
    say(out);
  }
  // Says no more.
  void finish() { EXPECT_TRUE(stream_->close_write().is_ok()); }
  // The next message; one of type cancel when the other side has closed.
  wire::Message hear() {
    for (;;) {
      auto next = decoder_.next();
      EXPECT_TRUE(next) << next.error();
      if (!next) return {.type = wire::MessageType::cancel};
      if (*next) return **std::move(next);
      std::array<char, 4096> room{};
      const auto size = stream_->read(room, rt::Deadline::after(std::chrono::seconds(5)));
      if (!size || *size == 0) return {.type = wire::MessageType::cancel};
      decoder_.feed(std::string_view(room.data(), *size));
    }
  }

 private:
  net::TcpNetwork network_;
  std::unique_ptr<net::Stream> stream_;
  wire::ParleyEncoder encoder_;
  wire::ParleyDecoder decoder_;
};

}  // namespace parley::testing
