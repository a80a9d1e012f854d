#include "parley/http/testing/memory_exchange.h"

#include "parley/base/assert.h"

namespace parley::http::testing {

MemoryExchange::MemoryExchange(Method method, std::string target)
    : remote_(*net::Address::parse("tcp://192.0.2.7:4711")) {
  request_.method = method;
  request_.target = std::move(target);
  with("Host", "shop.example");
}

MemoryExchange& MemoryExchange::with(std::string_view name, std::string_view value) {
  const Status status = request_.headers.add(name, value);
  PARLEY_ASSERT(status.is_ok(), status.to_string());
  return *this;
}

MemoryExchange& MemoryExchange::sends(std::vector<std::string> pieces) {
  for (std::string& piece : pieces) {
    if (!piece.empty()) pieces_.push_back(std::move(piece));
  }
  return *this;
}

MemoryExchange& MemoryExchange::sends_trailers(Headers trailers) {
  trailers_ = std::move(trailers);
  return *this;
}

MemoryExchange& MemoryExchange::breaks_with(Status status) {
  broken_ = std::move(status);
  return *this;
}

MemoryExchange& MemoryExchange::speaks(Protocol protocol) {
  protocol_ = protocol;
  return *this;
}

MemoryExchange& MemoryExchange::on_write(std::function<Status(std::string_view)> hook) {
  on_write_ = std::move(hook);
  return *this;
}

Status MemoryExchange::run(const Handler& handler) {
  if (Status status = handler(*this); !status.is_ok()) return status;
  if (then_) return {};
  return end();
}

std::string MemoryExchange::field(std::string_view name) const {
  return std::string(answered_.headers.get(name).value_or(""));
}

Result<std::string_view> MemoryExchange::read(rt::Deadline /*deadline*/) {
  if (pieces_.empty()) {
    if (!broken_.is_ok()) return broken_;
    return std::string_view();
  }
  current_ = std::move(pieces_.front());
  pieces_.pop_front();
  read_ += current_.size();
  if (read_ > limit_) return Status(Code::resource_exhausted, "the body is over its limit");
  return std::string_view(current_);
}

BodySize MemoryExchange::request_size() const noexcept {
  std::uint64_t bytes = 0;
  for (const std::string& piece : pieces_) bytes += piece.size();
  return bytes == 0 ? BodySize::none() : BodySize::of(bytes);
}

Status MemoryExchange::limit_body(std::uint64_t bytes) {
  limit_ = bytes;
  if (request_size().bytes() <= bytes) return {};
  return {Code::resource_exhausted, "the body says that it is over its limit"};
}

bool MemoryExchange::has_body() const noexcept {
  return request_.method != Method::head && answered_.status != 204 && answered_.status != 304;
}

Status MemoryExchange::begin(BodySize size) {
  if (size_ || then_) return {Code::failed_precondition, "the answer has begun"};
  if (response_.status < 200 || response_.status > 999) {
    return {Code::invalid_argument, "no final answer has this status"};
  }
  answered_ = response_;
  size_ = size;
  return {};
}

Status MemoryExchange::write(std::string_view piece, rt::Deadline /*deadline*/) {
  if (!size_) return {Code::failed_precondition, "write() comes behind begin()"};
  if (has_ended_) return {Code::failed_precondition, "the answer has ended"};
  if (size_->is_known() && piece.size() > size_->bytes() - bytes_) {
    return {Code::invalid_argument, "more bytes than were told"};
  }
  if (on_write_) {
    if (Status status = on_write_(piece); !status.is_ok()) return status;
  }
  bytes_ += piece.size();
  written_.emplace_back(piece);
  if (has_body()) body_ += piece;
  return {};
}

Status MemoryExchange::flush(rt::Deadline /*deadline*/) {
  if (!size_) return {Code::failed_precondition, "flush() comes behind begin()"};
  ++flushes_;
  return {};
}

Status MemoryExchange::inform(const Response& informational, rt::Deadline /*deadline*/) {
  if (size_) return {Code::failed_precondition, "the answer has begun"};
  if (!is_informational(informational.status)) return {Code::invalid_argument, "not a 1xx"};
  informed_.push_back(informational);
  return {};
}

Status MemoryExchange::hand_over(std::function<void(std::unique_ptr<net::Stream>)> then) {
  if (size_ || then_) return {Code::failed_precondition, "the answer has begun"};
  answered_ = response_;
  then_ = std::move(then);
  return {};
}

Status MemoryExchange::finish(const Headers* trailers, rt::Deadline /*deadline*/) {
  if (!size_) return {Code::failed_precondition, "nothing was answered"};
  if (has_ended_) return {};
  if (trailers != nullptr && !trailers->empty()) {
    if (size_->is_known()) return {Code::invalid_argument, "trailers of a body of known size"};
    sent_trailers_ = *trailers;
  }
  // A body that nobody gets need not be written.
  if (size_->is_known() && has_body() && bytes_ < size_->bytes()) {
    return {Code::failed_precondition, "bytes of the told size are missing"};
  }
  has_ended_ = true;
  return {};
}

}  // namespace parley::http::testing
