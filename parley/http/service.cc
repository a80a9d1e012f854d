#include "parley/http/service.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

#include "parley/base/guard.h"
#include "parley/http/headers.h"
#include "parley/http/http2_servant.h"
#include "parley/observe/registry.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/ready_queue.h"

namespace parley::http {

struct Service::Metrics {
  std::array<observe::Counter*, 6> by_class{};  // cut, 1xx .. 5xx
  observe::Histogram* seconds = nullptr;
  observe::Gauge* connections = nullptr;
  observe::Counter* refused = nullptr;
};

// The text of each second is written once, beside those of the minute before it: who copies one
// would have to take that long to see it change.
struct Service::Dates {
  static constexpr std::size_t line_bytes = 37;  // "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

  explicit Dates(const Clock* from) : clock(from != nullptr ? *from : real) {}

  std::string_view line() {
    const Instant now = rt::recently();
    if (now.time_since_epoch().count() >= next.load(std::memory_order_acquire)) renew(now);
    return {lines.at(current.load(std::memory_order_acquire)).data(), line_bytes};
  }

  void renew(Instant now) {
    if (is_busy.exchange(true, std::memory_order_acquire)) {
      while (current.load(std::memory_order_acquire) == none) {}  // the very first
      return;
    }
    const WallTime wall = clock.wall();
    const auto second = std::chrono::floor<std::chrono::seconds>(wall);
    const std::size_t before = current.load(std::memory_order_relaxed);
    const std::size_t place = before == none ? 0 : (before + 1) % lines.size();
    write(std::chrono::system_clock::to_time_t(second), lines.at(place));
    current.store(place, std::memory_order_release);
    const Instant until = now + (second + std::chrono::seconds(1) - wall);
    next.store(until.time_since_epoch().count(), std::memory_order_release);
    is_busy.store(false, std::memory_order_release);
  }

  // Not by the locale.
  static void write(std::time_t time, std::array<char, line_bytes + 1>& line) {
    static constexpr std::string_view days = "SunMonTueWedThuFriSat";
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    std::tm parts{};
    (void)::gmtime_r(&time, &parts);
    const auto three = [](std::string_view names, int index) {
      return names.data() + static_cast<std::size_t>(index) * 3;
    };
    std::array<char, 2 * sizeof(line)> text{};  // room for years beyond 9999, which do not come
    (void)std::snprintf(text.data(), text.size(),
                        "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
                        three(days, parts.tm_wday), parts.tm_mday, three(months, parts.tm_mon),
                        (parts.tm_year + 1900) % 10'000, parts.tm_hour, parts.tm_min, parts.tm_sec);
    std::copy_n(text.begin(), line_bytes, line.begin());
  }

  static constexpr std::size_t none = ~std::size_t{0};
  const RealClock real;
  const Clock& clock;
  std::array<std::array<char, line_bytes + 1>, 64> lines{};
  std::atomic<std::size_t> current = none;
  std::atomic<Instant::rep> next = 0;
  std::atomic<bool> is_busy = false;
};

Service::Service(Handler handler, ServerOptions options)
    : handler_(std::move(handler)),
      options_(std::move(options)),
      server_line_(options_.server_name.empty() ? std::string()
                                                : "Server: " + options_.server_name + "\r\n"),
      draining_(std::make_shared<Draining>()),
      dates_(std::make_unique<Dates>(options_.clock)) {}

Service::~Service() { draining_->end(); }

void Service::drain() { draining_->begin(); }

Http2Service& Service::http2() {
  const std::lock_guard lock(lock_);
  if (http2_ == nullptr) http2_ = std::make_unique<Http2Service>(*this);
  return *http2_;
}

rt::ReadyQueue& Service::senders() {
  const std::lock_guard lock(lock_);
  if (senders_ == nullptr) {
    senders_ = std::make_unique<rt::ReadyQueue>("http answers", rt::Context::background());
  }
  return *senders_;
}

Result<std::shared_ptr<Service>> Service::make(Handler handler, ServerOptions options) {
  if (!handler) return Status(Code::invalid_argument, "http::Service: the handler is empty");
  if (options.max_connections == 0 || options.max_handlers == 0 || options.out_buffer_bytes == 0) {
    return Status(Code::invalid_argument,
                  "http::ServerOptions: max_connections, max_handlers and out_buffer_bytes must be "
                  "above 0; nobody could be served");
  }
  // What is passed on from here knows one way to say never.
  for (Duration* time :
       {&options.head_timeout, &options.body_timeout, &options.write_timeout,
        &options.keep_alive_timeout, &options.ping_after, &options.handed_over_timeout}) {
    if (*time <= Duration::zero()) *time = Duration::max();
  }
  Headers probe;
  if (Status bad = probe.add("Server", options.server_name); !bad.is_ok()) return bad;
  std::shared_ptr<Service> service(new Service(std::move(handler), std::move(options)));
  if (service->options_.registry != nullptr) {
    if (Status bad = service->register_metrics(); !bad.is_ok()) return bad;
  }
  return service;
}

Status Service::register_metrics() {
  observe::Registry& registry = *options_.registry;
  auto metrics = std::make_unique<Metrics>();
  const auto requests = registry.counters(
      {.name = "parley_http_requests", .help = "Requests over, by the class of their answer."},
      {.labels = {"class"}});
  if (!requests) return requests.error();
  static constexpr std::array<std::string_view, 6> classes{"cut", "1xx", "2xx",
                                                           "3xx", "4xx", "5xx"};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    metrics->by_class.at(i) = &(*requests)->with({classes.at(i)});
  }
  const auto seconds = registry.histogram({.name = "parley_http_request_seconds",
                                           .help = "From the end of a head to that of its answer.",
                                           .unit = "seconds"},
                                          observe::Bounds::latency());
  if (!seconds) return seconds.error();
  metrics->seconds = *seconds;
  const auto connections =
      registry.gauge({.name = "parley_http_connections", .help = "Connections served now."});
  if (!connections) return connections.error();
  metrics->connections = *connections;
  const auto refused = registry.counter(
      {.name = "parley_http_refused", .help = "Requests that broke a rule or limit of HTTP."});
  if (!refused) return refused.error();
  metrics->refused = *refused;
  metrics_ = std::move(metrics);
  return {};
}

ServerCounts Service::counts() const {
  ServerCounts counts;
  counts.requests = requests_;
  counts.refused = refused_;
  counts.timeouts = timeouts_;
  counts.errors = errors_;
  counts.cut_at_rest = cut_at_rest_;
  const std::lock_guard lock(lock_);
  if (http2_ != nullptr) counts.handlers = http2_->counts().handlers;
  return counts;
}

void Service::put_own_fields(bool with_server, bool with_date, std::string& out) {
  if (with_server) out += server_line_;
  if (with_date && options_.send_date) out += dates_->line();
}

std::string_view Service::date() {
  if (!options_.send_date) return {};
  constexpr std::size_t name = std::string_view("Date: ").size();
  return dates_->line().substr(name, Dates::line_bytes - name - 2);
}

void Service::note_answer(StatusCode status, Duration took) {
  if (metrics_ == nullptr) return;
  const std::size_t by = status < 100 || status > 599 ? 0 : status / 100;
  metrics_->by_class.at(by)->add();
  metrics_->seconds->observe(took);
}

void Service::note_connection(int by) {
  if (metrics_ != nullptr) metrics_->connections->add(by);
}

void Service::note_refused() {
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (metrics_ != nullptr) metrics_->refused->add();
}

void Service::note_error(const net::Address& remote, const Status& why) {
  errors_.fetch_add(1, std::memory_order_relaxed);
  if (options_.on_error) (void)guarded([&] { options_.on_error(remote, why); });
}

bool Service::note_cut_at_rest(const Status& why) noexcept {
  if (why.code() != Code::data_loss) return false;
  cut_at_rest_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace parley::http
