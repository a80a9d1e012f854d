#include <deque>

#include "parley/base/assert.h"
#include "parley/rt/channel.h"
#include "parley/rt/scope.h"
#include "parley/rt/wait_group.h"
#include "scenarios.h"

namespace parley::bench {
namespace {

using Values = rt::Channel<std::uint64_t>;

void send(Values& values, std::uint64_t value) {
  PARLEY_ASSERT(values.send(value).is_ok(), "a channel was closed under its sender");
}

struct Pair {
  Values ping;
  Values pong;
  Lane sum;
};

std::uint64_t pingpong(std::uint64_t ops, std::size_t pair_count) {
  std::deque<Pair> pairs(pair_count);
  rt::Scope scope;
  for (Pair& pair : pairs) {
    scope.go("pong", [&pair] {
      while (const auto value = pair.ping.receive()) send(pair.pong, *value + 1);
    });
    scope.go("ping", [&pair, rounds = ops / pair_count] {
      for (std::uint64_t i = 0; i < rounds; ++i) {
        send(pair.ping, i);
        pair.sum.value += *pair.pong.receive();
      }
      pair.ping.close();
    });
  }
  scope.join();
  std::uint64_t sum = 0;
  for (const Pair& pair : pairs) sum += pair.sum.value;
  return sum;
}

std::uint64_t buffered(std::uint64_t ops, std::size_t sides) {
  constexpr std::size_t places = 128;
  Values values(places);
  std::vector<Lane> sums(sides);
  rt::Scope receivers;
  {
    rt::Scope senders;
    for (Lane& sum : sums) {
      senders.go("sender", [&values, count = ops / sides] {
        for (std::uint64_t i = 0; i < count; ++i) send(values, i);
      });
      receivers.go("receiver", [&values, &sum] {
        while (const auto value = values.receive()) sum.value += *value;
      });
    }
  }
  values.close();
  receivers.join();
  return total(sums);
}

}  // namespace

std::uint64_t total(const std::vector<Lane>& lanes) {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes) sum += lane.value;
  return sum;
}

std::uint64_t pingpong_same(std::uint64_t ops) { return pingpong(ops, 1); }
std::uint64_t pingpong_cross(std::uint64_t ops) { return pingpong(ops, 4); }
std::uint64_t buffered_1_1(std::uint64_t ops) { return buffered(ops, 1); }
std::uint64_t buffered_n_n(std::uint64_t ops) { return buffered(ops, 8); }

}  // namespace parley::bench
