#include "parley/net/impl/race.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/scope.h"

namespace parley::net::impl {
namespace {

constexpr std::chrono::milliseconds least_delay{100};  // RFC 8305, 5 and 8
constexpr std::chrono::milliseconds longest_delay{2000};
constexpr std::size_t most_attempts = 256;

Status check(const RaceOptions& options) {
  const auto refuse = [](const std::string& what) {
    return Status(Code::invalid_argument, "race option " + what);
  };
  if (options.attempt_delay < least_delay || options.attempt_delay > longest_delay) {
    return refuse("attempt_delay: " + std::to_string(options.attempt_delay.count()) +
                  " ms is not within 100 ms and 2 s (RFC 8305, section 5)");
  }
  if (options.resolution_delay.count() < 0 || options.resolution_delay > longest_delay) {
    return refuse("resolution_delay: " + std::to_string(options.resolution_delay.count()) +
                  " ms is not within 0 and 2 s (RFC 8305, section 3)");
  }
  if (options.max_attempts == 0 || options.max_attempts > most_attempts) {
    return refuse("max_attempts: " + std::to_string(options.max_attempts) +
                  " is not within 1 and 256");
  }
  return {};
}

// One run: what is found goes into two queues, from which addresses are tried in turns.
class Running {
 public:
  Running(const Race& race, rt::Deadline deadline)
      : race_(race), deadline_(deadline), what_("dial " + race.address.to_string()) {}

  Race::Connected run();

 private:
  struct Lookup {
    Family family;
    Race::Found found;
  };
  struct Attempt {
    std::size_t number;
    Race::Connected connected;
  };
  using Event = std::variant<Lookup, Attempt>;
  struct Tried {
    Address address;
    std::optional<Status> failed;  // none: on its way
  };

  void look_up(Family family);
  void start_attempts();
  void attempt(const std::string& host);
  void take(Lookup lookup);
  Race::Connected take(Attempt attempt);
  [[nodiscard]] rt::Deadline next_wake() const;
  [[nodiscard]] bool has_candidates() const { return !ipv6_.empty() || !ipv4_.empty(); }
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::string next_host();
  [[nodiscard]] Status failure() const;
  [[nodiscard]] Status ended_early(const Status& why) const;
  [[nodiscard]] std::string story() const;

  const Race& race_;
  const rt::Deadline deadline_;
  const std::string what_;

  std::deque<std::string> ipv6_;  // not tried yet
  std::deque<std::string> ipv4_;
  bool ipv6_is_next_ = true;
  std::size_t lookups_running_ = 0;
  std::vector<Status> lookup_errors_;
  std::vector<Tried> tried_;
  std::size_t attempts_running_ = 0;
  std::size_t left_out_ = 0;  // because of max_attempts
  // Before this no attempt starts: the first waits for the other family (RFC 8305, 3), each other
  // for its predecessor (section 5).
  Instant next_start_ = Instant::min();

  // Room for all who may send: nobody waits, and what comes too late is destroyed with it.
  rt::Channel<Event> events_{2 + most_attempts};
  rt::Scope scope_{rt::OnExit::cancel};  // last: its fibers use the above
};

Race::Connected Running::run() {
  look_up(Family::ipv6);
  look_up(Family::ipv4);
  for (;;) {
    start_attempts();
    if (is_over()) return failure();
    auto event = events_.receive(next_wake());
    if (event) {
      if (auto* lookup = std::get_if<Lookup>(&*event)) {
        take(std::move(*lookup));
        continue;
      }
      auto connected = take(std::get<Attempt>(*std::move(event)));
      if (connected) return connected;
      continue;
    }
    if (Status s = rt::Context::current().status(); !s.is_ok()) return ended_early(s);
    if (deadline_.is_over()) return ended_early(event.error());
  }
}

void Running::look_up(Family family) {
  ++lookups_running_;
  scope_.go("dial lookup", [this, family] {
    Event event(Lookup{family, race_.lookup(family, deadline_)});
    (void)events_.try_send(event);
  });
}

// Nothing is left to hope for.
bool Running::is_over() const {
  return lookups_running_ == 0 && attempts_running_ == 0 && !has_candidates();
}

void Running::start_attempts() {
  while (has_candidates() && rt::now() >= next_start_) {
    if (tried_.size() == race_.options.max_attempts) {
      left_out_ = ipv6_.size() + ipv4_.size();
      ipv6_.clear();
      ipv4_.clear();
      return;
    }
    attempt(next_host());
  }
}

// RFC 8305, 4: the families take turns, IPv6 first.
std::string Running::next_host() {
  const bool is_ipv6 = ipv4_.empty() || (ipv6_is_next_ && !ipv6_.empty());
  std::deque<std::string>& queue = is_ipv6 ? ipv6_ : ipv4_;
  std::string host = std::move(queue.front());
  queue.pop_front();
  ipv6_is_next_ = !is_ipv6;
  return host;
}

void Running::attempt(const std::string& host) {
  Address address = race_.address;
  address.host = host;
  const std::size_t number = tried_.size();
  tried_.push_back({address, std::nullopt});
  ++attempts_running_;
  next_start_ = rt::now() + race_.options.attempt_delay;
  scope_.go("dial attempt", [this, number, address = std::move(address)] {
    Event event(Attempt{number, race_.connect(address, deadline_)});
    (void)events_.try_send(event);
  });
}

void Running::take(Lookup lookup) {
  --lookups_running_;
  if (lookup.found) {
    auto& queue = lookup.family == Family::ipv6 ? ipv6_ : ipv4_;
    for (HostAddress& found : *lookup.found) queue.push_back(std::move(found.host));
  } else {
    lookup_errors_.push_back(lookup.found.error());
  }
  if (!tried_.empty()) return;
  // RFC 8305, 3: IPv6 addresses start at once. IPv4 alone waits a little for them.
  const bool waits = lookups_running_ > 0 && ipv6_.empty() && !ipv4_.empty();
  next_start_ = waits ? rt::now() + race_.options.resolution_delay : Instant::min();
}

Race::Connected Running::take(Attempt attempt) {
  --attempts_running_;
  if (attempt.connected) return std::move(attempt.connected);
  tried_[attempt.number].failed = attempt.connected.error();
  next_start_ = Instant::min();  // RFC 8305, 5: a failure lets the next one start at once
  return attempt.connected.error();
}

rt::Deadline Running::next_wake() const {
  if (!has_candidates()) return deadline_;
  return std::min(deadline_, rt::Deadline::at(next_start_));
}

std::string Running::story() const {
  std::string text;
  for (const Tried& tried : tried_) {
    text += text.empty() ? "" : "; ";
    text += tried.failed ? tried.failed->message() : tried.address.to_string() + ": no answer yet";
  }
  for (const Status& error : lookup_errors_) {
    text += (text.empty() ? "" : "; ") + error.message();
  }
  if (left_out_ > 0) {
    text += "; " + std::to_string(left_out_) +
            " more were not tried (max_attempts: " + std::to_string(race_.options.max_attempts) +
            ")";
  }
  return text;
}

Status Running::failure() const {
  // The attempts have the same deadline and context: what ended them may be known here first.
  if (Status s = rt::Context::current().status(); !s.is_ok()) return ended_early(s);
  if (deadline_.is_over()) {
    return ended_early(Status(Code::deadline_exceeded, "the deadline passed"));
  }
  if (tried_.empty()) {
    // Both lookups failed. A server that cannot be reached says more than "not found": the name may
    // be there after all.
    for (const Status& error : lookup_errors_) {
      if (error.code() != Code::not_found) return error.with_context(what_);
    }
    return lookup_errors_.front().with_context(what_);
  }
  const Code first = tried_.front().failed->code();
  const bool agree = std::all_of(tried_.begin(), tried_.end(),
                                 [&](const Tried& tried) { return tried.failed->code() == first; });
  return {agree ? first : Code::unavailable,
          what_ + ": no address answered; check that the service runs and is let through (" +
              story() + ")"};
}

Status Running::ended_early(const Status& why) const {
  const std::string text = story();
  const Status named = why.with_context(what_);
  return text.empty() ? named : named.with_cause(text);
}

}  // namespace

Race::Connected run_race(const Race& race, rt::Deadline deadline) {
  if (Status s = check(race.options); !s.is_ok()) {
    return s.with_context("dial " + race.address.to_string());
  }
  return Running(race, deadline).run();
}

}  // namespace parley::net::impl
