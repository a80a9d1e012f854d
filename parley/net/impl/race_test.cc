#include "parley/net/impl/race.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>

#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net::impl {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds never{1'000'000};

// What a lookup finds, and when.
struct Finds {
  milliseconds at{0};
  std::vector<std::string> hosts = {};
  Code error = Code::not_found;  // where there are no hosts
};

// What an attempt comes to, and how long after its start.
struct Comes {
  milliseconds after{0};
  Code to = Code::ok;
};

struct Case {
  std::string sentence;
  Finds ipv6;
  Finds ipv4;
  std::map<std::string, Comes> attempts = {};  // any other: silence
  RaceOptions options = {};
  milliseconds deadline = never;
  std::string trace;   // "<ms> <host>" of each attempt started, "gave up <host>" of each cancelled
  std::string result;  // the host, or the name of the code
  std::vector<std::string> told = {};  // what the error must hold
};

// A connection to `host` that counts how many of its kind are open.
class FakeStream final : public Stream {
 public:
  FakeStream(Address remote, std::atomic<int>& open) : remote_(std::move(remote)), open_(open) {
    ++open_;
  }
  ~FakeStream() override { --open_; }
  Result<std::size_t> read(std::span<char> /*into*/, rt::Deadline /*deadline*/) override {
    return std::size_t{0};
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline /*deadline*/) override {
    return from.size();
  }
  Status close_write() override { return {}; }
  void close() override {}
  [[nodiscard]] const Address& local_address() const override { return remote_; }
  [[nodiscard]] const Address& remote_address() const override { return remote_; }

 private:
  const Address remote_;
  std::atomic<int>& open_;
};

// A race over a network that exists on paper only, in the time of a ManualClock.
class Course {
 public:
  explicit Course(const Case& row) : row_(row), start_(rt::now()) {}

  Race::Connected run() {
    const Race race{
        .address = {.network = "tcp", .host = "shop.example", .port = 80},
        .options = row_.options,
        .lookup = [this](Family family, rt::Deadline) { return look_up(family); },
        .connect = [this](const Address& address,
                          rt::Deadline deadline) { return connect(address, deadline); },
    };
    return run_race(race, row_.deadline == never ? rt::Deadline::never()
                                                 : rt::Deadline::at(start_ + row_.deadline));
  }
  std::string trace() {
    const std::lock_guard lock(mutex_);
    return trace_;
  }
  [[nodiscard]] int open_streams() const { return open_; }

 private:
  Race::Found look_up(Family family) {
    const Finds& finds = family == Family::ipv6 ? row_.ipv6 : row_.ipv4;
    if (Status s = rt::sleep_until(start_ + finds.at); !s.is_ok()) return s;
    if (finds.hosts.empty()) {
      return Status(finds.error, family == Family::ipv6 ? "no AAAA" : "no A");
    }
    std::vector<HostAddress> found;
    for (const std::string& host : finds.hosts) found.push_back({host, 1s});
    return found;
  }

  Race::Connected connect(const Address& address, rt::Deadline deadline) {
    const auto now = std::chrono::duration_cast<milliseconds>(rt::now() - start_);
    note(std::to_string(now.count()) + " " + address.host);
    const auto known = row_.attempts.find(address.host);
    const Comes comes = known == row_.attempts.end() ? Comes{.after = never} : known->second;
    const Instant until = std::min(rt::now() + comes.after, deadline.instant());
    if (Status s = rt::sleep_until(until); !s.is_ok()) {
      note("gave up " + address.host);
      return s;
    }
    if (deadline.is_over()) return Status(Code::deadline_exceeded, address.host + ": too late");
    if (comes.to != Code::ok) return Status(comes.to, address.host + ": failed");
    return std::unique_ptr<Stream>(std::make_unique<FakeStream>(address, open_));
  }

  void note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    trace_ += (trace_.empty() ? "" : ", ") + what;
  }

  const Case& row_;
  const Instant start_;
  rt::Mutex mutex_;
  std::string trace_;  // guarded by mutex_
  std::atomic<int> open_ = 0;
};

// With one worker this lets everything happen that is due at this time: more turns than the
// scheduler takes between two looks at its timers, several times over.
void settle() {
  for (int i = 0; i < 400; ++i) rt::yield();
}

void check(const Case& row) {
  SCOPED_TRACE(row.sentence);
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        Course course(row);
        std::atomic<bool> is_done = false;
        rt::Scope scope;
        scope.go("race", [&] {
          const auto connected = course.run();
          if (connected) {
            EXPECT_EQ((*connected)->remote_address().host, row.result);
          } else {
            EXPECT_EQ(name_of(connected.error().code()), row.result) << connected.error();
            for (const std::string& part : row.told) {
              EXPECT_NE(connected.error().to_string().find(part), std::string::npos)
                  << "no \"" << part << "\" in: " << connected.error();
            }
          }
          EXPECT_EQ(course.open_streams(), connected ? 1 : 0);
          is_done = true;
        });
        for (settle(); !is_done; settle()) clock.advance(10ms);
        EXPECT_EQ(course.trace(), row.trace);
      },
      {.workers = 1, .clock = &clock});
}

TEST(Race, the_first_address_to_connect_is_used) {
  check({.sentence = "the first address answers: no other is tried",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.after = 20ms}}},
         .trace = "0 6a",
         .result = "6a"});
  check({.sentence = "the first is slow: the second, started later, is faster",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.after = 400ms}}, {"4a", {.after = 100ms}}},
         .trace = "0 6a, 250 4a, gave up 6a",
         .result = "4a"});
  check({.sentence = "the first is slow, but still before the second",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.after = 300ms}}},
         .trace = "0 6a, 250 4a, gave up 4a",
         .result = "6a"});
}

TEST(Race, families_take_turns_and_ipv6_is_first) {
  check({.sentence = "two of each",
         .ipv6 = {.hosts = {"6a", "6b"}},
         .ipv4 = {.hosts = {"4a", "4b"}},
         .attempts = {{"4b", {.after = 10ms}}},
         .trace = "0 6a, 250 4a, 500 6b, 750 4b, gave up 6a, gave up 4a, gave up 6b",
         .result = "4b"});
  check({.sentence = "when one family is used up the other goes on",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a", "4b", "4c"}},
         .attempts = {{"4c", {.after = 10ms}}},
         .trace = "0 6a, 250 4a, 500 4b, 750 4c, gave up 6a, gave up 4a, gave up 4b",
         .result = "4c"});
}

TEST(Race, a_failed_attempt_starts_the_next_at_once) {
  check({.sentence = "refused after 30 ms",
         .ipv6 = {.hosts = {"6a", "6b"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.after = 30ms, .to = Code::unavailable}},
                      {"4a", {.after = 30ms, .to = Code::unavailable}},
                      {"6b", {.after = 30ms}}},
         .trace = "0 6a, 30 4a, 60 6b",
         .result = "6b"});
}

TEST(Race, attempt_delay_is_the_time_between_attempts) {
  for (const milliseconds delay : {100ms, 250ms, 2000ms}) {
    check({.sentence = std::to_string(delay.count()),
           .ipv6 = {.hosts = {"6a"}},
           .ipv4 = {.hosts = {"4a"}},
           .attempts = {{"4a", {}}},
           .options = {.attempt_delay = delay},
           .trace = "0 6a, " + std::to_string(delay.count()) + " 4a, gave up 6a",
           .result = "4a"});
  }
}

TEST(Race, ipv4_waits_a_little_for_ipv6) {
  check({.sentence = "IPv6 comes within 50 ms and is tried first",
         .ipv6 = {.at = 30ms, .hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {}}},
         .trace = "30 6a",
         .result = "6a"});
  check({.sentence = "IPv6 does not come in time",
         .ipv6 = {.at = 200ms, .hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {}}},
         .trace = "50 4a, 300 6a, gave up 4a",
         .result = "6a"});
  check({.sentence = "it is known before that there is no IPv6",
         .ipv6 = {.at = 20ms},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"4a", {}}},
         .trace = "20 4a",
         .result = "4a"});
  check({.sentence = "with resolution_delay 0 it does not wait",
         .ipv6 = {.at = 30ms, .hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"4a", {}}},
         .options = {.resolution_delay = 0ms},
         .trace = "0 4a",
         .result = "4a"});
}

TEST(Race, ipv6_waits_for_nobody) {
  check({.sentence = "IPv4 is never found",
         .ipv6 = {.at = 10ms, .hosts = {"6a"}},
         .ipv4 = {.at = never},
         .attempts = {{"6a", {}}},
         .trace = "10 6a",
         .result = "6a"});
  check({.sentence = "IPv4 comes after the only IPv6 address has failed",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.at = 100ms, .hosts = {"4a"}},
         .attempts = {{"6a", {.after = 10ms, .to = Code::unavailable}}, {"4a", {}}},
         .trace = "0 6a, 100 4a",
         .result = "4a"});
}

TEST(Race, of_two_that_connect_at_the_same_moment_one_is_kept_and_the_other_closed) {
  check({.sentence = "both at 250 ms",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"6a"}},
         .attempts = {{"6a", {.after = 250ms}}},
         .options = {.attempt_delay = 250ms},
         .trace = "0 6a, 250 6a, gave up 6a",
         .result = "6a"});
  check({.sentence = "a second before the first is noticed",
         .ipv6 = {.hosts = {"6a", "6b"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.after = 300ms}}, {"4a", {.after = 50ms}}},
         .trace = "0 6a, 250 4a",
         .result = "6a"});
}

TEST(Race, when_none_connects_the_error_tells_of_each) {
  check({.sentence = "all refused: they agree",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.to = Code::unavailable}}, {"4a", {.to = Code::unavailable}}},
         .trace = "0 6a, 0 4a",
         .result = "unavailable",
         .told = {"dial tcp://shop.example:80: no address answered", "6a: failed; 4a: failed",
                  "check that the service runs"}});
  check({.sentence = "no descriptor is left for any",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {},
         .attempts = {{"6a", {.to = Code::resource_exhausted}}},
         .trace = "0 6a",
         .result = "resource_exhausted",
         .told = {"6a: failed; no A"}});
  check({.sentence = "they disagree",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.to = Code::permission_denied}}, {"4a", {.to = Code::internal}}},
         .trace = "0 6a, 0 4a",
         .result = "unavailable"});
}

TEST(Race, without_an_address_the_lookups_error_is_told) {
  check({.sentence = "no such name",
         .ipv6 = {},
         .ipv4 = {},
         .trace = "",
         .result = "not_found",
         .told = {"dial tcp://shop.example:80: no A"}});
  check({.sentence = "of two errors the one that leaves hope",
         .ipv6 = {},
         .ipv4 = {.error = Code::unavailable},
         .trace = "",
         .result = "unavailable",
         .told = {"no A"}});
}

TEST(Race, the_deadline_is_for_all_together) {
  check({.sentence = "silence",
         .ipv6 = {.hosts = {"6a"}},
         .ipv4 = {.hosts = {"4a"}},
         .attempts = {{"6a", {.after = 10ms, .to = Code::unavailable}}},
         .deadline = 300ms,
         .trace = "0 6a, 10 4a",
         .result = "deadline_exceeded",
         .told = {"dial tcp://shop.example:80", "6a: failed", "4a"}});
  check({.sentence = "no lookup ends",
         .ipv6 = {.at = never},
         .ipv4 = {.at = never},
         .deadline = 100ms,
         .trace = "",
         .result = "deadline_exceeded",
         .told = {"dial tcp://shop.example:80"}});
}

TEST(Race, max_attempts_bounds_the_addresses_tried) {
  for (const std::size_t most : {1U, 3U}) {
    check({.sentence = std::to_string(most),
           .ipv6 = {.hosts = {"6a", "6b", "6c"}},
           .ipv4 = {},
           .attempts = {{"6a", {.to = Code::unavailable}},
                        {"6b", {.to = Code::unavailable}},
                        {"6c", {.to = Code::unavailable}}},
           .options = {.max_attempts = most},
           .trace = most == 1 ? "0 6a" : "0 6a, 0 6b, 0 6c",
           .result = "unavailable",
           .told = {most == 1 ? "2 more were not tried (max_attempts: 1)" : "6c: failed"}});
  }
}

TEST(Race, options_out_of_range_are_refused_by_name) {
  const std::vector<std::pair<RaceOptions, std::string>> table{
      {{.attempt_delay = 99ms}, "attempt_delay: 99 ms"},
      {{.attempt_delay = 2001ms}, "attempt_delay: 2001 ms"},
      {{.resolution_delay = -1ms}, "resolution_delay: -1 ms"},
      {{.max_attempts = 0}, "max_attempts: 0"},
      {{.max_attempts = 257}, "max_attempts: 257"},
  };
  for (const auto& [options, part] : table) {
    check({.sentence = part,
           .ipv6 = {.hosts = {"6a"}},
           .ipv4 = {},
           .options = options,
           .trace = "",
           .result = "invalid_argument",
           .told = {part}});
  }
}

TEST(Race, the_callers_context_ends_it_and_every_attempt) {
  const Case row{.sentence = "cancelled while two attempts run",
                 .ipv6 = {.hosts = {"6a"}},
                 .ipv4 = {.hosts = {"4a"}},
                 .attempts = {},
                 .trace = "0 6a, 250 4a, gave up 6a, gave up 4a",
                 .result = "cancelled"};
  ManualClock clock;
  rt::testing::run_fiber_test(
      [&] {
        Course course(row);
        rt::Scope scope;
        scope.go("race", [&] {
          const auto connected = course.run();
          EXPECT_EQ(connected.error().code(), Code::cancelled) << connected.error();
        });
        settle();
        clock.advance(250ms);
        settle();
        scope.cancel();
        scope.join();
        EXPECT_EQ(course.trace(), row.trace);
      },
      {.workers = 1, .clock = &clock});
}

}  // namespace
}  // namespace parley::net::impl
