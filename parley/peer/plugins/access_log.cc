#include "parley/peer/plugins/access_log.h"

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "parley/base/guard.h"
#include "parley/observe/trace_context.h"
#include "parley/peer/impl/words.h"
#include "parley/peer/options.h"
#include "parley/peer/plugin_steps.h"
#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using impl::append_quoted;

// The first bytes, not in the middle of a letter.
std::string start_of(const Bytes& body, std::size_t most) {
  std::string text = body.slice(0, most).to_string();
  if (text.size() == body.size()) return text;
  const auto is_within = [&] {
    const std::string next = body.slice(text.size(), 1).to_string();
    return (static_cast<unsigned char>(next.front()) >> 6U) == 2;
  };
  while (!text.empty() && is_within()) text.pop_back();
  return text;
}

// "1.204ms".
std::string in_ms(Duration duration) {
  std::array<char, 32> room{};
  const double ms = std::chrono::duration<double, std::milli>(duration).count();
  const int size = std::snprintf(room.data(), room.size(), "%.3fms", ms);
  return {room.data(), static_cast<std::size_t>(size)};
}

// What one direction carried.
struct Part {
  std::size_t size = 0;
  const Bytes* body = nullptr;  // null: not to be shown
  const wire::Metadata& metadata;
  const Status& status;
};

class AccessLog {
 public:
  explicit AccessLog(AccessLogOptions options) : options_(std::move(options)) {}

  void use(const PeerOptions& peer) {
    if (options_.sink || !peer.log) return;
    options_.sink = [log = peer.log](const AccessLine& line) {
      (void)guarded([&] { log(line.text); });
    };
  }
  [[nodiscard]] const AccessLogOptions& options() const { return options_; }

  Status served(ServeStep& step, Next& next) const {
    const Instant start = now();
    // Of what came, and not of what others make of it.
    const Bytes body = shows_bodies() ? step.body() : Bytes();
    const std::size_t size = step.body().size();
    const std::string method(step.method());
    const wire::Metadata metadata = options_.shows_metadata ? step.metadata() : wire::Metadata();
    const std::string_view kind = step.is_stream() ? "STREAM<-"
                                  : step.is_push() ? "PUSH<-"
                                                   : "CALL<-";
    Status status = next();
    std::string line = begin(kind, step.session(), start, method, step.metadata());
    static const Status fine;
    append(line, "RECV", {size, shows_bodies() ? &body : nullptr, metadata, fine});
    if (step.is_push()) {
      if (!status.is_ok()) append(line, "SEND", {0, nullptr, wire::Metadata(), status});
    } else {
      const Bytes* const reply = shows_bodies() && status.is_ok() ? &step.reply_body() : nullptr;
      append(line, "SEND",
             {status.is_ok() ? step.reply_bytes() : 0, reply, step.reply_metadata(), status});
    }
    put(line, start, status);
    return status;
  }

  Status made(CallStep& step, Next& next) const {
    const Instant start = now();
    const std::string_view kind = step.kind() == CallStep::Kind::stream ? "STREAM->"
                                  : step.kind() == CallStep::Kind::push ? "PUSH->"
                                                                        : "CALL->";
    Status status = next();
    std::string line = begin(kind, step.session(), start, step.method(), step.options().metadata);
    static const Status fine;
    const bool is_call = step.kind() == CallStep::Kind::call;
    append(line, "SEND",
           {step.body().size(), shows_bodies() ? &step.body() : nullptr, step.options().metadata,
            is_call ? fine : status});
    if (is_call) {
      const bool has_body = shows_bodies() && status.is_ok();
      append(line, "RECV",
             {status.is_ok() ? step.reply_body().size() : 0,
              has_body ? &step.reply_body() : nullptr, step.reply_metadata(), status});
    }
    put(line, start, status);
    return status;
  }

 private:
  [[nodiscard]] bool shows_bodies() const { return options_.max_body_bytes > 0; }
  [[nodiscard]] Instant now() const { return options_.shows_time ? rt::now() : Instant(); }
  [[nodiscard]] bool is_slow(Duration took) const {
    return options_.shows_time && options_.slow_after > Duration::zero() &&
           took >= options_.slow_after;
  }

  // Which trace it belongs to: as the fiber's context says, or what came or was sent with it.
  static void append_trace(std::string& line, const wire::Metadata& metadata) {
    const auto* const here = rt::Context::current().value<observe::TraceContext>();
    const auto sent = observe::TraceContext::parse(metadata.get("traceparent").value_or(""));
    if (here != nullptr) line += " trace:" + here->trace.to_string();
    if (here == nullptr && sent) line += " trace:" + sent->trace.to_string();
  }

  [[nodiscard]] std::string begin(std::string_view kind, const Session& session, Instant start,
                                  std::string_view method, const wire::Metadata& metadata) const {
    std::string line(kind);
    const std::string address = session.remote_address();
    const std::string shown = address.substr(address.starts_with("tcp://") ? 6 : 0);
    line += ' ' + shown;
    const std::string real = session.real_ip();
    if (!real.empty() && shown.find(real) == std::string::npos) line += "(real:" + real + ')';
    if (options_.shows_time) {
      const Duration took = rt::now() - start;
      line += ' ' + in_ms(took) + (is_slow(took) ? "(slow) " : "(fast) ");
    } else {
      line += " (-) ";
    }
    append_quoted(line, method);
    append_trace(line, metadata);
    return line;
  }

  void append(std::string& line, std::string_view name, const Part& part) const {
    line += ' ';
    line += name;
    line += "({\"size\":" + std::to_string(part.size);
    if (!part.status.is_ok()) {
      line += ",\"status\":{\"code\":";
      const std::int32_t business = part.status.business_code();
      append_quoted(line, business != 0 ? std::to_string(business) : name_of(part.status.code()));
      line += ",\"message\":";
      append_quoted(line, part.status.message());
      if (!part.status.cause().empty()) {
        line += ",\"cause\":";
        append_quoted(line, part.status.cause());
      }
      line += '}';
    }
    if (options_.shows_metadata && !part.metadata.empty()) append_metadata(line, part.metadata);
    if (part.body != nullptr && !part.body->empty()) {
      const std::string text = start_of(*part.body, options_.max_body_bytes);
      line += ",\"body\":";
      append_quoted(line, text.size() < part.body->size() ? text + "..." : text);
    }
    line += "})";
  }

  void append_metadata(std::string& line, const wire::Metadata& metadata) const {
    std::size_t bytes = 0;
    line += ",\"meta\":{";
    char before = 0;
    for (const auto& [key, value] : metadata) {
      bytes += key.size() + value.size();
      if (before != 0) line += before;
      before = ',';
      if (bytes > options_.max_detail_bytes) {
        line += "\"...\":\"\"";
        break;
      }
      append_quoted(line, key);
      line += ':';
      append_quoted(line, value);
    }
    line += '}';
  }

  void put(const std::string& line, Instant start, const Status& status) const {
    if (!options_.sink) return;
    const bool slow = options_.shows_time && is_slow(rt::now() - start);
    options_.sink({.text = line, .is_slow = slow, .is_error = !status.is_ok()});
  }

  AccessLogOptions options_;
};

}  // namespace

Plugin access_log(AccessLogOptions options) {
  const auto log = std::make_shared<AccessLog>(std::move(options));
  Plugin plugin{.name = "access_log", .before_new_peer = [log](PeerOptions& peer) {
                  log->use(peer);
                  return Status();
                }};
  if (log->options().logs_served) {
    plugin.serve = [log](ServeStep& step, Next& next) { return log->served(step, next); };
    plugin.serve_stream = plugin.serve;
  }
  if (log->options().logs_made) {
    plugin.call = [log](CallStep& step, Next& next) { return log->made(step, next); };
    plugin.open = plugin.call;
  }
  return plugin;
}

}  // namespace parley
