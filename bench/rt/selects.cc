#include <array>

#include "parley/base/assert.h"
#include "parley/rt/channel.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "scenarios.h"

namespace parley::bench {
namespace {

using Values = rt::Channel<std::uint64_t>;

// Starts a fiber for each channel that sends it `each` values.
template <std::size_t count>
void feed(rt::Scope& scope, std::array<Values, count>& channels, std::uint64_t each) {
  for (Values& values : channels) {
    scope.go("feeder", [&values, each] {
      for (std::uint64_t i = 0; i < each; ++i) {
        PARLEY_ASSERT(values.send(i).is_ok(), "a channel was closed under its sender");
      }
    });
  }
}

// Receives from whichever channel has something, `ops` times in all.
template <std::size_t... at>
std::uint64_t receive_from_any(std::uint64_t ops, std::index_sequence<at...> /*cases*/) {
  constexpr std::size_t count = sizeof...(at);
  std::array<Values, count> channels;
  const std::uint64_t each = ops / count;
  rt::Scope scope;
  feed(scope, channels, each);
  std::uint64_t sum = 0;
  const auto take = [&sum](const Result<std::uint64_t>& value) { sum += *value; };
  for (std::uint64_t i = 0; i < each * count; ++i) {
    PARLEY_ASSERT(rt::select(rt::on_receive(channels[at], take)...).is_ok(), "a select was ended");
  }
  return sum;
}

}  // namespace

std::uint64_t select_2(std::uint64_t ops) {
  return receive_from_any(ops, std::make_index_sequence<2>());
}
std::uint64_t select_8(std::uint64_t ops) {
  return receive_from_any(ops, std::make_index_sequence<8>());
}

}  // namespace parley::bench
