#include "parley/peer/plugins/overloader.h"

#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "parley/base/assert.h"
#include "parley/peer/early_session.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/session_values.h"
#include "parley/rt/random.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

// Kept with a session that has a seat here.
struct Seat {};
// By overloader: two of them may be around one peer.
std::string seat_name(const void* overloader) {
  return "parley.overloader." + std::to_string(reinterpret_cast<std::uintptr_t>(overloader));
}

Status too_much(std::string_view limit, const std::string& what) {
  return {Code::resource_exhausted, std::string(limit) + ": " + what};
}

}  // namespace

Status OverloaderOptions::check() const {
  if (rate) {
    if (Status s = rate->check(); !s.is_ok()) return s.with_context("OverloaderOptions::rate");
  }
  for (const auto& [method, each] : method_rates) {
    if (Status s = each.check(); !s.is_ok()) {
      return s.with_context("OverloaderOptions::method_rates of " + method);
    }
  }
  if (adaptive) {
    if (Status s = adaptive->check(); !s.is_ok()) return s;
  }
  return queue ? queue->check() : Status();
}

struct Overloader::Rules {
  // What is missing from the buckets of `before` is missing here as well.
  Rules(OverloaderOptions from, const Rules* before) : options(std::move(from)) {
    const Instant now = rt::now();
    if (options.rate) {
      rate.emplace(*options.rate);
      if (before != nullptr && before->rate) rate->take_over(*before->rate, now);
    }
    for (const auto& [method, each] : options.method_rates) {
      TokenBucket& bucket = method_rates.try_emplace(method, each).first->second;
      if (before == nullptr) continue;
      const auto found = before->method_rates.find(method);
      if (found != before->method_rates.end()) bucket.take_over(found->second, now);
    }
    if (options.adaptive) adaptive.emplace(*options.adaptive, rt::random_bits());
    if (options.queue) queue.emplace(*options.queue);
  }

  TokenBucket* rate_of(std::string_view method) {
    const auto found = method_rates.find(method);
    return found == method_rates.end() ? nullptr : &found->second;
  }

  const OverloaderOptions options;
  std::optional<TokenBucket> rate;
  std::map<std::string, TokenBucket, std::less<>> method_rates;
  std::optional<AdaptiveLimit> adaptive;
  std::optional<QueueGuard> queue;
};

Overloader::Overloader(OverloaderOptions options) {
  const Status status = update(std::move(options));
  PARLEY_ASSERT(status.is_ok(), status.message());
}

Status Overloader::update(OverloaderOptions options) {
  if (Status s = options.check(); !s.is_ok()) return s;
  const std::lock_guard lock(lock_);
  rules_ = std::make_shared<Rules>(std::move(options), rules_.get());
  return {};
}

std::shared_ptr<Overloader::Rules> Overloader::rules() const {
  const std::shared_lock lock(lock_);
  return rules_;
}

OverloadCounts Overloader::counts() const {
  return {.sessions = counters_.sessions,
          .rate = counters_.rate,
          .method_rate = counters_.method_rate,
          .adaptive = counters_.adaptive,
          .queue = counters_.queue};
}

std::optional<std::size_t> Overloader::limit() const {
  const auto now = rules();
  return now->adaptive ? std::optional(now->adaptive->limit()) : std::nullopt;
}

Status Overloader::admit(EarlySession& session) {
  const auto most = rules()->options.max_sessions;
  // A seat is taken, or not, in one step: who is turned away frees none.
  std::size_t seats = sessions_;
  do {
    if (most && seats >= *most) {
      ++counters_.sessions;
      return too_much("max_sessions", std::to_string(*most) + " sessions are open");
    }
  } while (!sessions_.compare_exchange_weak(seats, seats + 1));
  Status status = session.values().set(seat_name(this), Seat());
  if (!status.is_ok()) --sessions_;
  return status;
}

void Overloader::left(const ClosedSession& session) {
  if (session.values().get<Seat>(seat_name(this)) != nullptr) --sessions_;
}

Status Overloader::admit_rates(Rules& rules, const ServeStep& step) {
  TokenBucket* const of_method =
      rules.method_rates.empty() ? nullptr : rules.rate_of(step.method());
  const Instant now = rt::now();
  if (of_method != nullptr && !of_method->try_take(now)) {
    ++counters_.method_rate;
    return too_much("method_rates", "too many calls of " + std::string(step.method()));
  }
  if (rules.rate && !rules.rate->try_take(now)) {
    ++counters_.rate;
    return too_much("rate", "too many calls");
  }
  return {};
}

Status Overloader::serve(ServeStep& step, Next& next) {
  const auto rules = this->rules();
  if (rules->queue && !rules->queue->admits(step.context().age(), rt::now())) {
    ++counters_.queue;
    return too_much("queue", "the call has waited too long for its turn");
  }
  if (Status s = admit_rates(*rules, step); !s.is_ok()) return s;
  if (!rules->adaptive) return next();
  if (!rules->adaptive->try_begin(rt::now())) {
    ++counters_.adaptive;
    return too_much("adaptive", "too many calls are under way");
  }
  Status status = next();
  // Who was cancelled, or is refused further down, says nothing about how long calls take. What
  // counts is its wait for its turn as well.
  const bool counts = status.code() != Code::cancelled && status.code() != Code::resource_exhausted;
  rules->adaptive->end(rt::now(), step.context().age(), counts);
  return status;
}

Status Overloader::serve_stream(ServeStep& step, Next& next) {
  if (Status s = admit_rates(*rules(), step); !s.is_ok()) return s;
  return next();
}

Plugin overloader(std::shared_ptr<Overloader> overload) {
  Overloader& it = *overload;
  return {.name = "overloader",
          .after_accept = [overload, &it](EarlySession& session) { return it.admit(session); },
          .serve = [overload, &it](ServeStep& step, Next& next) { return it.serve(step, next); },
          .serve_stream = [overload, &it](ServeStep& step,
                                          Next& next) { return it.serve_stream(step, next); },
          .on_disconnect = [overload, &it](const ClosedSession& session) { it.left(session); }};
}

}  // namespace parley
