#include "parley/peer/plugins/heartbeat.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "parley/peer/impl/heart.h"
#include "parley/peer/peer.h"

namespace parley {
namespace {

// What Teleport's side tells and is told: an interval in seconds.
constexpr std::string_view rate_key = "hb_";

Status check_timeouts(const HeartbeatOptions& options) {
  if (options.interval < HeartbeatOptions::least_interval) {
    return {Code::invalid_argument,
            "HeartbeatOptions::interval is shorter than least_interval (1 s)"};
  }
  if (options.interval > HeartbeatOptions::longest_time ||
      options.timeout > HeartbeatOptions::longest_time) {
    return {Code::invalid_argument,
            "HeartbeatOptions: interval or timeout is longer than longest_time (a year): without "
            "the plugin nobody is asked"};
  }
  if (options.timeout < HeartbeatOptions::least_timeout) {
    return {Code::invalid_argument,
            "HeartbeatOptions::timeout is shorter than least_timeout (100 ms): sessions that are "
            "well would end"};
  }
  return {};
}

// Nothing was told: what was told before stays.
Result<Duration> told_rate(std::string_view text) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && seconds > 0) return Duration(std::chrono::seconds(seconds));
  return Status(Code::invalid_argument,
                "hb_, the interval of the heartbeat, is to be a number of seconds above 0");
}

}  // namespace

Status HeartbeatOptions::check() const {
  if (Status s = check_timeouts(*this); !s.is_ok()) return s;
  if (jitter >= 0 && jitter <= 1) return {};
  return {Code::invalid_argument, "HeartbeatOptions::jitter is to be from 0 to 1"};
}

Plugin heartbeat(HeartbeatOptions options) {
  const auto rate = std::chrono::ceil<std::chrono::seconds>(options.interval);
  auto hearts =
      std::make_shared<impl::Hearts>(impl::HeartTerms{.asks = true,
                                                      .timeout = options.timeout,
                                                      .jitter = options.jitter,
                                                      .kind = options.kind,
                                                      .rate = std::to_string(rate.count()),
                                                      .counts = options.counts});
  return {.name = "heartbeat",
          .before_new_peer = [options](PeerOptions&) { return options.check(); },
          .on_session =
              [hearts, interval = options.interval](const Session& session) {
                hearts->watch(session, interval);
                return Status();
              }};
}

Status HeartbeatPongOptions::check() const {
  if (intervals < 1) {
    return {Code::invalid_argument, "HeartbeatPongOptions::intervals is to be at least 1"};
  }
  if (longest_interval > HeartbeatOptions::longest_time / intervals) {
    return {Code::invalid_argument,
            "HeartbeatPongOptions: intervals times longest_interval is longer than "
            "HeartbeatOptions::longest_time (a year)"};
  }
  if (longest_interval >= HeartbeatOptions::least_interval) return {};
  return {Code::invalid_argument,
          "HeartbeatPongOptions::longest_interval is shorter than least_interval (1 s)"};
}

Plugin heartbeat_pong(HeartbeatPongOptions options) {
  auto hearts =
      std::make_shared<impl::Hearts>(impl::HeartTerms{.asks = false, .counts = options.counts});
  auto serve = [hearts, options](Context& context) -> Status {
    const auto told = context.metadata().get(rate_key);
    if (!told) return {};
    const auto rate = told_rate(*told);
    if (!rate) return rate.error();
    hearts->watch(context.session(), options.intervals * std::min(*rate, options.longest_interval));
    return {};
  };
  return {.name = "heartbeat_pong",
          .before_new_peer = [options](PeerOptions&) { return options.check(); },
          .after_new_peer =
              [serve](Peer& peer) {
                peer.handle("/heartbeat", serve);
                return Status();
              }};
}

}  // namespace parley
