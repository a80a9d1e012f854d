#include "parley/net/impl/dns_driver.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/time.h"

namespace parley::net::impl {

Result<std::unique_ptr<DnsDriver>> DnsDriver::open(const ResolverOptions& options) {
  auto channel = DnsChannel::open(options);
  if (!channel) return channel.error();
  std::unique_ptr<DnsDriver> driver(new DnsDriver(options));
  driver->channel_ = *std::move(channel);
  if (Status s = driver->pollable_.watch(driver->channel_->fd()); !s.is_ok()) return s;
  driver->scope_.go("resolver", [self = driver.get()] { self->drive(); });
  return driver;
}

// The fiber's context is a child of none: it serves whoever comes, and ends with this object.
DnsDriver::DnsDriver(const ResolverOptions& options)
    : max_queries_(options.max_queries),
      cache_({.min_ttl = options.min_ttl,
              .max_ttl = options.max_ttl,
              .negative_ttl = options.negative_ttl,
              .max_entries = options.max_cached}),
      scope_(rt::Context::background(), rt::OnExit::cancel) {}

DnsDriver::~DnsDriver() {
  PARLEY_ASSERT(waiting_ == 0, "a Resolver was destroyed while a lookup waits");
}

ResolverCounts DnsDriver::counts() const {
  return {.queries = queries_,
          .shared = shared_,
          .cached = cached_,
          .evicted = evicted_,
          .delayed = delayed_};
}

Result<std::vector<DnsAnswer>> DnsDriver::ask(const std::vector<DnsQuestion>& questions,
                                              rt::Deadline deadline) {
  ++waiting_;
  std::vector<FlightPtr> flights;
  flights.reserve(questions.size());
  for (const DnsQuestion& question : questions) flights.push_back(join(question));
  Status status;
  std::vector<DnsAnswer> answers;
  for (const FlightPtr& flight : flights) {
    status = flight->done.wait(deadline);
    if (!status.is_ok()) {
      status = status.with_context("look up " + flight->question.to_string() + " at " +
                                   channel_->servers());
      break;
    }
    answers.push_back(flight->answer);
  }
  for (const FlightPtr& flight : flights) leave(flight);
  --waiting_;
  if (!status.is_ok()) return status;
  return answers;
}

// A flight that answers `question`: one that is on its way, a new one, or one that has arrived.
DnsDriver::FlightPtr DnsDriver::join(const DnsQuestion& question) {
  FlightPtr flight;
  {
    const std::lock_guard lock(mutex_);
    if (auto answer = cache_.find(question, rt::now())) {
      ++cached_;
      flight = std::make_shared<Flight>();
      flight->question = question;
      flight->answer = *std::move(answer);
      flight->waiters = 1;
      flight->has_started = true;
      flight->done.set();
      return flight;
    }
    if (const auto found = flights_.find(question); found != flights_.end()) {
      ++shared_;
      ++found->second->waiters;
      return found->second;
    }
    flight = std::make_shared<Flight>();
    flight->question = question;
    flight->waiters = 1;
    flights_.emplace(question, flight);
    queue_.push_back(flight);
  }
  channel_->wake();
  return flight;
}

// What nobody waits for any more is not asked. Once asked it runs to its end, for the cache.
void DnsDriver::leave(const FlightPtr& flight) {
  const std::lock_guard lock(mutex_);
  if (--flight->waiters > 0 || flight->has_started) return;
  flights_.erase(flight->question);
  std::erase(queue_, flight);
}

void DnsDriver::drive() {
  for (;;) {
    start_flights();
    end_flights();
    Status status = pollable_.wait_readable(channel_->next_timeout());
    if (!scope_.context().status().is_ok()) break;
    while (!channel_->process()) rt::yield();
    end_flights();
    PARLEY_ASSERT(status.is_ok() || status.code() == Code::deadline_exceeded,
                  "the resolver's fiber was woken for no reason");
  }
  fail_the_rest();
}

// Hands questions to c-ares while there is room. c-ares may answer at once (the hosts file, a name
// it refuses), which makes room again.
void DnsDriver::start_flights() {
  for (;;) {
    FlightPtr flight;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return;
      if (flying_ >= max_queries_) return count_delayed();
      flight = std::move(queue_.front());
      queue_.pop_front();
      flight->has_started = true;
    }
    ++queries_;
    ++flying_;
    channel_->ask(flight->question, [this, flight](DnsAnswer answer) {
      flight->answer = std::move(answer);
      ended_.push_back(flight);
      --flying_;
    });
  }
}

// Under mutex_. Those counted before stand in front.
void DnsDriver::count_delayed() {
  for (auto at = queue_.rbegin(); at != queue_.rend() && !(*at)->was_delayed; ++at) {
    (*at)->was_delayed = true;
    ++delayed_;
  }
}

// Publishes what c-ares answered.
void DnsDriver::end_flights() {
  if (ended_.empty()) return;
  const std::vector<FlightPtr> ended = std::exchange(ended_, {});
  {
    const std::lock_guard lock(mutex_);
    for (const FlightPtr& flight : ended) {
      flights_.erase(flight->question);
      evicted_ += cache_.put(flight->question, flight->answer, rt::now());
    }
  }
  for (const FlightPtr& flight : ended) flight->done.set();
}

// c-ares answers all it has when it is closed. Nobody waits any more, see ~DnsDriver.
void DnsDriver::fail_the_rest() {
  pollable_ = rt::Pollable();
  channel_.reset();
  end_flights();
}

}  // namespace parley::net::impl
