#include "parley/net/shards.h"

#include <vector>

#include "parley/net/testing/free_address.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

PARLEY_FIBER_TEST(Shards, share_one_port_and_the_connections_to_it) {
  constexpr std::size_t connections = 200;
  SocketNetwork network;
  auto shards = listen_shards(network, testing::any_port(), 4);
  ASSERT_TRUE(shards) << shards.error();
  ASSERT_EQ(shards->size(), 4u);
  const Address address = shards->front()->address();
  EXPECT_NE(address.port, 0);
  std::vector<std::unique_ptr<Stream>> clients;
  for (std::size_t i = 0; i < connections; ++i) {
    auto client = network.dial(address);
    ASSERT_TRUE(client) << client.error();
    clients.push_back(*std::move(client));
  }
  rt::Scope scope(rt::OnExit::cancel);
  for (const auto& shard : *shards) {
    EXPECT_EQ(shard->address(), address);
    scope.go("accept", [&shard] {
      while (shard->accept()) {}
    });
  }
  const auto accepted = [&] {
    std::uint64_t sum = 0;
    for (const auto& shard : *shards) sum += shard->counts().accepted;
    return sum;
  };
  while (accepted() < connections) rt::yield();
  // 200 coins of four sides: that one never shows has a chance of 4 * 0.75^200.
  for (const auto& shard : *shards) EXPECT_GT(shard->counts().accepted, 0u);
}

PARLEY_FIBER_TEST(Shards, need_a_count_and_an_address_that_can_be_shared) {
  SocketNetwork network;
  EXPECT_EQ(listen_shards(network, testing::any_port(), 0).error().code(), Code::invalid_argument);
  EXPECT_EQ(listen_shards(network, testing::any_port(), max_shards + 1).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(listen_shards(network, testing::free_unix_name(), 2).error().code(),
            Code::invalid_argument);
}

PARLEY_FIBER_TEST(Shards, who_does_not_share_keeps_the_port) {
  SocketNetwork network;
  auto alone = network.listen(testing::any_port());
  EXPECT_EQ(listen_shards(network, (*alone)->address(), 2).error().code(), Code::already_exists);
}

}  // namespace
}  // namespace parley::net
