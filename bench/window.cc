#include "window.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <ctime>

#include "parley/base/fd.h"

namespace parley::bench {
namespace {

constexpr unsigned step_bits = 5;  // 32 steps to a doubling

// The kernel's number for "CPU clock of that process" (clock_getcpuclockid, without the look-up):
// the inverted pid, and 2 for the scheduler's exact count.
clockid_t cpu_clock_of(pid_t pid) {
  if (pid == 0) return CLOCK_PROCESS_CPUTIME_ID;
  return static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3U) | 2U);
}

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

}  // namespace

Instant now() noexcept { return RealClock().now(); }

void Latency::record(Duration took) noexcept {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
  buckets_[bucket_of(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
}

void Latency::clear() noexcept {
  for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
}

Duration Latency::percentile(double share) const noexcept {
  std::uint64_t all = 0;
  for (const auto& bucket : buckets_) all += bucket.load(std::memory_order_relaxed);
  if (all == 0) return Duration::zero();
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(all - 1));
  std::uint64_t passed = 0;
  std::size_t bucket = 0;
  for (; bucket + 1 < bucket_count; ++bucket) {
    passed += buckets_[bucket].load(std::memory_order_relaxed);
    if (passed > wanted) break;
  }
  return Duration(static_cast<Duration::rep>(middle_of(bucket)));
}

std::size_t Latency::bucket_of(std::uint64_t nanoseconds) noexcept {
  constexpr std::uint64_t steps = 1U << step_bits;
  if (nanoseconds < steps) return nanoseconds;
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - step_bits - 1;
  const std::size_t bucket = shift * steps + (nanoseconds >> shift);
  return std::min(bucket, bucket_count - 1);
}

std::uint64_t Latency::middle_of(std::size_t bucket) noexcept {
  constexpr std::uint64_t steps = 1U << step_bits;
  if (bucket < 2 * steps) return bucket;
  const std::uint64_t shift = bucket / steps - 1;
  return ((steps + bucket % steps) << shift) + ((1ULL << shift) >> 1U);
}

Result<Duration> cpu_time_of(pid_t pid) {
  timespec time{};
  // The clock's number has no room for a pid beyond the limit and would name another process.
  if (pid < 0 || pid > max_pid || ::clock_gettime(cpu_clock_of(pid), &time) != 0) {
    return Status(Code::not_found, "reading the CPU clock of process " + std::to_string(pid) +
                                       ": there is no such process; is the server still running?");
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Duration cpu_time_of_thread() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Result<Window::Reading> Window::read(std::uint64_t answered) const {
  const Result<Duration> server = cpu_time_of(server_);
  if (!server) return server.error();
  const Result<Duration> client = cpu_time_of(0);
  if (!client) return client.error();
  return Reading{now(), *server, *client, answered};
}

Status Window::open(std::uint64_t answered) {
  const Result<Reading> reading = read(answered);
  if (!reading) return reading.error();
  begin_ = *reading;
  return {};
}

Status Window::close(std::uint64_t answered) {
  const Result<Reading> reading = read(answered);
  if (!reading) return reading.error();
  end_ = *reading;
  if (end_.answered > begin_.answered) return {};
  return {Code::deadline_exceeded,
          "not one request was answered in the measured window; the server is stuck or the window "
          "(--seconds) is too short"};
}

std::string Window::to_json(const Latency& latency) const {
  const std::uint64_t requests = end_.answered - begin_.answered;
  const auto per_request = [&](Duration cpu) {
    return microseconds(cpu) / static_cast<double>(requests);
  };
  std::array<char, 512> line{};
  const int length = std::snprintf(
      line.data(), line.size(),
      R"({"requests":%llu,"all_requests":%llu,"seconds":%.6f,"server_cpu_us":%.6f,)"
      R"("client_cpu_us":%.6f,"p50_us":%.3f,"p99_us":%.3f})",
      static_cast<unsigned long long>(requests), static_cast<unsigned long long>(end_.answered),
      microseconds(end_.at - begin_.at) / 1e6, per_request(end_.server_cpu - begin_.server_cpu),
      per_request(end_.client_cpu - begin_.client_cpu), microseconds(latency.percentile(0.5)),
      microseconds(latency.percentile(0.99)));
  return {line.data(), static_cast<std::size_t>(length)};
}

}  // namespace parley::bench
