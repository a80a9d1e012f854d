// Large bodies are not copied: what a handler gets lies where it was read to, and what it returns
// is what is handed to the network.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/stream.h"
#include "parley/peer/impl/read_buffer.h"
#include "parley/peer/peer.h"
#include "parley/rt/event.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/wire/parley_framing.h"

namespace parley {
namespace {

// Below what goes in parts, and above what is cheaper to copy.
constexpr std::size_t body_bytes = std::size_t{40} << 10U;
constexpr int calls_in_flight = 4;

bool lies_in(std::string_view part, std::span<const char> whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// What passes between the test and its stream; for one worker.
struct Traffic {
  std::string_view unread;              // what comes
  std::vector<std::span<char>> places;  // where reads were to go
  std::vector<std::string_view> large;  // pieces that were written, from 16 KiB on
  std::size_t written = 0;
  bool is_closed = false;
  rt::Event more;   // came
  rt::Event wrote;  // something
};

class TrafficStream final : public net::Stream {
 public:
  explicit TrafficStream(Traffic& traffic) : traffic_(traffic) {}

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    while (traffic_.unread.empty()) {
      if (traffic_.is_closed) return std::size_t{0};
      traffic_.more.reset();
      if (Status s = traffic_.more.wait(deadline); !s.is_ok()) return s;
    }
    traffic_.places.push_back(into);
    const std::size_t size = std::min(into.size(), traffic_.unread.size());
    std::copy_n(traffic_.unread.begin(), size, into.begin());
    traffic_.unread.remove_prefix(size);
    return size;
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override {
    return write_some_of({&from, 1}, deadline);
  }
  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline /*deadline*/) override {
    std::size_t size = 0;
    for (const std::string_view piece : pieces) {
      size += piece.size();
      if (piece.size() >= (16U << 10U)) traffic_.large.push_back(piece);
    }
    traffic_.written += size;
    traffic_.wrote.set();
    return size;
  }
  Status close_write() override {
    close();
    return {};
  }
  void close() override {
    traffic_.is_closed = true;
    traffic_.more.set();
  }
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

 private:
  Traffic& traffic_;
  const net::Address address_{.network = "tcp", .host = "192.0.2.1", .port = 1};
};

// Calls of "/same" with large bodies, several at a time.
class Caller {
 public:
  Caller() { encoder_.start(bytes_); }

  std::string_view calls() {
    for (int i = 0; i < calls_in_flight; ++i) {
      const Status status = encoder_.encode(
          {.seq = ++seq_, .method = "/same", .body = Bytes::from(std::string(body_bytes, 'x'))},
          bytes_);
      EXPECT_TRUE(status.is_ok()) << status;
    }
    said_ = std::exchange(bytes_, {});
    return said_;
  }

 private:
  wire::ParleyEncoder encoder_;
  std::string bytes_;
  std::string said_;
  std::int32_t seq_ = 0;
};

struct Seen {
  Traffic traffic;
  std::vector<std::string_view> bodies;  // as handlers got them
  std::size_t blocks_at_rest = 0;        // of memory that bodies lie in
};

// Three times so many calls; what was seen of the last time.
void watch(Seen& seen) {
  Caller caller;
  Peer peer;
  peer.handle("/same", [&](Bytes body) {
    seen.bodies.push_back(body.piece_count() == 1 ? body.piece(0) : std::string_view());
    return body;
  });
  const auto session = peer.serve(std::make_unique<TrafficStream>(seen.traffic));
  ASSERT_TRUE(session) << session.error();
  Traffic& traffic = seen.traffic;
  for (int round = 0; round < 3; ++round) {
    seen.bodies.clear();
    traffic.places.clear();
    traffic.large.clear();
    traffic.written = 0;
    traffic.unread = caller.calls();
    traffic.more.set();
    while (traffic.written < calls_in_flight * body_bytes) {
      traffic.wrote.reset();
      ASSERT_TRUE(traffic.wrote.wait(rt::Deadline::after(std::chrono::seconds(30))).is_ok());
    }
  }
  while (!traffic.unread.empty()) rt::yield();
  rt::yield();
  seen.blocks_at_rest = Block::live();
  (void)peer.shutdown({.limit = Duration::zero()});
}

PARLEY_FIBER_TEST(LargeBody, lies_for_its_handler_where_it_was_read_to) {
  Seen seen;
  watch(seen);
  ASSERT_EQ(seen.bodies.size(), static_cast<std::size_t>(calls_in_flight));
  ASSERT_EQ(seen.traffic.places.size(), 1U) << "one read brings all of them";
  EXPECT_EQ(seen.traffic.places.front().size(), impl::ReadBuffer::large_chunk_bytes);
  for (const std::string_view body : seen.bodies) {
    EXPECT_EQ(body.size(), body_bytes);
    EXPECT_TRUE(lies_in(body, seen.traffic.places.front()));
  }
}

PARLEY_FIBER_TEST(LargeBody, is_handed_to_the_network_as_its_handler_returned_it) {
  Seen seen;
  watch(seen);
  ASSERT_EQ(seen.traffic.large.size(), static_cast<std::size_t>(calls_in_flight));
  for (std::size_t i = 0; i < seen.bodies.size(); ++i) {
    EXPECT_EQ(seen.traffic.large[i].data(), seen.bodies[i].data());
    EXPECT_EQ(seen.traffic.large[i].size(), body_bytes);
  }
}

PARLEY_FIBER_TEST(LargeBody, leaves_nothing_but_the_memory_for_the_next_read) {
  const std::size_t before = Block::live();
  Seen seen;
  watch(seen);
  EXPECT_LE(seen.blocks_at_rest, before + 1);
  EXPECT_EQ(Block::live(), before);
}

}  // namespace
}  // namespace parley
