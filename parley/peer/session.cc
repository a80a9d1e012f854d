#include "parley/peer/session.h"

#include <utility>

#include "parley/peer/impl/accept.h"
#include "parley/peer/impl/answer.h"
#include "parley/peer/impl/async_call.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/plugged.h"
#include "parley/rt/blocking.h"

namespace parley {
namespace {

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
      handler_(handler) {}

Result<wire::Message> Session::exchange(const CallOptions& options, std::string_view method,
                                        wire::BodyCodec codec, Bytes body) const {
  if (options.accept_body_codec) {
    return exchange(saying_accepted(options), method, codec, std::move(body));
  }
  if (impl::Plugged::calls(*connection_)) [[unlikely]] {
    return impl::Plugged::exchange(*connection_, options, method, codec, std::move(body));
  }
  auto reply = connection_->call(options, method, codec, std::move(body), {});
  impl::settle(reply, options.reply_metadata, connection_->is_told_not_sent());
  return reply;
}

Result<wire::Message> Session::exchange_text(const CallOptions& options, std::string_view method,
                                             wire::BodyCodec codec, std::string_view text) const {
  if (!options.filters.empty() || options.accept_body_codec || impl::Plugged::calls(*connection_))
      [[unlikely]] {
    return exchange(options, method, codec, Bytes::copy_of(text));
  }
  auto reply = connection_->call(options, method, codec, Bytes(), text);
  impl::settle(reply, options.reply_metadata, connection_->is_told_not_sent());
  return reply;
}

Result<wire::Message> Session::exchange(const CallOptions& options, std::string_view method,
                                        wire::BodyCodec codec, std::string body) const {
  if (body.size() < impl::Outbox::large_body_bytes) {
    return exchange_text(options, method, codec, body);
  }
  return exchange(options, method, codec, Bytes::from(std::move(body)));
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
  connection_->call_all(options, calls);
}

Result<Bytes> Session::call_raw(const CallOptions& options, std::string_view method,
                                wire::BodyCodec codec, Bytes body) const {
  return exchange(options, method, codec, std::move(body)).transform([](wire::Message&& reply) {
    return std::move(reply.body);
  });
}

Status Session::push_raw(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                         Bytes body) const {
  Status status;
  if (impl::Plugged::calls(*connection_)) [[unlikely]] {
    status = impl::Plugged::push(*connection_, options, method, codec, std::move(body));
  } else {
    status = connection_->push(options, method, codec, std::move(body));
  }
  // Who pushes for ever, to somebody who takes it all at once, would never wait.
  rt::checkpoint();
  return status;
}

Result<RawStream> Session::open_raw(const CallOptions& options, std::string_view method,
                                    wire::BodyCodec codec) const {
  auto core = impl::Plugged::opens(*connection_)
                  ? impl::Plugged::open(*connection_, options, method, codec)
                  : connection_->open_stream(options, method, codec);
  return std::move(core).transform([this](std::shared_ptr<impl::StreamCore>&& core) {
    return RawStream(connection_, std::move(core));
  });
}

void Session::close() const { connection_->close(handler_); }

bool Session::is_open() const { return connection_->is_open(); }

Status Session::wait_closed(rt::Deadline deadline) const {
  return connection_->wait_closed(deadline);
}

Status Session::add_on_closed(std::function<void(const Status&)> callback) const {
  return connection_->on_closed(std::move(callback));
}

Status Session::health() const { return connection_->health(); }

SessionValues& Session::values() const { return connection_->extras().values(); }

Instant Session::since() const { return connection_->extras().since(); }

std::string Session::real_ip() const { return connection_->extras().real_ip(); }

Status Session::set_real_ip(const std::string& ip) const {
  return connection_->extras().set_real_ip(ip);
}

SessionNumber Session::number() const { return connection_->number(); }

std::string Session::id() const { return connection_->hub().id_of(*connection_); }

Status Session::set_id(std::string_view id) const {
  return connection_->hub().give(*connection_, id);
}

std::string Session::local_address() const { return connection_->local_address(); }

std::string Session::remote_address() const { return connection_->remote_address(); }

}  // namespace parley
