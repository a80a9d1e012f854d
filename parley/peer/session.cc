#include "parley/peer/session.h"

#include <utility>

#include "parley/peer/impl/accept.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/async_call.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/line.h"
#include "parley/peer/impl/plugged.h"
#include "parley/rt/blocking.h"

namespace parley {
namespace {

using impl::kept_with;

// Null for all but those that are dialled again.
impl::Line* line_of(const std::shared_ptr<impl::Connection>& connection) {
  return connection->extras().line();
}

// The connection of the moment.
std::shared_ptr<impl::Connection> current(const std::shared_ptr<impl::Connection>& connection) {
  impl::Line* const line = line_of(connection);
  std::shared_ptr<impl::Connection> now = line == nullptr ? nullptr : line->connection();
  return now == nullptr ? connection : now;
}

// What is accepted is said in metadata.
CallOptions saying_accepted(const CallOptions& options) {
  CallOptions saying = options;
  impl::set_accepted(saying.metadata, *options.accept_body_codec);
  saying.accept_body_codec.reset();
  return saying;
}

}  // namespace

Session::Session(std::shared_ptr<impl::Connection> connection, std::uint64_t handler)
    : connection_(std::move(connection)),
      options_(&connection_->extras().options()),
      shortcut_(connection_->extras().shortcut()),
      handler_(handler) {}

bool operator==(const Session& a, const Session& b) {
  if (a.connection_ == b.connection_) return true;
  impl::Line* const line = line_of(a.connection_);
  return line != nullptr && line == line_of(b.connection_);
}

Status Session::exchange(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                         Bytes body, wire::Message& reply) const {
  if (options.accept_body_codec) {
    return exchange(saying_accepted(options), method, codec, std::move(body), reply);
  }
  if (impl::Plugged::calls(*connection_)) [[unlikely]] {
    auto got = impl::Plugged::exchange(*connection_, options, method, codec, std::move(body));
    if (!got) return got.error();
    reply = *std::move(got);
    return {};
  }
  if (impl::Line* const line = line_of(connection_); line != nullptr) [[unlikely]] {
    auto answer = line->call(options, method, codec, body, options.reply_metadata);
    if (!answer) return answer.error();
    reply = *std::move(answer);
    return {};
  }
  Status status = connection_->call(options, method, codec, std::move(body), {}, reply);
  if (!status.is_ok()) return status;
  return impl::settle(reply, options.reply_metadata, connection_->is_told_not_sent());
}

Status Session::exchange_text(const CallOptions& options, std::string_view method,
                              wire::BodyCodec codec, std::string_view text,
                              wire::Message& reply) const {
  if (!options.filters.empty() || options.accept_body_codec || line_of(connection_) != nullptr ||
      impl::Plugged::calls(*connection_)) [[unlikely]] {
    return exchange(options, method, codec, Bytes::copy_of(text), reply);
  }
  Status status = connection_->call(options, method, codec, {}, text, reply);
  if (!status.is_ok()) return status;
  return impl::settle(reply, options.reply_metadata, connection_->is_told_not_sent());
}

Status Session::exchange(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                         std::string body, wire::Message& reply) const {
  if (body.size() < impl::Outbox::large_body_bytes) {
    return exchange_text(options, method, codec, body, reply);
  }
  return exchange(options, method, codec, Bytes::from(std::move(body)), reply);
}

Result<std::shared_ptr<impl::AsyncCall>> Session::begin_raw_call(const CallOptions& options,
                                                                 std::string_view method,
                                                                 wire::BodyCodec codec, Bytes body,
                                                                 Then then) const {
  if (options.accept_body_codec) {
    return impl::AsyncCall::begin(connection_, saying_accepted(options), method, codec,
                                  std::move(body), std::move(then));
  }
  return impl::AsyncCall::begin(connection_, options, method, codec, std::move(body),
                                std::move(then));
}

void Session::call_all(const BatchOptions& options, std::span<impl::BatchedCall> calls) const {
  if (impl::Plugged::calls(*connection_)) [[unlikely]] {
    return impl::Plugged::call_all(*connection_, options, calls);
  }
  impl::Line* const line = line_of(connection_);
  line == nullptr ? connection_->call_all(options, calls) : line->call_all(options, calls);
}

Result<Bytes> Session::call_raw(const CallOptions& options, std::string_view method,
                                wire::BodyCodec codec, Bytes body) const {
  wire::Message reply;
  if (Status s = exchange(options, method, codec, std::move(body), reply); !s.is_ok()) return s;
  return std::move(reply.body);
}

Status Session::push_raw(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                         Bytes body) const {
  Status status;
  if (impl::Plugged::calls(*connection_)) [[unlikely]] {
    status = impl::Plugged::push(*connection_, options, method, codec, std::move(body));
  } else if (impl::Line* const line = line_of(connection_); line != nullptr) [[unlikely]] {
    status = line->push(options, method, codec, body);
  } else {
    status = connection_->push(options, method, codec, std::move(body));
  }
  // Who pushes for ever, to somebody who takes it all at once, would never wait.
  rt::checkpoint();
  return status;
}

Result<RawStream> Session::open_raw(const CallOptions& options, std::string_view method,
                                    wire::BodyCodec codec) const {
  auto opened = impl::Plugged::opens(*connection_)
                    ? impl::Plugged::open(*connection_, options, method, codec)
                    : impl::Plugged::open_once(*connection_, options, method, codec);
  return std::move(opened).transform([](impl::OpenedStream&& stream) {
    return RawStream(std::move(stream.connection), std::move(stream.core));
  });
}

void Session::close() const {
  impl::Line* const line = line_of(connection_);
  line == nullptr ? connection_->close(handler_) : line->close(handler_);
}

bool Session::is_open() const {
  const impl::Line* const line = line_of(connection_);
  return line == nullptr ? connection_->is_open() : line->is_open();
}

Status Session::wait_closed(rt::Deadline deadline) const {
  impl::Line* const line = line_of(connection_);
  return line == nullptr ? connection_->wait_closed(deadline) : line->wait_closed(deadline);
}

Status Session::add_on_closed(std::function<void(const Status&)> callback) const {
  impl::Line* const line = line_of(connection_);
  return line == nullptr ? connection_->on_closed(std::move(callback))
                         : line->on_closed(std::move(callback));
}

Status Session::health() const {
  const impl::Line* const line = line_of(connection_);
  return line == nullptr ? connection_->health() : line->health();
}

SessionValues& Session::values() const { return kept_with(*connection_).values(); }

Instant Session::since() const { return kept_with(*connection_).since(); }

std::string Session::real_ip() const { return kept_with(*connection_).real_ip(); }

Status Session::set_real_ip(const std::string& ip) const {
  return kept_with(*connection_).set_real_ip(ip);
}

SessionNumber Session::number() const { return connection_->number(); }

std::string Session::id() const { return connection_->hub().id_of(*connection_); }

Status Session::set_id(std::string_view id) const {
  return connection_->hub().give(*connection_, id);
}

std::string Session::local_address() const { return current(connection_)->local_address(); }

std::string Session::remote_address() const { return current(connection_)->remote_address(); }

}  // namespace parley
