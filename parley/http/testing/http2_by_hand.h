// A client of HTTP/2 by hand, over a stream: for tests inside a fiber.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/testing/http2_frames.h"
#include "parley/net/stream.h"
#include "parley/rt/deadline.h"

namespace parley::http::testing {

// A client that writes frames by hand and gathers those that come.
class ByHand {
 public:
  explicit ByHand(std::unique_ptr<net::Stream> stream, Duration patience = std::chrono::seconds(15))
      : stream_(std::move(stream)), patience_(patience) {
    send(hello() + frame(settings_frame, acknowledges, 0));
  }
  void send(std::string_view bytes) { EXPECT_TRUE(stream_->write(bytes).is_ok()); }
  // Reads until there is a frame of this type (and stream); false at the end.
  bool wait_for(unsigned type, std::uint32_t id, unsigned flags = 0) {
    for (;;) {
      for (; looked_at_ < frames.size(); ++looked_at_) {
        const Frame& one = frames[looked_at_];
        if (one.type == type && one.id == id && (one.flags & flags) == flags) {
          ++looked_at_;
          return true;
        }
      }
      if (!read()) return false;
    }
  }
  // What wait_for() found.
  [[nodiscard]] const Frame& last() const { return frames[looked_at_ - 1]; }
  bool read() {
    std::array<char, 16384> buffer{};
    const auto size = stream_->read(buffer, rt::Deadline::after(patience_));
    if (!size || *size == 0) return false;
    ++reads;
    in_.append(buffer.data(), *size);
    for (Frame& one : frames_in(in_)) frames.push_back(std::move(one));
    return true;
  }
  [[nodiscard]] std::string body_of(std::uint32_t id) const {
    std::string body;
    for (const Frame& one : frames) {
      if (one.type == data_frame && one.id == id) body += one.payload;
    }
    return body;
  }
  net::Stream& stream() { return *stream_; }

  std::vector<Frame> frames;
  int reads = 0;

 private:
  std::unique_ptr<net::Stream> stream_;
  const Duration patience_;
  std::string in_;
  std::size_t looked_at_ = 0;
};

}  // namespace parley::http::testing
