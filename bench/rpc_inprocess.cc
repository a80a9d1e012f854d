// Calls to a peer of the same process, one after the other on one fiber: how long one takes, by the
// clock on the wall and with the options that every peer has.
//
//   rpc_inprocess SECONDS
//   {"calls":12000000,"ns_per_call":83.1,"allocations":0}
#include <parley/parley.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "codec/counting_new.h"
#include "load.h"
#include "parley/net/in_process_network.h"

namespace parley::bench {
namespace {

std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }

struct Outcome {
  std::uint64_t calls = 0;
  std::uint64_t allocations = 0;
  double ns_per_call = 0;
};

Result<Outcome> measure(std::chrono::duration<double> least) {
  constexpr std::int64_t at_a_time = 10'000;
  net::InProcessNetwork network;
  Peer server({.network = &network});
  server.handle("/math/add", add);
  if (auto address = server.listen("inproc:math"); !address) return address.error();
  Peer client({.network = &network});
  const auto session = client.dial("inproc:math");
  if (!session) return session.error();
  const auto call_many = [&]() -> Status {
    for (std::int64_t i = 0; i < at_a_time; ++i) {
      const auto sum = session->call<std::int64_t>("/math/add", i, at_a_time);
      if (!sum) return sum.error();
      if (*sum != i + at_a_time) return {Code::data_loss, "a sum is wrong"};
    }
    return {};
  };
  if (Status s = call_many(); !s.is_ok()) return s;  // the warm-up
  Outcome outcome;
  const std::uint64_t before = allocations_so_far();
  const auto start = std::chrono::steady_clock::now();
  std::chrono::duration<double> took{};
  do {
    if (Status s = call_many(); !s.is_ok()) return s;
    outcome.calls += at_a_time;
    took = std::chrono::steady_clock::now() - start;
  } while (took < least);
  outcome.allocations = allocations_so_far() - before;
  outcome.ns_per_call = took.count() * 1e9 / static_cast<double>(outcome.calls);
  return outcome;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const double seconds = argc == 2 ? std::strtod(argv[1], nullptr) : 0;
  if (!(seconds > 0 && seconds <= 3600)) {
    return bench::usage_error(
        Status(Code::invalid_argument, "rpc_inprocess SECONDS: more than 0, at most 3600"));
  }
  rt::Runtime runtime({.workers = 1});
  int code = 0;
  runtime.run([&] {
    const auto outcome = bench::measure(std::chrono::duration<double>(seconds));
    if (!outcome) {
      code = bench::run_error(outcome.error());
      return;
    }
    std::printf("{\"calls\":%llu,\"ns_per_call\":%.2f,\"allocations\":%llu}\n",
                static_cast<unsigned long long>(outcome->calls), outcome->ns_per_call,
                static_cast<unsigned long long>(outcome->allocations));
  });
  return code;
}
