#include "parley/peer/session.h"

#include "parley/peer/impl/connection.h"

namespace parley {

Result<wire::Message> Session::exchange(const CallOptions& options, std::string_view method,
                                        wire::BodyCodec codec, Bytes body) const {
  auto reply = connection_->call(options, method, codec, std::move(body));
  if (!reply) return reply;
  if (options.reply_metadata != nullptr) *options.reply_metadata = std::move(reply->metadata);
  if (!reply->status.is_ok()) return impl::as_answer(std::move(reply->status));
  return reply;
}

Result<Bytes> Session::call_raw(const CallOptions& options, std::string_view method,
                                wire::BodyCodec codec, Bytes body) const {
  return exchange(options, method, codec, std::move(body)).transform([](wire::Message&& reply) {
    return std::move(reply.body);
  });
}

Status Session::push_raw(const CallOptions& options, std::string_view method, wire::BodyCodec codec,
                         Bytes body) const {
  return connection_->push(options, method, codec, std::move(body));
}

Result<RawStream> Session::open_raw(const CallOptions& options, std::string_view method,
                                    wire::BodyCodec codec) const {
  return connection_->open_stream(options, method, codec)
      .transform([this](std::shared_ptr<impl::StreamCore>&& core) {
        return RawStream(connection_, std::move(core));
      });
}

void Session::close() const { connection_->close(handler_); }

bool Session::is_open() const { return connection_->is_open(); }

Status Session::wait_closed(rt::Deadline deadline) const {
  return connection_->wait_closed(deadline);
}

SessionId Session::id() const { return connection_->id(); }

std::string Session::local_address() const { return connection_->local_address(); }

std::string Session::remote_address() const { return connection_->remote_address(); }

}  // namespace parley
