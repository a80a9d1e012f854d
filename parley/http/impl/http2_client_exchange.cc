#include "parley/http/impl/http2_client_exchange.h"

#include <string>
#include <utility>

#include "parley/http/impl/http2_tunnel.h"

namespace parley::http::impl {
namespace {

Status out_of_order(std::string text) { return {Code::failed_precondition, std::move(text)}; }

}  // namespace

Http2ClientExchange::Http2ClientExchange(std::shared_ptr<Http2Link> link, SharedStream stream,
                                         BodySize size, bool tunnel)
    : link_(std::move(link)), stream_(std::move(stream)), size_(size), tunnel_(tunnel) {}

Http2ClientExchange::~Http2ClientExchange() {
  if (!taken_) link_->abandon(*stream_);
}

const net::Address& Http2ClientExchange::remote_address() const noexcept {
  return link_->remote_address();
}

Result<Response*> Http2ClientExchange::response(rt::Deadline deadline) {
  return link_->response(*stream_, deadline);
}

Result<std::string_view> Http2ClientExchange::read(rt::Deadline deadline) {
  if (const auto head = response(deadline); !head) return head.error();
  return link_->read(*stream_, deadline);
}

Status Http2ClientExchange::write(std::string_view piece, rt::Deadline deadline) {
  if (ended_) return out_of_order("the body has ended");
  if (size_.is_known() && piece.size() > size_.bytes() - written_) {
    return {Code::invalid_argument, "the body was told to have " + std::to_string(size_.bytes()) +
                                        " bytes, and more were written"};
  }
  written_ += piece.size();
  if (piece.empty()) return {};
  return link_->write(*stream_, piece, deadline);
}

Status Http2ClientExchange::flush(rt::Deadline /*deadline*/) { return link_->flush(*stream_); }

Status Http2ClientExchange::finish(const Headers* trailers, rt::Deadline /*deadline*/) {
  if (ended_) return {};
  const bool has_trailers = trailers != nullptr && !trailers->empty();
  if (has_trailers && size_.is_known()) {
    return out_of_order("trailers come behind a body of unknown size only");
  }
  Http2Fields fields;
  if (has_trailers) {
    if (Status s = fields.set_trailers(*trailers); !s.is_ok()) return s;
  }
  ended_ = true;
  if (size_.is_known() && written_ < size_.bytes()) {
    link_->reset(*stream_, Http2Error::cancel);
    return out_of_order("the body was told to have " + std::to_string(size_.bytes()) +
                        " bytes, and has " + std::to_string(written_));
  }
  return link_->finish(*stream_, std::move(fields));
}

void Http2ClientExchange::cancel() noexcept { link_->reset(*stream_, Http2Error::cancel); }

Result<std::unique_ptr<net::Stream>> Http2ClientExchange::take_stream() {
  if (!tunnel_ || taken_) return out_of_order("the request was no CONNECT, or its stream is taken");
  const auto head = response({});
  if (!head) return head.error();
  if ((*head)->status > 299) return out_of_order("the answer to CONNECT was not 2xx");
  taken_ = true;
  return std::unique_ptr<net::Stream>(std::make_unique<Http2Tunnel>(link_, stream_));
}

}  // namespace parley::http::impl
