#include "parley/door/impl/door_servant.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/door/erpc_http.h"
#include "parley/http/server.h"
#include "parley/net/prefixed_stream.h"
#include "parley/rt/time.h"

namespace parley::door::impl {
namespace {

// What one read takes, on the stack: a request of a browser, most of the time.
constexpr std::size_t read_bytes = 1024;

}  // namespace

DoorServant::DoorServant(Rooms& rooms, const Detector& detector)
    : rooms_(rooms),
      detector_(detector),
      due_(rt::Deadline::after(detector.options().detect_timeout).instant()) {
  rooms_.undetected.fetch_add(1, std::memory_order_relaxed);
}

DoorServant::~DoorServant() {
  if (!is_detected_) rooms_.undetected.fetch_sub(1, std::memory_order_relaxed);
}

Result<net::Next> DoorServant::on_readable(net::Stream& stream) {
  if (http_ != nullptr) return http_->on_readable(stream);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): what was read is all that is looked at
  std::array<char, read_bytes> buffer;
  const auto size = stream.try_read(buffer);
  if (!size) {
    const bool is_nothing = before_.empty() && rooms_.http->note_cut_at_rest(size.error());
    return is_nothing ? Result<net::Next>(net::Next::end) : size.error();
  }
  if (!*size) return net::Next::rest;
  if (**size == 0) return net::Next::end;
  before_.append(buffer.data(), **size);
  const Detector::Verdict verdict = detector_.look(before_);
  if (verdict.match == wire::Match::needs_more) return net::Next::rest;
  if (verdict.match == wire::Match::yes) {
    const std::string_view spoken = detector_.candidates()[verdict.index].name;
    if (spoken != http1_name || !rooms_.takes_erpc_http) return become(spoken, stream);
    const wire::Match erpc = begins_erpc_http(before_, erpc_seen_);
    if (erpc == wire::Match::needs_more) return net::Next::rest;
    return become(erpc == wire::Match::yes ? erpc_http_name : http1_name, stream);
  }
  rooms_.refused.fetch_add(1, std::memory_order_relaxed);
  return detector_.refusal(before_);
}

Result<net::Next> DoorServant::become(std::string_view spoken, net::Stream& stream) {
  is_detected_ = true;
  rooms_.undetected.fetch_sub(1, std::memory_order_relaxed);
  rooms_.counts.find(spoken)->second.fetch_add(1, std::memory_order_relaxed);
  if (spoken == http1_name || spoken == http2_name) {
    const std::string before = std::exchange(before_, {});
    return attend(http::make_servant(stream, rooms_.http, before), stream);
  }
  spoken_ = spoken;
  goes_ = spoken == tls_name ? Goes::to_tls : Goes::to_peer;
  return net::Next::hand_over;
}

Result<net::Next> DoorServant::attend(std::unique_ptr<net::Servant> servant, net::Stream& stream) {
  http_ = std::move(servant);
  if (is_draining_) {
    const auto next = http_->on_drain(stream);
    if (!next || *next != net::Next::rest) return next;
  }
  return http_->on_readable(stream);
}

void DoorServant::on_end(net::Stream& stream) {
  if (http_ != nullptr) http_->on_end(stream);
}

Instant DoorServant::due() { return http_ != nullptr ? http_->due() : due_; }

Result<net::Next> DoorServant::on_due(net::Stream& stream) {
  if (http_ != nullptr) return http_->on_due(stream);
  // It has said that it is HTTP, and takes its time with the first head: that has limits of its
  // own.
  const Detector::Verdict verdict = detector_.look(before_);
  if (verdict.match == wire::Match::yes) {
    return become(detector_.candidates()[verdict.index].name, stream);
  }
  rooms_.timeouts.fetch_add(1, std::memory_order_relaxed);
  return detector_.too_slow(before_);
}

// Who has begun to say something is heard out, within its time.
Result<net::Next> DoorServant::on_drain(net::Stream& stream) {
  is_draining_ = true;
  if (http_ != nullptr) return http_->on_drain(stream);
  const bool is_silent = before_.empty() && stream.unread() == net::Stream::Unread::nothing;
  return is_silent ? net::Next::end : net::Next::rest;
}

void DoorServant::take(std::unique_ptr<net::Stream> stream) {
  if (http_ != nullptr) return http_->take(std::move(stream));
  const net::Address remote = stream->remote_address();
  stream = std::make_unique<net::PrefixedStream>(std::exchange(before_, {}), std::move(stream));
  if (goes_ == Goes::to_tls) return rooms_.pass_on(std::move(stream));
  // The peer looks by itself where it speaks what all peers speak; else it need not.
  std::vector<std::shared_ptr<const wire::Framing>> framings = rooms_.peer.options().framings;
  std::erase_if(framings, [&](const auto& each) { return each->name() != spoken_; });
  const auto session = rooms_.peer.serve(std::move(stream), Side::accepted, std::move(framings));
  if (!session && rooms_.on_error) rooms_.on_error(remote, session.error());
}

}  // namespace parley::door::impl
