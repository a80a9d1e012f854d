#include "parley/http/impl/http2_server_exchange.h"

#include <array>
#include <ctime>
#include <utility>

namespace parley::http::impl {
namespace {

Status out_of_order(std::string text) { return {Code::failed_precondition, std::move(text)}; }

// IMF-fixdate of RFC 9110 5.6.7.
std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 40> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

bool has_no_body(StatusCode status) { return status == 204 || status == 304 || status < 200; }

}  // namespace

Http2ServerExchange::Http2ServerExchange(std::shared_ptr<Http2Link> link, SharedStream stream,
                                         Request request)
    : link_(std::move(link)),
      stream_(std::move(stream)),
      request_(std::move(request)),
      is_head_(request_.method == Method::head),
      expects_continue_(request_.headers.has_element("expect", "100-continue")) {}

const net::Address& Http2ServerExchange::remote_address() const noexcept {
  return link_->remote_address();
}

Status Http2ServerExchange::limit_body(std::uint64_t bytes) {
  stream_->max_bytes = std::min(stream_->max_bytes, bytes);
  if (!stream_->length.is_known() || stream_->length.bytes() <= bytes) return {};
  read_failed_ = true;
  return {Code::resource_exhausted, "the body has " + std::to_string(stream_->length.bytes()) +
                                        " bytes, and the limit is " + std::to_string(bytes)};
}

Result<std::string_view> Http2ServerExchange::read(rt::Deadline deadline) {
  if (stream_->length.is_known() && stream_->length.bytes() > stream_->max_bytes) {
    return limit_body(stream_->max_bytes);
  }
  if (std::exchange(expects_continue_, false) && !begun_) {
    if (Status s = inform(Response{.status = 100}, deadline); !s.is_ok()) return s;
  }
  auto piece = link_->read(*stream_, deadline);
  if (!piece && piece.error().code() == Code::resource_exhausted) read_failed_ = true;
  return piece;
}

Status Http2ServerExchange::inform(const Response& informational, rt::Deadline /*deadline*/) {
  if (begun_) return out_of_order("a response 1xx comes before the answer, which has begun");
  if (informational.status < 100 || informational.status > 199 || informational.status == 101) {
    return {Code::invalid_argument, "inform() sends a status 1xx, and 101 is none of HTTP/2"};
  }
  Http2Fields fields;
  if (Status s = fields.set_response(informational, BodySize::none(), false); !s.is_ok()) return s;
  return link_->inform(*stream_, fields);
}

Status Http2ServerExchange::begin(BodySize size) {
  if (begun_) return out_of_order("the answer has begun");
  if (response_.status < 200) {
    return {Code::invalid_argument, "an answer has a status from 200 on; inform() sends others"};
  }
  const bool none = has_no_body(response_.status);
  if (none && size.is_known() && size.bytes() > 0 && !is_head_) {
    return {Code::invalid_argument,
            "status " + std::to_string(response_.status) + " has no body (RFC 9110 6.4.1)"};
  }
  // A body of no bytes says so, but where there can be none.
  const BodySize told = size.is_none() && !none && !is_head_ ? BodySize::of(0) : size;
  if (Status s = fields_.set_response(response_, told, !none); !s.is_ok()) return s;
  if (!fields_.has("date")) fields_.add("date", date_now());
  size_ = none ? BodySize::none() : size;
  begun_ = true;
  return {};
}

Status Http2ServerExchange::send_head(bool has_body) {
  if (std::exchange(head_sent_, true)) return {};
  return link_->respond(*stream_, fields_, has_body);
}

Status Http2ServerExchange::write(std::string_view piece, rt::Deadline deadline) {
  if (!begun_) return out_of_order("begin() comes before the body");
  if (ended_) return out_of_order("the body has ended");
  if (size_.is_known() && piece.size() > size_.bytes() - written_) {
    return {Code::invalid_argument, "the body was told to have " + std::to_string(size_.bytes()) +
                                        " bytes, and more were written"};
  }
  written_ += piece.size();
  if (piece.empty() || is_head_) return {};
  if (Status s = send_head(true); !s.is_ok()) return s;
  return link_->write(*stream_, piece, deadline);
}

Status Http2ServerExchange::flush(rt::Deadline /*deadline*/) {
  if (!begun_) return out_of_order("begin() comes before flush()");
  if (ended_) return {};
  if (is_head_ || (size_.is_known() && size_.bytes() == 0)) return {};
  if (Status s = send_head(true); !s.is_ok()) return s;
  return link_->flush(*stream_);
}

Status Http2ServerExchange::finish(const Headers* trailers, rt::Deadline /*deadline*/) {
  if (!begun_) return out_of_order("begin() comes before end()");
  if (ended_) return {};
  const bool has_trailers = trailers != nullptr && !trailers->empty();
  if (has_trailers && size_.is_known()) {
    return out_of_order("trailers come behind a body of unknown size only");
  }
  if (has_trailers) {
    Http2Fields fields;
    if (Status s = fields.set_trailers(*trailers); !s.is_ok()) return s;
  }
  if (size_.is_known() && !is_head_ && written_ < size_.bytes()) {
    ended_ = true;
    link_->reset(*stream_, Http2Error::internal_error);
    return out_of_order("the body was told to have " + std::to_string(size_.bytes()) +
                        " bytes, and has " + std::to_string(written_));
  }
  ended_ = true;
  const bool has_body = !is_head_ && (written_ > 0 || has_trailers || head_sent_);
  if (Status s = send_head(has_body); !s.is_ok()) return s;
  return link_->finish(*stream_, trailers);
}

Status Http2ServerExchange::hand_over(Then then) {
  if (begun_) return out_of_order("hand_over() comes before begin()");
  if (!then) return out_of_order("hand_over() needs a function");
  if (request_.method != Method::connect) {
    return out_of_order("over HTTP/2 a stream is handed over to CONNECT only");
  }
  if (response_.status < 200 || response_.status > 299) response_.status = 200;
  if (Status s = fields_.set_response(response_, BodySize::none(), false); !s.is_ok()) return s;
  fields_.add("date", date_now());
  begun_ = ended_ = true;
  size_ = BodySize::unknown();
  if (Status s = send_head(true); !s.is_ok()) return s;
  stream_->max_bytes = UINT64_MAX;
  then_ = std::move(then);
  return link_->flush(*stream_);
}

StatusCode Http2ServerExchange::status_for(const Status& returned) const {
  // As over HTTP/1: also of what read_all() says of a body.
  const bool is_of_body = read_failed_ || !request_size().is_none();
  return returned.code() == Code::resource_exhausted && is_of_body ? 413 : 500;
}

void Http2ServerExchange::conclude(const Status& returned) {
  if (then_ && returned.is_ok()) return;
  if (then_) {
    then_ = nullptr;
    link_->reset(*stream_, Http2Error::internal_error);
  } else if (!begun_) {
    response_.clear();
    (void)answer(returned.is_ok() ? StatusCode{500} : status_for(returned), {});
  } else if (!returned.is_ok() && !ended_) {
    link_->reset(*stream_, Http2Error::internal_error);
  } else {
    (void)end();
  }
  link_->abandon(*stream_);
}

}  // namespace parley::http::impl
