#include "parley/peer/early_session.h"

#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/early.h"
#include "parley/peer/impl/hub.h"
#include "parley/peer/impl/line.h"

namespace parley {

SessionNumber SessionView::number() const { return connection_.number(); }
std::string SessionView::local_address() const { return connection_.local_address(); }
std::string SessionView::remote_address() const { return connection_.remote_address(); }
std::string SessionView::real_ip() const { return impl::kept_with(connection_).real_ip(); }
Instant SessionView::since() const { return impl::kept_with(connection_).since(); }
Duration SessionView::age() const { return rt::now() - since(); }

SessionValues& EarlySession::values() const { return impl::kept_with(connection_).values(); }

Status EarlySession::set_id(std::string_view id) {
  Status status = impl::check_id(id);
  if (status.is_ok()) id_ = id;
  return status;
}

Status EarlySession::set_real_ip(const std::string& ip) {
  return impl::kept_with(connection_).set_real_ip(ip);
}

net::Stream& EarlySession::stream() const { return impl::Early::stream(connection_); }

Status EarlySession::replace_stream(const Wrap& wrap) {
  if (has_no_stream_) return broken_;
  if (has_begun_) {
    return {Code::failed_precondition,
            "the stream is in use: it can be replaced before send() and receive() only"};
  }
  Status status = impl::Early::replace_stream(connection_, wrap);
  if (status.is_ok()) return status;
  has_no_stream_ = true;
  broken_ = status.with_context("the stream could not be replaced");
  return broken_;
}

Status EarlySession::set_envelope(std::shared_ptr<Envelope> envelope) {
  impl::Extras& extras = connection_.extras();
  if (extras.envelope() != nullptr) {
    return {Code::failed_precondition, "another plugin has set an envelope for this session"};
  }
  extras.set_envelope(std::move(envelope));
  return {};
}

Status EarlySession::send(const wire::Message& message, const EarlyOptions& options) {
  const auto type =
      side_ == Side::dialled ? wire::MessageType::auth_call : wire::MessageType::auth_reply;
  if (message.type != type) {
    return {Code::invalid_argument,
            "who dialled sends an auth_call, who accepted an auth_reply; this is of type " +
                std::string(wire::name_of(message.type))};
  }
  if (has_no_stream_) return broken_;
  has_begun_ = true;
  if (std::exchange(has_sent_, true)) {
    return {Code::failed_precondition, "the one message that may be sent here was sent before"};
  }
  Status status = impl::Early::send(connection_, message, rt::Deadline::after(options.timeout));
  if (status.code() == Code::not_sent) broken_ = status;
  return status;
}

Result<wire::Message> EarlySession::receive(const EarlyOptions& options) {
  if (has_no_stream_) return broken_;
  has_begun_ = true;
  if (std::exchange(has_received_, true)) {
    return Status(Code::failed_precondition,
                  "the one message that may be received here was received before");
  }
  auto message = impl::Early::receive(connection_, side_, options);
  if (!message) broken_ = message.error();
  return message;
}

const SessionValues& ClosedSession::values() const { return impl::kept_with(connection_).values(); }

std::string ClosedSession::id() const { return connection_.hub().id_of(connection_); }

}  // namespace parley
