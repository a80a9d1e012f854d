#include "parley/door/grpc_call.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "parley/door/grpc_details.h"
#include "parley/door/grpc_head.h"
#include "parley/door/status_table.h"
#include "parley/rt/context.h"

namespace parley::door {
namespace {

// From here on a message is not copied behind its prefix: both are written one after the other.
constexpr std::size_t copied_below = 4096;

}  // namespace

GrpcCall::GrpcCall(std::unique_ptr<http::ClientExchange> exchange, const GrpcCallSettings& settings,
                   std::shared_ptr<void> keeps)
    : settings_(settings),
      keeps_(std::move(keeps)),
      exchange_(std::move(exchange)),
      reader_({.max_message = settings.max_receive}) {}

GrpcCall::~GrpcCall() = default;

void GrpcCall::cancel() noexcept { exchange_->cancel(); }

Status GrpcCall::end_with(Status status) {
  is_over_ = true;
  status_ = std::move(status);
  return status_;
}

// What the exchange says, as what became of the call.
Status GrpcCall::of_exchange(const Status& why) const {
  if (Status s = rt::Context::current().status(); !s.is_ok()) return s;
  if (why.code() == Code::deadline_exceeded ||
      ((why.code() == Code::cancelled || why.code() == Code::data_loss) &&
       settings_.deadline.is_over())) {
    return Status(Code::deadline_exceeded, "no answer came before the deadline of the call")
        .with_cause(why.message());
  }
  if (why.code() == Code::unavailable || why.code() == Code::data_loss) {
    return Status(Code::outcome_unknown, "the call was cut while it was under way")
        .with_cause(why.message());
  }
  // Of an answer that breaks HTTP the caller's arguments are not to blame.
  if (why.code() == Code::invalid_argument) {
    return Status(Code::internal, "the server's answer is none of HTTP/2")
        .with_cause(why.message());
  }
  return why;
}

Status GrpcCall::of_writing(const Status& why) const {
  if (why.is_ok() || rt::Context::current().is_done()) return why;
  if (why.code() == Code::deadline_exceeded) return why;
  return Status(Code::out_of_range, "the call is over and takes no messages; finish() says how")
      .with_cause(why.message());
}

Status GrpcCall::write(std::string_view message) {
  if (message.size() > std::min<std::size_t>(settings_.max_send, UINT32_MAX)) {
    return {Code::resource_exhausted,
            "a message of " + std::to_string(message.size()) + " bytes was to be sent, and " +
                std::to_string(settings_.max_send) + " is the most (GrpcChannelOptions::max_send)"};
  }
  if (is_over_) return of_writing(Status(Code::cancelled, "its status has come"));
  if (!begin_write()) return of_writing(Status(Code::cancelled, "its messages have ended"));
  return end_write(send(message));
}

bool GrpcCall::begin_write() {
  const std::lock_guard lock(ending_);
  is_writing_ = !has_ended_;
  return is_writing_;
}

Status GrpcCall::end_write(Status status) {
  {
    const std::lock_guard lock(ending_);
    is_writing_ = false;
    if (!has_ended_) return status;
  }
  // finish() came meanwhile.
  const Status ended = of_writing(exchange_->end(settings_.deadline));
  return status.is_ok() ? ended : status;
}

Status GrpcCall::send(std::string_view message) {
  out_.clear();
  if (settings_.coding == GrpcCoding::identity && message.size() >= copied_below) {
    put_grpc_prefix(out_, message.size(), false);
  } else if (Status s = put_grpc_message(out_, std::exchange(message, {}), settings_.coding);
             !s.is_ok()) {
    return s;
  }
  Status status = exchange_->write(out_, settings_.deadline);
  if (status.is_ok()) status = exchange_->write(message, settings_.deadline);
  if (status.is_ok()) status = exchange_->flush(settings_.deadline);
  return of_writing(status);
}

Status GrpcCall::done_writing() {
  if (is_over_) return {};
  {
    const std::lock_guard lock(ending_);
    // The first one ends them; while a message is being written, who writes it does.
    if (std::exchange(has_ended_, true) || is_writing_) return {};
  }
  return of_writing(exchange_->end(settings_.deadline));
}

Status GrpcCall::take_head() {
  if (has_head_ || is_over_) return {};
  const auto response = exchange_->response(settings_.deadline);
  if (!response) return end_with(of_exchange(response.error()));
  has_head_ = true;
  const http::Headers& fields = (*response)->headers;
  // Nothing but a status: the trailers stand where the head does.
  if (fields.count("grpc-status") != 0) {
    take_status(fields);
    return {};
  }
  if ((*response)->status != 200 || !is_grpc_type(fields.get("content-type").value_or(""))) {
    exchange_->cancel();
    return end_with({grpc_code_of_http((*response)->status),
                     "HTTP status " + std::to_string((*response)->status) + " and content-type \"" +
                         std::string(fields.get("content-type").value_or("")) +
                         "\" where an answer of gRPC was expected: is there a gRPC server?"});
  }
  const std::string_view coding = fields.get("grpc-encoding").value_or("identity");
  Status status;
  if (const auto known = grpc_coding_named(coding)) {
    coding_there_ = *known;
  } else {
    status = Status(Code::internal, "the answer is compressed by \"" + std::string(coding) +
                                        "\", which was not offered");
  }
  if (status.is_ok()) status = take_grpc_metadata(fields, initial_);
  if (status.is_ok()) return {};
  exchange_->cancel();
  return end_with(Status(Code::internal, status.message()));
}

void GrpcCall::take_status(const http::Headers& fields) {
  Status status;
  if (!take_grpc_status(fields, status)) {
    (void)end_with({Code::unknown, "the answer ended without grpc-status"});
    return;
  }
  // What the other side says about itself counts for more than metadata that nobody can read.
  (void)take_grpc_metadata(fields, trailing_);
  take_grpc_details(fields, trailing_);
  if (status.is_ok() && !reader_.is_between()) {
    status = Status(Code::internal, "the answer ended within a message, with grpc-status 0");
  }
  (void)end_with(std::move(status));
  bool still_goes = false;
  {
    const std::lock_guard lock(ending_);
    still_goes = is_writing_ || !has_ended_;
  }
  // Nobody takes it any more: a write() that waits for room would wait for ever.
  if (still_goes) exchange_->cancel();
}

// Of what has been read; nothing when more is needed.
Result<std::optional<Bytes>> GrpcCall::next_message() {
  GrpcMessage message;
  const auto is_whole = reader_.next(in_, message);
  if (!is_whole) return is_whole.error();
  if (!*is_whole) return std::optional<Bytes>();
  auto bytes = take_message(std::move(message), coding_there_, settings_.max_receive);
  if (!bytes) return bytes.error();
  return std::optional(Bytes::from(*std::move(bytes)));
}

Result<const wire::Metadata*> GrpcCall::initial_metadata() {
  if (Status s = take_head(); !s.is_ok()) return s;
  if (!has_head_) return status_;  // that there was none is known from an earlier call
  return &initial_;
}

Result<std::optional<Bytes>> GrpcCall::read() {
  if (!is_over_) (void)take_head();
  for (;;) {
    if (is_over_) {
      if (!status_.is_ok()) return status_;
      return std::optional<Bytes>();
    }
    auto message = next_message();
    if (!message) {
      exchange_->cancel();
      return end_with(message.error());
    }
    if (message->has_value()) return message;
    const auto piece = exchange_->read(settings_.deadline);
    if (!piece) {
      exchange_->cancel();
      (void)end_with(of_exchange(piece.error()));
    } else if (piece->empty()) {
      take_status(exchange_->trailers());
    } else {
      in_ = *piece;
    }
  }
}

Result<Bytes> GrpcCall::read_only() {
  auto first = read();
  if (!first) return first.error();
  if (!first->has_value()) {
    return end_with({Code::internal, "the call went well, and its answer has no message"});
  }
  const auto second = read();
  if (!second) return second.error();
  if (second->has_value()) {
    exchange_->cancel();
    return end_with({Code::internal, "the answer has several messages where one was expected"});
  }
  return **std::move(first);
}

Status GrpcCall::finish() {
  (void)done_writing();
  for (;;) {
    const auto message = read();
    if (!message) return message.error();
    if (!message->has_value()) return {};
  }
}

}  // namespace parley::door
