#include "parley/peer/impl/extras.h"

#include <memory>
#include <mutex>
#include <utility>

#include "parley/net/address.h"
#include "parley/peer/impl/logging.h"
#include "parley/peer/impl/shortcut.h"
#include "parley/rt/mutex.h"

namespace parley::impl {
namespace {

// Empty when it has none.
std::string ip_of(const std::string& address) {
  const auto parsed = net::Address::parse(address);
  return parsed && parsed->is_numeric() ? parsed->host : std::string();
}

}  // namespace

struct Extras::Kept {
  Kept(std::size_t most_values, std::string ip) : values(most_values), real_ip(std::move(ip)) {}

  SessionValues values;
  RequestLines request_lines;
  mutable rt::Mutex lock;  // of what follows
  std::string real_ip;
  std::vector<OnClosed> on_closed;
};

Extras::Extras(const PeerOptions& options, const std::string& remote_address,
               std::shared_ptr<Line> line)
    : options_(options), remote_address_(remote_address), line_(std::move(line)) {}

Extras::~Extras() { const std::unique_ptr<Kept> last(kept_.load()); }

void Extras::set_shortcut(std::unique_ptr<Shortcut> shortcut) { shortcut_ = std::move(shortcut); }

// What ends while this is made is seen here, or sees what was made.
Extras::Kept& Extras::kept() {
  Kept* kept = kept_.load();
  if (kept != nullptr) return *kept;
  auto made = std::make_unique<Kept>(options_.max_session_values, ip_of(remote_address_));
  if (!kept_.compare_exchange_strong(kept, made.get())) return *kept;
  kept = made.release();
  if (has_no_values_) kept->values.end();
  return *kept;
}

SessionValues& Extras::values() { return kept().values; }

std::string Extras::real_ip() const {
  const Kept* const kept = kept_.load();
  if (kept == nullptr) return ip_of(remote_address_);
  const std::lock_guard lock(kept->lock);
  return kept->real_ip;
}

// It goes into logs and decides who may do what: nothing but an address will do.
Status Extras::set_real_ip(const std::string& ip) {
  const bool is_v6 = ip.find(':') != std::string::npos;
  const auto address = net::Address::parse("tcp://" + (is_v6 ? "[" + ip + "]" : ip) + ":0");
  if (!address || !address->is_numeric()) {
    return {Code::invalid_argument, "an IPv4 or IPv6 address without a port is expected"};
  }
  Kept& kept = this->kept();
  const std::lock_guard lock(kept.lock);
  kept.real_ip = address->host;
  return {};
}

bool Extras::may_log_request(std::size_t& left_out) {
  return kept().request_lines.take(options_, left_out);
}

std::size_t Extras::requests_not_logged() {
  Kept* const kept = kept_.load();
  return kept == nullptr ? 0 : kept->request_lines.take_left_out();
}

Status Extras::add_on_closed(OnClosed callback) {
  Kept& kept = this->kept();
  const std::lock_guard lock(kept.lock);
  if (has_closed_) return {Code::failed_precondition, "the session has ended"};
  if (kept.on_closed.size() >= options_.max_on_closed) {
    return {Code::resource_exhausted, "max_on_closed: " + std::to_string(options_.max_on_closed) +
                                          " callbacks wait for the end of this session"};
  }
  kept.on_closed.push_back(std::move(callback));
  return {};
}

std::vector<OnClosed> Extras::take_on_closed() {
  has_closed_ = true;
  Kept* const kept = kept_.load();
  if (kept == nullptr) return {};
  const std::lock_guard lock(kept->lock);
  return std::move(kept->on_closed);
}

void Extras::end_values() {
  has_no_values_ = true;
  Kept* const kept = kept_.load();
  if (kept != nullptr) kept->values.end();
}

}  // namespace parley::impl
