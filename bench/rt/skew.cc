// Open loop: requests arrive at random moments (a Poisson process) and take random CPU time
// (exponential, 100 us on average), so that they keep one core busy for 45 % of the time. One fiber
// starts a fiber for each when it is due, so all of them appear on the worker that fiber is on.
//
// Without a thief this is the queue called M/M/1, whose 99th percentile here is ln(100) / (1 -
// 0.45) = 8.4 mean services; with a second worker that takes what waits, M/M/2 with 4.9.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include "../window.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "reading.h"
#include "special.h"

namespace parley::bench {
namespace {

constexpr double mean_service_ns = 100'000;
constexpr double load_of_one_core = 0.45;
constexpr std::uint64_t warm_up_requests = 100;
constexpr std::uint64_t seed = 20'240'229;  // the same requests in every run

// Work for the processor alone, so that a request costs the same CPU time however it is scheduled.
class Work {
 public:
  // Finds out how fast this processor is.
  Work() {
    constexpr std::uint64_t rounds = 100'000;
    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < 20; ++i) {
      const Instant begin = now();
      spin(rounds);
      best = std::min(best, static_cast<double>((now() - begin).count()));
    }
    rounds_per_ns_ = static_cast<double>(rounds) / best;
  }

  void take(double nanoseconds) { spin(static_cast<std::uint64_t>(nanoseconds * rounds_per_ns_)); }

 private:
  void spin(std::uint64_t rounds) {
    std::uint64_t value = rounds;
    for (std::uint64_t i = 0; i < rounds; ++i) {
      value = value * 6364136223846793005U + 1442695040888963407U;
    }
    result_.store(value, std::memory_order_relaxed);
  }

  double rounds_per_ns_ = 0;
  std::atomic<std::uint64_t> result_ = 0;
};

class Arrivals {
 public:
  explicit Arrivals(Work& work) : work_(work) {}

  // Starts `count` requests, each when it is due, and waits for them.
  void serve(std::uint64_t count) {
    rt::Scope scope;
    Instant due = now();
    for (std::uint64_t i = 0; i < count; ++i) {
      due += Duration(static_cast<Duration::rep>(gap_(random_)));
      (void)rt::sleep_until(due);
      scope.go("request", [this, due, service = service_(random_)] {
        work_.take(service);
        latency_.record(now() - due);
        answered_.fetch_add(1, std::memory_order_relaxed);
      });
    }
    scope.join();
  }

  Latency& latency() { return latency_; }
  std::uint64_t answered() const { return answered_; }

 private:
  Work& work_;
  std::mt19937_64 random_{seed};
  std::exponential_distribution<double> gap_{load_of_one_core / mean_service_ns};
  std::exponential_distribution<double> service_{1 / mean_service_ns};
  Latency latency_;
  std::atomic<std::uint64_t> answered_ = 0;
};

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

Result<std::string> skew(std::uint64_t requests) {
  Work work;
  Arrivals(work).serve(warm_up_requests);
  Arrivals arrivals(work);
  const std::uint64_t begin = used_cpu_us();
  arrivals.serve(requests);
  const std::uint64_t cpu = used_cpu_us() - begin;
  char line[192];
  std::snprintf(line, sizeof line,
                R"({"ops":%llu,"cpu_us":%llu,"p50_us":%.1f,"p99_us":%.1f,"check":%llu})",
                static_cast<unsigned long long>(requests), static_cast<unsigned long long>(cpu),
                microseconds(arrivals.latency().percentile(0.5)),
                microseconds(arrivals.latency().percentile(0.99)),
                static_cast<unsigned long long>(arrivals.answered()));
  return std::string(line);
}

}  // namespace parley::bench
