// What a client measures: Latency, a histogram, and Window, the stretch of time that counts.
//
//   Window window(load.server_pid);
//   if (Status status = window.open(answered); !status.is_ok()) return run_error(status);
//   ...                                   // the load runs on; latency.record(took) for each answer
//   if (Status status = window.close(answered); !status.is_ok()) return run_error(status);
//   std::puts(window.to_json(latency).c_str());
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "parley/base/clock.h"
#include "parley/base/result.h"

namespace parley::bench {

// Linux gives no process a number from here on (PID_MAX_LIMIT).
inline constexpr pid_t max_pid = 4'194'304;

// The time now, for latencies.
Instant now() noexcept;

// A histogram of durations with 32 steps to a doubling: a percentile is within 3 % of the truth.
// Thread-safe; record() costs one atomic addition.
class Latency {
 public:
  // Counts `took`; below zero counts as zero.
  void record(Duration took) noexcept;
  // Forgets everything recorded.
  void clear() noexcept;
  // The duration that `share` (0..1) of the recorded ones do not exceed; zero when there are none.
  [[nodiscard]] Duration percentile(double share) const noexcept;

 private:
  static constexpr std::size_t bucket_count = 60 * 32;
  static std::size_t bucket_of(std::uint64_t nanoseconds) noexcept;
  static std::uint64_t middle_of(std::size_t bucket) noexcept;

  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
};

// The user and system time of a process and all its threads since it started, to the nanosecond;
// 0 is this process. not_found when there is no such process (so for every number above max_pid).
Result<Duration> cpu_time_of(pid_t pid);

// The same of the calling thread.
Duration cpu_time_of_thread() noexcept;

// The measured stretch: both processes' CPU clocks and the count of answers are read by the client
// at the same instant, at either end. Not thread-safe.
class Window {
 public:
  explicit Window(pid_t server) noexcept : server_(server) {}

  // The window begins; `answered` is the number of answers so far.
  Status open(std::uint64_t answered);
  // The window ends. Failed when not a single request was answered in it.
  Status close(std::uint64_t answered);

  // One line: requests, all_requests (warm-up included), seconds, server_cpu_us and client_cpu_us
  // (per request), p50_us and p99_us.
  [[nodiscard]] std::string to_json(const Latency& latency) const;

 private:
  struct Reading {
    Instant at;
    Duration server_cpu{};
    Duration client_cpu{};
    std::uint64_t answered = 0;
  };
  Result<Reading> read(std::uint64_t answered) const;

  pid_t server_;
  Reading begin_;
  Reading end_;
};

}  // namespace parley::bench
