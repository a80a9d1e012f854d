#include "parley/peer/impl/peer_options.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "parley/peer/impl/outbox.h"
#include "parley/peer/impl/plugins.h"
#include "parley/peer/impl/words.h"
#include "parley/wire/framing.h"

namespace parley::impl {
namespace {

Status refuse(std::string_view name, std::string_view expected) {
  return {Code::invalid_argument, std::string(name) + " is to be " + std::string(expected)};
}

struct Time {
  const char* name;
  Duration value;
};

Status check_times(const PeerOptions& options) {
  for (const auto& [name, value] : {Time{"call_timeout", options.call_timeout},
                                    {"dial_timeout", options.dial_timeout},
                                    {"frame_timeout", options.frame_timeout},
                                    {"write_timeout", options.write_timeout},
                                    {"accept_pause", options.accept_pause},
                                    {"accept_report", options.accept_report},
                                    {"early_timeout", options.early_timeout},
                                    {"request_lines_period", options.request_lines_period}}) {
    if (value > Duration::zero()) continue;
    return refuse("PeerOptions::" + std::string(name),
                  "longer than zero, not " + in_milliseconds(value));
  }
  // At zero nobody is waited for.
  for (const auto& [name, value] : {Time{"drain_timeout", options.drain_timeout},
                                    {"flush_timeout", options.flush_timeout},
                                    {"close_timeout", options.close_timeout}}) {
    if (value >= Duration::zero()) continue;
    return refuse("PeerOptions::" + std::string(name),
                  "zero or longer, not " + in_milliseconds(value));
  }
  return {};
}

struct Limit {
  const char* name;
  std::size_t value;
  std::size_t least;
};

// Zero of the others says that there is to be none of what they bound.
Status check_limits(const PeerOptions& options) {
  const wire::Settings settings;  // what whoever speaks the parley framing may count on
  for (const auto& [name, value, least] :
       {Limit{"max_frame_bytes", options.max_frame_bytes, 1},
        {"max_sessions", options.max_sessions, 1},
        {"max_fibers", options.max_fibers, 1},
        {"max_outgoing_bytes", options.max_outgoing_bytes, 1},
        {"part_bytes", options.part_bytes, Outbox::large_body_bytes},
        {"max_streams", options.max_streams, settings.max_streams},
        {"stream_credit", options.stream_credit, settings.stream_credit},
        {"session_credit", options.session_credit, settings.session_credit},
        {"codec_limits.max_bytes", options.codec_limits.max_bytes, 1}}) {
    if (value >= least) continue;
    return refuse("PeerOptions::" + std::string(name),
                  "at least " + std::to_string(least) + ", not " + std::to_string(value));
  }
  return {};
}

Status check_framings(std::string_view name, const Framings& framings) {
  if (std::ranges::find(framings, nullptr) == framings.end()) return {};
  return refuse(name, "a list without null");
}

Status ask_plugins(PeerOptions& options) {
  for (std::size_t i = 0; i < options.plugins.size(); ++i) {
    const Plugin plugin = options.plugins[i];
    Status status = Plugins::run_one<PeerOptions&>(plugin, &Plugin::before_new_peer,
                                                   "before_new_peer", options);
    if (!status.is_ok()) return status;
  }
  return {};
}

}  // namespace

Status check(const PeerOptions& options) {
  if (Status s = check_times(options); !s.is_ok()) return s;
  if (Status s = check_limits(options); !s.is_ok()) return s;
  if (Status s = check_framings("PeerOptions::framings", options.framings); !s.is_ok()) return s;
  if (options.name_mapper != nullptr) return {};
  return refuse("PeerOptions::name_mapper", "a function, not null");
}

Status check(const ListenOptions& options) {
  if (options.max_sessions == 0U) return refuse("ListenOptions::max_sessions", "at least 1, not 0");
  return check_framings("ListenOptions::framings", options.framings);
}

Status check(const DialOptions& options) {
  return check_framings("DialOptions::framings", options.framings);
}

Status complete(PeerOptions& options) {
  Status status = ask_plugins(options);
  if (status.is_ok()) status = check(options);
  if (status.is_ok()) return status;
  options.max_fibers = std::max<std::size_t>(options.max_fibers, 1);
  if (options.name_mapper == nullptr) options.name_mapper = &http_name;
  return status;
}

}  // namespace parley::impl
