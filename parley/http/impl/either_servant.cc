#include "parley/http/impl/either_servant.h"

#include <array>
#include <utility>

#include "parley/http/http2_servant.h"
#include "parley/rt/deadline.h"

namespace parley::http::impl {
namespace {

constexpr std::size_t read_bytes = 8 * 1024;

}  // namespace

EitherServant::EitherServant(net::Stream& stream, std::shared_ptr<Service> service,
                             Versions versions, std::string_view read_before, bool is_secure)
    : service_(std::move(service)),
      due_(rt::Deadline::after(service_->options().keep_alive_timeout).instant()),
      is_secure_(is_secure) {
  service_->note_connection(1);
  if (versions == Versions::http_2) {
    chosen_ = service_->http2().serve(stream, read_before, is_secure_);
    service_->note_connection(-1);
  } else if (!read_before.empty()) {
    first_ = read_before;
    due_ = {};  // looked at as soon as it can be
  }
}

EitherServant::~EitherServant() {
  if (chosen_ == nullptr) service_->note_connection(-1);
}

Result<net::Next> EitherServant::on_readable(net::Stream& stream) {
  if (chosen_ == nullptr) return look_at_first(stream);
  return go_on(stream, chosen_->on_readable(stream));
}

Result<net::Next> EitherServant::look_at_first(net::Stream& stream) {
  const bool is_new = first_.empty() || due_ == Instant();
  if (first_.empty() || !is_new) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): what was read is all that is seen
    std::array<char, read_bytes> buffer;
    const auto size = stream.try_read(buffer);
    if (!size) {
      const bool is_nothing = first_.empty() && service_->note_cut_at_rest(size.error());
      return is_nothing ? Result<net::Next>(net::Next::end) : size.error();
    }
    if (!*size) return is_draining_ && first_.empty() ? net::Next::end : net::Next::rest;
    if (**size == 0) return net::Next::end;
    first_.append(buffer.data(), **size);
  }
  const Http2Preface found = look_for_http2(first_);
  if (found != Http2Preface::more) {
    Result<net::Next> next = choose(stream, first_, found == Http2Preface::yes);
    first_ = {};
    return next;
  }
  if (is_new) due_ = rt::Deadline::after(service_->options().head_timeout).instant();
  return net::Next::rest;
}

// What has been read is worked off at once.
Result<net::Next> EitherServant::choose(net::Stream& stream, std::string_view first,
                                        bool is_http2) {
  if (is_http2) {
    chosen_ = service_->http2().serve(stream, first, is_secure_);
  } else {
    auto http1 = std::make_unique<Http1Servant>(stream, service_, first);
    if (!is_secure_) http1->allow_h2c();
    http1_ = http1.get();
    chosen_ = std::move(http1);
  }
  service_->note_connection(-1);
  if (is_draining_) {
    const Result<net::Next> next = chosen_->on_drain(stream);
    if (!next || *next != net::Next::rest) return next;
  }
  if (is_http2) return net::Next::rest;
  return go_on(stream, chosen_->on_readable(stream));
}

Result<net::Next> EitherServant::go_on(net::Stream& stream, Result<net::Next> next) {
  if (http1_ == nullptr || http1_->successor() == nullptr) return next;
  std::unique_ptr<net::Servant> successor = std::move(http1_->successor());
  http1_ = nullptr;
  chosen_ = std::move(successor);
  return is_draining_ ? chosen_->on_drain(stream) : next;
}

void EitherServant::on_end(net::Stream& stream) {
  if (chosen_ != nullptr) chosen_->on_end(stream);
}

Instant EitherServant::due() { return chosen_ == nullptr ? due_ : chosen_->due(); }

Result<net::Next> EitherServant::on_due(net::Stream& stream) {
  if (chosen_ != nullptr) return go_on(stream, chosen_->on_due(stream));
  if (first_.empty()) return net::Next::end;
  if (due_ == Instant()) return look_at_first(stream);
  // Nobody's preface takes that long: what HTTP/1 says of a slow head.
  const Result<net::Next> next = choose(stream, std::exchange(first_, {}), false);
  return next && *next == net::Next::rest ? on_due(stream) : next;
}

Result<net::Next> EitherServant::on_drain(net::Stream& stream) {
  is_draining_ = true;
  if (chosen_ != nullptr) return chosen_->on_drain(stream);
  if (!first_.empty()) return net::Next::rest;
  if (stream.unread() == net::Stream::Unread::nothing) return net::Next::end;
  due_ = {};
  return net::Next::rest;
}

void EitherServant::take(std::unique_ptr<net::Stream> stream) { chosen_->take(std::move(stream)); }

}  // namespace parley::http::impl
