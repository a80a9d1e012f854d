#include "parley/net/in_process_network.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "parley/net/sim_network.h"
#include "parley/rt/pollable.h"
#include "parley/rt/ready_queue.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;

const Address shop{.network = "inproc", .host = "shop", .port = 0};

PARLEY_FIBER_TEST(InProcessNetwork, a_name_is_of_one_object_and_of_one_listener) {
  InProcessNetwork network;
  InProcessNetwork other;
  auto listener = network.listen(shop);
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_EQ(network.listen(shop).error().code(), Code::already_exists);
  EXPECT_TRUE(other.listen(shop));
  const auto nobody = network.dial(*Address::parse("inproc:till"));
  EXPECT_EQ(nobody.error().code(), Code::unavailable);
  EXPECT_TRUE(nobody.error().message().starts_with("dial inproc:till: nobody listens"));
  (*listener)->close();
  EXPECT_EQ(network.dial(shop).error().code(), Code::unavailable);
  EXPECT_TRUE(network.listen(shop));
}

PARLEY_FIBER_TEST(InProcessNetwork, all_other_addresses_go_to_the_network_behind_it) {
  InProcessNetwork kernel;
  auto listener = kernel.listen(*Address::parse("tcp://127.0.0.1:0"));
  ASSERT_TRUE(listener) << listener.error();
  EXPECT_TRUE(kernel.dial((*listener)->address()));
  SimWorld world;
  InProcessNetwork simulated({.beyond = &world.node("till")});
  EXPECT_TRUE(simulated.listen(*Address::parse("tcp://10.0.0.1:80")));
}

PARLEY_FIBER_TEST(InProcessNetwork, the_kernels_network_says_what_a_name_within_a_process_needs) {
  SocketNetwork network;
  const auto listener = network.listen(shop);
  EXPECT_EQ(listener.error().code(), Code::invalid_argument);
  EXPECT_NE(listener.error().message().find("needs an InProcessNetwork"), std::string::npos);
  const auto stream = network.dial(shop);
  EXPECT_EQ(stream.error().code(), Code::invalid_argument);
  EXPECT_NE(stream.error().message().find("needs an InProcessNetwork"), std::string::npos);
}

PARLEY_FIBER_TEST(InProcessNetwork, takes_as_much_as_buffer_bytes_before_a_write_waits) {
  for (const std::size_t bytes : {std::size_t{3}, std::size_t{5}}) {
    InProcessNetwork network({.buffer_bytes = bytes});
    const auto listener = network.listen(shop);
    const auto dialled = network.dial(shop);
    const auto accepted = (*listener)->accept();
    EXPECT_EQ(*(*dialled)->write_some("0123456789"), bytes);
    EXPECT_EQ((*dialled)->write_some("more", rt::Deadline::after(1ms)).error().code(),
              Code::deadline_exceeded);
  }
}

PARLEY_FIBER_TEST(InProcessNetwork, both_ends_find_what_they_have_in_common) {
  InProcessNetwork network;
  const auto listener = network.listen(shop);
  const auto dialled = network.dial(shop);
  const auto accepted = (*listener)->accept();
  const InProcessEnd& one = *(*dialled)->in_process();
  const InProcessEnd& other = *(*accepted)->in_process();
  EXPECT_EQ(one.side, 0u);
  EXPECT_EQ(other.side, 1u);
  EXPECT_EQ(one.joint.common<int>(), other.joint.common<int>());
  EXPECT_EQ(other.joint.common<std::string>(), nullptr);
}

PARLEY_FIBER_TEST(InProcessNetwork, streams_and_listeners_outlive_it) {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Stream> dialled;
  {
    InProcessNetwork network;
    listener = *network.listen(shop);
    dialled = *network.dial(shop);
  }
  const auto accepted = listener->accept();
  EXPECT_TRUE(dialled->write("still").is_ok());
  std::array<char, 5> buffer{};
  EXPECT_EQ(*(*accepted)->read(buffer), 5u);
  EXPECT_EQ(std::string(buffer.data(), 5), "still");
}

// Both ends of a connection.
struct Ends {
  Ends() {
    EXPECT_TRUE(listener);
    EXPECT_TRUE(dialled);
    EXPECT_TRUE(accepted);
  }
  Stream& there() { return **dialled; }
  Stream& here() { return **accepted; }

  InProcessNetwork network{{.buffer_bytes = 8}};
  Result<std::unique_ptr<Listener>> listener = network.listen(shop);
  Result<std::unique_ptr<Stream>> dialled = network.dial(shop);
  Result<std::unique_ptr<Stream>> accepted = (*listener)->accept();
};

PARLEY_FIBER_TEST(InProcessNetwork, a_stream_tells_when_it_becomes_readable_and_when_it_ends) {
  Ends ends;
  std::array<char, 4> four{};
  Stream& here = ends.here();
  ASSERT_NE(here.readiness(), nullptr);
  EXPECT_FALSE(here.try_read(four)->has_value());
  EXPECT_EQ(here.unread(), Stream::Unread::nothing);
  EXPECT_TRUE(ends.there().write("sixsix").is_ok());
  EXPECT_TRUE(here.readiness()->is_readable());
  EXPECT_EQ(here.unread(), Stream::Unread::perhaps);
  EXPECT_EQ(here.try_read(four)->value(), 4U);
  EXPECT_EQ(here.unread(), Stream::Unread::perhaps) << "two are left, which nobody tells of again";
  EXPECT_EQ(here.try_read(four)->value(), 2U);
  EXPECT_EQ(here.unread(), Stream::Unread::nothing);
  EXPECT_FALSE(here.try_read(four)->has_value());
  EXPECT_TRUE(ends.there().close_write().is_ok());
  EXPECT_EQ(here.unread(), Stream::Unread::perhaps);
  EXPECT_EQ(here.try_read(four)->value(), 0U);
  EXPECT_EQ(here.unread(), Stream::Unread::ended);
  // The other way nothing was said.
  EXPECT_FALSE(ends.there().try_read(four)->has_value());
}

PARLEY_FIBER_TEST(InProcessNetwork, who_is_started_by_readiness_hears_of_every_way_to_end) {
  for (const std::string_view how : {"here", "there", "reset"}) {
    Ends ends;
    std::array<char, 4> four{};
    EXPECT_FALSE(ends.here().try_read(four)->has_value());
    if (how == "reset") EXPECT_TRUE(ends.here().write("unread").is_ok());
    if (how == "here") ends.here().close();
    if (how == "there") ends.there().close();
    if (how == "reset") ends.dialled->reset();
    EXPECT_EQ(ends.here().unread(), Stream::Unread::perhaps) << how;
    for (int i = 0; i < 2; ++i) {  // and not only once
      const auto end = ends.here().try_read(four);
      EXPECT_EQ(end.has_value(), how == "there") << how;
      if (end) EXPECT_EQ(end->value(), 0U);
    }
  }
}

// Reads what there is each time it is started, in pieces of two.
class Sink final : public rt::ReadyItem {
 public:
  explicit Sink(Stream& stream) : stream_(stream) {}
  std::atomic<std::size_t> came = 0;
  std::atomic<std::size_t> starts = 0;

 private:
  After run() override {
    ++starts;
    std::array<char, 2> two{};
    const auto size = stream_.try_read(two);
    if (size && *size) came += **size;
    return stream_.unread() == Stream::Unread::nothing ? After::rest : After::again;
  }
  Stream& stream_;
};

void writes_start_their_reader(std::size_t rounds) {
  Ends ends;
  rt::ReadyQueue queue("sink");
  Sink sink(ends.here());
  sink.join(queue);
  ends.here().readiness()->on_readable(&sink);
  std::size_t sent = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    const std::size_t size = 1 + i % 11;  // more than there is room for among them
    EXPECT_TRUE(ends.there().write(std::string(size, 'x')).is_ok());
    sent += size;
    // Now and then it comes to rest first: a wake-up that is lost would leave it there.
    if (i % 3 == 0) rt::testing::wait_until([&] { return sink.came == sent; });
  }
  rt::testing::wait_until([&] { return sink.came == sent; });
  ends.here().readiness()->on_readable(nullptr);
  rt::testing::wait_until([&] { return queue.fibers() == 0; });
  EXPECT_GE(sink.starts, rounds / 3);
}

TEST(InProcessNetwork, no_write_leaves_a_reader_at_rest) {
  for (const unsigned workers : {1U, 2U, 4U}) {
    rt::testing::run_fiber_test([] { writes_start_their_reader(3'000); }, {.workers = workers});
  }
}

TEST(InProcessNetwork, no_write_leaves_a_reader_at_rest_in_a_simulation) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto report = rt::simulate({.seed = seed}, [] { writes_start_their_reader(60); });
    EXPECT_EQ(report.code, 0) << seed;
  }
}

}  // namespace
}  // namespace parley::net
