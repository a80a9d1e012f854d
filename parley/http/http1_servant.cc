#include "parley/http/http1_servant.h"

#include <algorithm>
#include <array>
#include <utility>

#include "parley/base/base64.h"
#include "parley/base/guard.h"
#include "parley/http/http2_servant.h"
#include "parley/http/impl/early_answers.h"
#include "parley/http/impl/handed_over.h"
#include "parley/net/prefixed_stream.h"
#include "parley/net/tls.h"
#include "parley/rt/context.h"
#include "parley/rt/on_park.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

// What one read takes, on the stack of the fiber that reads.
constexpr std::size_t read_bytes = 8 * 1024;

}  // namespace

Http1Servant::Http1Servant(net::Stream& stream, std::shared_ptr<Service> service,
                           std::string_view read_before)
    : service_(std::move(service)),
      stream_(&stream),
      parser_(Http1Parser::Reads::requests, service_->options().limits),
      before_(read_before),
      due_(before_.empty() ? rt::Deadline::after(service_->options().keep_alive_timeout).instant()
                           : Instant{}),
      is_secure_(dynamic_cast<net::TlsStream*>(&stream) != nullptr) {
  rest_until_ = due_;
  service_->note_connection(1);
}

Http1Servant::~Http1Servant() { service_->note_connection(-1); }

Result<net::Next> Http1Servant::on_readable(net::Stream& stream) {
  if (is_lingering_) return drop_rest(stream);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): what was read is all that is looked at
  std::array<char, read_bytes> buffer;
  const std::size_t before = std::min(before_.size(), buffer.size());
  if (before > 0) {
    before_.copy(buffer.data(), before);
    before_.erase(0, before);
    if (before_.empty()) before_ = {};
    return work(stream, buffer, before);
  }
  const auto size = stream.try_read(buffer);
  if (!size) {
    const bool is_nothing = parser_.is_at_rest() && service_->note_cut_at_rest(size.error());
    return is_nothing ? Result<net::Next>(net::Next::end) : size.error();
  }
  if (!*size) return is_draining_ && parser_.is_at_rest() ? net::Next::end : net::Next::rest;
  if (**size == 0) {
    const Result<bool> ended = parser_.finish();
    return ended ? Result<net::Next>(net::Next::end) : ended.error();
  }
  return work(stream, buffer, **size);
}

Result<net::Next> Http1Servant::work(net::Stream& stream, std::span<char> buffer,
                                     std::size_t size) {
  stream_ = &stream;
  buffer_ = buffer;
  in_ = {buffer.data(), size};
  has_let_go_ = false;
  return serve_all();
}

// All that lies in the buffer; what is answered leaves together.
Result<net::Next> Http1Servant::serve_all() {
  for (;;) {
    const Result<Event> event = parser_.next(in_);
    if (!event) {
      service_->note_refused();
      refuse(parser_.answer(), event.error());
      return close_down();
    }
    if (*event == Event::more) break;
    head_since_ = {};
    if (may_upgrade_ && parser_.framing().switches && asks_for_h2c()) return go_on_with_h2c();
    const bool goes_on = serve_one();
    if (then_) {
      before_.insert(0, in_);
      return net::Next::hand_over;
    }
    if (!goes_on) return close_down();
  }
  if (Status sent = send({}, {}); !sent.is_ok()) return sent;
  if (is_draining_ && parser_.is_at_rest()) return net::Next::end;
  return settle();
}

// RFC 7540 3.2. A request with a body is answered over HTTP/1, and so is one that asks wrongly.
bool Http1Servant::asks_for_h2c() {
  const Headers& headers = parser_.request().headers;
  constexpr std::string_view settings = "HTTP2-Settings";
  std::string decoded;
  return parser_.framing().body == BodyKind::none && !is_draining_ &&
         headers.has_element("Upgrade", "h2c") && headers.count(settings) == 1 &&
         headers.has_element("Connection", settings) &&
         decode_base64(*headers.get(settings), decoded) && decoded.size() % 6 == 0;
}

Result<net::Next> Http1Servant::go_on_with_h2c() {
  out_ += "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  if (Status sent = send({}, {}); !sent.is_ok()) return sent;
  Request request = std::move(parser_.request());
  const std::string settings(request.headers.get("HTTP2-Settings").value_or(""));
  for (const std::string_view name : {"Connection", "Upgrade", "HTTP2-Settings"}) {
    (void)request.headers.remove(name);
  }
  before_.insert(0, in_);
  auto made = service_->http2().upgrade(*stream_, settings, std::move(request), before_);
  if (!made) return made.error();
  successor_ = *std::move(made);
  return net::Next::rest;
}

// False when the connection is to close.
bool Http1Servant::serve_one() {
  const Framing& framing = parser_.framing();
  service_->note_request();
  ++requests_;
  turn_ = {};
  turn_.answered = {.method = parser_.request().method,
                    .version = parser_.request().version,
                    .keeps_alive = framing.keeps_alive,
                    .asked_to_switch = framing.switches};
  turn_.waits_continue = framing.expects_continue;
  if (framing.body != BodyKind::none) turn_.in_bytes = in_.size();
  body_.store(Body::untouched, std::memory_order_relaxed);
  response_.clear();
  const bool is_timed = service_->is_timed();
  const Instant began = is_timed ? rt::now() : Instant();
  // Whoever waits keeps nothing from the client that was answered before it; and however many
  // requests come at once, their answers gather up to the limit only.
  const bool is_full = out_.size() >= service_->options().out_buffer_bytes;
  if (!out_.empty() && (handlers_wait_ || is_full) && !send({}, {}).is_ok()) return false;
  const Status handled = out_.empty() ? run_handler() : run_behind_others();
  if (!handled.is_ok()) answer_failure(handled);
  const bool goes_on = end_turn();
  if (is_timed) {
    service_->note_answer(turn_.is_cut ? StatusCode{0} : turn_.status, rt::now() - began);
  }
  return goes_on;
}

Status Http1Servant::run_handler() {
  const rt::OnPark waits(
      [](void* of) {
        auto& servant = *static_cast<Http1Servant*>(of);
        servant.handlers_wait_ = true;
        if (servant.early_ != nullptr) servant.early_->go();
      },
      this);
  return guarded_status([&] { return service_->handler()(*this); },
                        [](Status thrown) { return thrown; });
}

// As long as it does not wait, what was answered before it leaves together with its answer.
Status Http1Servant::run_behind_others() {
  if (early_ == nullptr) {
    early_ = std::make_shared<impl::EarlyAnswers>(service_->senders(),
                                                  service_->options().write_timeout);
  }
  early_->put(*stream_, out_);
  Status handled = run_handler();
  const bool was_broken = is_broken_;
  if (was_broken) out_.clear();
  if (!early_->settle(out_, {}).is_ok()) {
    is_broken_ = true;
    stream_->close();  // so that nobody writes to it any longer
    const rt::WithContext whatever_happens(rt::Context::background());
    (void)early_->settle(out_, {});
  }
  if (early_->is_used_up()) early_.reset();
  // The client has finished in the middle of its request: the answers before it are its own still.
  if (was_broken && !out_.empty()) {
    const rt::Deadline limit = rt::Deadline::after(service_->options().write_timeout);
    (void)stream_->write(std::exchange(out_, {}), limit);
  }
  return handled;
}

void Http1Servant::answer_failure(const Status& why) {
  if (!turn_.fault.is_behind(why) && !is_broken_) {
    service_->note_error(stream_->remote_address(), why);
  }
  then_ = nullptr;
  if (turn_.has_begun) {
    turn_.is_cut = true;
    return;
  }
  response_.clear();
  std::string text;
  const StatusCode status = turn_.fault.answer_to(why, text);
  if (status == 503) turn_.answered.keeps_alive = false;
  if (!answer(status, text).is_ok()) turn_.is_cut = true;
}

// The answer is whole then, or cut; and so is the request, or the connection ends.
bool Http1Servant::end_turn() {
  if (then_) {
    if (Status sent = send({}, {}); !sent.is_ok()) then_ = nullptr;
    return false;
  }
  if (!turn_.has_begun && !turn_.is_cut) {
    if (!is_broken_) {
      service_->note_error(stream_->remote_address(), impl::nothing_answered(parser_.request()));
    }
    response_.clear();
    if (!answer(500, "Internal Server Error\n").is_ok()) turn_.is_cut = true;
  }
  if (!turn_.is_cut && !turn_.has_ended && !finish(nullptr, {}).is_ok()) turn_.is_cut = true;
  if (turn_.is_cut || is_broken_) {
    turn_.is_cut = true;
    return false;
  }
  if (!turn_.is_read) leave_body();
  return turn_.is_read && writer_.keeps_alive() && parser_.answer() == 0;
}

// Reads on to the next request, if that is not far. The client may wait for the answer before it
// sends the rest: read_more() sends that first.
void Http1Servant::leave_body() {
  turn_.is_left = true;
  std::uint64_t left = service_->options().drain_bytes;
  while (writer_.keeps_alive()) {
    const Result<std::string_view> piece = read({});
    if (!piece || piece->empty() || piece->size() > left) return;
    left -= piece->size();
  }
  // An end that needs no more bytes is read in any case.
  const Framing& framing = parser_.framing();
  if (framing.body != BodyKind::chunked && framing.length == 0) (void)read({});
}

// In place of an answer to a request that is not served.
void Http1Servant::refuse(StatusCode status, const Status& why) {
  turn_ = {};
  turn_.answered.keeps_alive = false;
  turn_.is_read = true;
  response_.clear();
  (void)answer(status == 0 ? StatusCode{400} : status, why.message() + "\n");
}

// What was answered leaves. Where more may be on its way, closing at once would make the other
// side's kernel forget the answer.
Result<net::Next> Http1Servant::close_down() {
  if (is_broken_) return net::Next::end;
  if (Status sent = send({}, {}); !sent.is_ok()) return sent;
  if (turn_.is_cut) return net::Next::end;
  const bool is_wanted = turn_.is_read && in_.empty() && !parser_.framing().keeps_alive;
  if (is_wanted && parser_.answer() == 0) return net::Next::end;
  const ServerOptions& options = service_->options();
  if (options.linger_time <= Duration::zero()) return net::Next::end;
  if (!stream_->close_write().is_ok()) return net::Next::end;
  is_lingering_ = true;
  linger_left_ = options.linger_bytes;
  due_ = rt::Deadline::after(options.linger_time, rt::now()).instant();
  out_ = {};
  return net::Next::rest;
}

Result<net::Next> Http1Servant::drop_rest(net::Stream& stream) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): nobody looks at it
  std::array<char, read_bytes> buffer;
  const auto size = stream.try_read(buffer);
  if (!size) return net::Next::end;
  if (!*size) return net::Next::rest;
  if (**size == 0 || **size > linger_left_) return net::Next::end;
  linger_left_ -= **size;
  return net::Next::rest;
}

// What the connection waits for, and until when.
net::Next Http1Servant::settle() {
  const ServerOptions& options = service_->options();
  const Instant now = rt::recently();
  if (!parser_.is_at_rest()) {
    if (head_since_ == Instant()) head_since_ = rt::now();
    due_ = rt::Deadline::after(options.head_timeout, head_since_).instant();
  } else {
    head_since_ = {};
    rest_until_ = rt::Deadline::after(options.keep_alive_timeout, now).instant();
    due_ = std::min(rest_until_, rt::Deadline::after(options.let_go_after, now).instant());
  }
  if (!before_.empty()) due_ = Instant();
  return net::Next::rest;
}

Result<net::Next> Http1Servant::on_due(net::Stream& stream) {
  if (is_lingering_) return net::Next::end;
  if (!before_.empty()) return on_readable(stream);
  stream_ = &stream;
  if (!parser_.is_at_rest()) {
    service_->note_timeout();
    refuse(408, Status(Code::deadline_exceeded,
                       "the head of the request did not come within head_timeout; send it at "
                       "once"));
    return close_down();
  }
  if (is_draining_ || rt::now() >= rest_until_) return net::Next::end;
  if (!has_let_go_) {
    has_let_go_ = true;
    parser_.let_go();
    out_ = {};
    early_.reset();
    response_ = {};
  }
  due_ = rest_until_;
  return net::Next::rest;
}

// A request that has come meanwhile is answered first.
Result<net::Next> Http1Servant::on_drain(net::Stream& stream) {
  is_draining_ = true;
  if (is_lingering_ || !parser_.is_at_rest() || !before_.empty()) return net::Next::rest;
  if (stream.unread() == net::Stream::Unread::nothing) return net::Next::end;
  due_ = Instant();
  return net::Next::rest;
}

void Http1Servant::take(std::unique_ptr<net::Stream> stream) {
  const auto then = std::exchange(then_, nullptr);
  if (!before_.empty()) {
    stream = std::make_unique<net::PrefixedStream>(std::exchange(before_, {}), std::move(stream));
  }
  impl::run_handed_over(*service_, [&] { then(std::move(stream)); });
}

}  // namespace parley::http
