#include "parley/peer/plugins/proxy.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "parley/base/assert.h"
#include "parley/base/guard.h"
#include "parley/peer/handler.h"
#include "parley/peer/impl/hops.h"
#include "parley/peer/peer.h"
#include "parley/peer/stream.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using wire::Message;
using wire::MessageType;

constexpr std::string_view real_ip_key = "X-Real-IP";
// So much longer than the caller itself waits: it is then its own deadline that ends the call.
constexpr Duration beyond_the_caller = std::chrono::seconds(1);
constexpr std::int32_t bad_gateway = 502;
// So many tries follow at once. Before each further one is a pause, twice as long as the one
// before.
constexpr std::size_t tries_at_once = 2;
constexpr Duration first_pause = std::chrono::milliseconds(1);
constexpr Duration longest_pause = std::chrono::milliseconds(250);

// Connection errors of a backend are none of the connection that its caller has.
Status as_answer_of_proxy(const Status& status, std::string_view method) {
  const std::int32_t business = status.business_code();
  const bool is_teleports = business >= 100 && business < 200;
  const bool is_sent =
      status.code() == Code::outcome_unknown || (is_teleports && status.code() == Code::unknown);
  if (!is_sent && status.code() != Code::not_sent && !is_teleports) return status;
  const std::string what = is_sent ? " was cut before it answered; it may have run"
                                   : " could not be reached; nothing was run";
  return Status(is_sent ? Code::unknown : Code::unavailable,
                "bad gateway: the backend of " + std::string(method) + what)
      .with_business_code(bad_gateway)
      .with_cause(status.to_string());
}

// What has come goes on, until the sender has finished.
void pass_on(RawStream& from, RawStream& to) {
  for (;;) {
    auto message = from.receive();
    if (!message) return to.cancel();
    if (!*message) return (void)to.finish();
    if (!to.send(**std::move(message)).is_ok()) return;
  }
}

// The way back, which ends with the stream.
Status pass_back(RawStream& from, RawStream& to) {
  for (;;) {
    auto message = from.receive();
    if (!message) return message.error();
    if (!*message) return {};
    if (Status s = to.send(**std::move(message)); !s.is_ok()) return s;
  }
}

// What a request still has in time and tries.
class Patience {
 public:
  Patience(std::size_t most, rt::Deadline until) : most_(most), until_(until) {}

  [[nodiscard]] std::size_t tries() const { return tries_; }
  [[nodiscard]] rt::Deadline until() const { return until_; }
  // After a try. False when there is to be no other one.
  bool waits_for_next() {
    if (++tries_ >= most_) return false;
    if (tries_ >= tries_at_once) {
      const auto next = std::min(rt::Deadline::after(pause_), until_);
      if (!rt::sleep_until(next.instant()).is_ok()) return false;
      pause_ = std::min(2 * pause_, longest_pause);
    }
    return !until_.is_over() && !rt::Context::current().is_done();
  }

 private:
  const std::size_t most_;
  const rt::Deadline until_;
  std::size_t tries_ = 0;
  Duration pause_ = first_pause;
};

class Proxy {
 public:
  explicit Proxy(ProxyOptions options) : options_(std::move(options)) {
    PARLEY_ASSERT(options_.pick != nullptr, "ProxyOptions::pick says where requests go");
    PARLEY_ASSERT(options_.max_tries > 0, "ProxyOptions::max_tries is at least 1");
  }

  Status run(Context& context, const Message& request, Answer& answer) {
    const std::size_t others = under_way_.fetch_add(1, std::memory_order_relaxed);
    Status status =
        others < options_.max_under_way
            ? carry(context, request, answer)
            : Status(Code::resource_exhausted, "max_under_way: " + std::to_string(others) +
                                                   " requests wait for their answers in the proxy");
    under_way_.fetch_sub(1, std::memory_order_relaxed);
    return status;
  }

 private:
  Status carry(Context& context, const Message& request, Answer& answer) {
    CallOptions options{.metadata = request.metadata,
                        .filters = request.filters,
                        .body_codec = request.body_codec,
                        .is_filtered = request.is_filtered || request.type == MessageType::open};
    if (Status s = add_metadata(context, options.metadata); !s.is_ok()) return s;
    const rt::Deadline deadline = deadline_of(context, request);
    // A stream has no end of its own, but it is not tried for ever.
    Patience patience(options_.max_tries, deadline.is_never()
                                              ? rt::Deadline::after(context.options().call_timeout)
                                              : deadline);
    for (;;) {
      options.timeout = std::nullopt;
      if (!deadline.is_never()) options.timeout = deadline.instant() - rt::now();
      Status status = try_once(context, request, options, patience, answer);
      if (status.code() == Code::not_sent && patience.waits_for_next()) continue;
      return as_answer_of_proxy(status, request.method);
    }
  }

  Status add_metadata(const Context& context, wire::Metadata& metadata) const {
    if (Status s = impl::count_hop(metadata, options_.max_hops); !s.is_ok()) return s;
    if (options_.replaces_real_ip || !metadata.get(real_ip_key)) {
      metadata.remove(real_ip_key);
      std::string real_ip = context.real_ip();  // empty of a Unix socket
      if (!real_ip.empty()) metadata.set(real_ip_key, std::move(real_ip));
    }
    if (!options_.session_key.empty()) {
      metadata.set(options_.session_key, context.session().id());
    }
    return {};
  }

  [[nodiscard]] rt::Deadline deadline_of(const Context& context, const Message& request) const {
    if (request.type == MessageType::open) return rt::Deadline::never();
    const rt::Deadline callers = rt::Context::current().deadline();
    const Duration otherwise = options_.timeout.value_or(context.options().call_timeout);
    if (callers.is_never()) return rt::Deadline::after(otherwise);
    const rt::Deadline later = rt::Deadline::at(callers.instant() + beyond_the_caller);
    return options_.timeout ? std::min(later, rt::Deadline::after(otherwise)) : later;
  }

  Status try_once(Context& context, const Message& request, CallOptions& options,
                  const Patience& patience, Answer& answer) {
    Result<ProxyTarget> target = Status(Code::internal, "plugin proxy threw an exception in pick");
    const Status thrown = guarded(
        [&] { target = options_.pick(ProxyLabel(context, request.type, patience.tries())); });
    if (!thrown.is_ok()) return target.error().with_cause(thrown.cause());
    if (!target) return target.error();
    if (const Session* const session = std::get_if<Session>(&*target)) {
      return send_on(*session, context, request, options, answer);
    }
    auto lease = std::get<SessionPool*>(*target)->take(patience.until());
    if (!lease) return lease.error();
    return send_on(lease->session(), context, request, options, answer);
  }

  static Status send_on(const Session& session, Context& context, const Message& request,
                        CallOptions& options, Answer& answer) {
    if (request.type == MessageType::push) {
      return session.push(options, request.method, request.body);
    }
    if (request.type == MessageType::open) return stream_on(session, context, request, options);
    options.reply_metadata = &context.reply_metadata();
    auto reply = session.call<Message>(options, request.method, request.body);
    if (!reply) return reply.error();
    if (reply->is_filtered && reply->filters != request.filters) {
      return {Code::internal, "the backend's answer to " + std::string(request.method) +
                                  " came through other transfer filters than the question"};
    }
    answer.codec = reply->body_codec;
    answer.bytes = std::move(reply->body);
    answer.is_filtered = reply->is_filtered && !answer.bytes.empty();
    return {};
  }

  static Status stream_on(const Session& session, Context& context, const Message& request,
                          const CallOptions& options) {
    RawStream in = context.stream();
    in.keep_filtered();
    auto out = session.open_raw(options, request.method, request.body_codec);
    if (!out) return out.error();
    rt::Scope scope(rt::OnExit::cancel);
    if (!scope.try_go("proxied stream", [&] { pass_on(in, *out); })) {
      return {Code::resource_exhausted, "no fiber for a stream through the proxy"};
    }
    Status status = pass_back(*out, in);
    if (auto metadata = out->end_metadata()) context.reply_metadata() = *std::move(metadata);
    // What was taken from one side cannot be sent to another backend.
    return as_answer_of_proxy(status, request.method);
  }

  const ProxyOptions options_;
  std::atomic<std::size_t> under_way_ = 0;
};

}  // namespace

Plugin proxy(ProxyOptions options) {
  auto made = std::make_shared<Proxy>(std::move(options));
  return {
      .name = "proxy", .after_new_peer = [made](Peer& peer) {
        for (const MessageType type : {MessageType::call, MessageType::push, MessageType::open}) {
          peer.add_unknown(
              type,
              [made](Context& context, const Message& request, Answer& answer) {
                return made->run(context, request, answer);
              },
              true);
        }
        return Status();
      }};
}

}  // namespace parley
