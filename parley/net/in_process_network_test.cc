#include "parley/net/in_process_network.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "parley/net/sim_network.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
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

}  // namespace
}  // namespace parley::net
