#include "parley/http/impl/http2_timed_exchange.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "parley/rt/context.h"

namespace parley::http::impl {
namespace {

// A larger piece goes in parts, each with its own body_timeout.
constexpr std::size_t part_bytes = std::size_t{16} << 10U;

// Between two looks whether the request has left.
constexpr Duration shortest_look = std::chrono::milliseconds(10);

Status too_slow(std::string_view what, std::string_view option) {
  return Status(Code::deadline_exceeded, "the server " + std::string(what) + " for as long as " +
                                             std::string(option) +
                                             " allows; try again, or give it more time");
}

// Whether it was our own time that ended a wait, and not that of a stream that had failed before.
bool is_own(const Status& status, rt::Deadline own, rt::Deadline deadline) {
  return status.code() == Code::deadline_exceeded && own < deadline && own.is_over() &&
         !rt::Context::current().is_done();
}

}  // namespace

Http2TimedExchange::Http2TimedExchange(std::unique_ptr<ClientExchange> inner,
                                       std::shared_ptr<Http2Link> link, SharedStream stream,
                                       const ExchangeTimes& times, Sends sends)
    : inner_(std::move(inner)),
      link_(std::move(link)),
      stream_(std::move(stream)),
      times_(times),
      waits_for_100_(sends.waits_for_100),
      is_sent_(!sends.has_body),
      last_sent_(rt::now()) {}

Result<Response*> Http2TimedExchange::response(rt::Deadline deadline) {
  for (;;) {
    const bool was_sent = is_sent_;
    // A request that still goes out is looked at again, never without a wait.
    const rt::Deadline own =
        was_sent ? rt::Deadline::after(times_.answer_timeout, last_sent_)
                 : rt::Deadline::after(std::max<Duration>(times_.answer_timeout, shortest_look));
    Result<Response*> head = inner_->response(std::min(deadline, own));
    if (head || !is_own(head.error(), own, deadline)) return head;
    // While the request still goes out the time has not begun: write() has a time of its own.
    if (was_sent) return too_slow("did not answer", "answer_timeout");
  }
}

Result<std::string_view> Http2TimedExchange::read(rt::Deadline deadline) {
  if (const auto head = response(deadline); !head) return head.error();
  const rt::Deadline own = rt::Deadline::after(times_.body_timeout);
  Result<std::string_view> piece = inner_->read(std::min(deadline, own));
  if (piece || !is_own(piece.error(), own, deadline)) return piece;
  return too_slow("sent nothing more of its answer", "body_timeout");
}

Status Http2TimedExchange::await_continue(rt::Deadline deadline) {
  if (!std::exchange(waits_for_100_, false)) return {};
  const rt::Deadline own = rt::Deadline::after(times_.continue_timeout);
  const Result<bool> has_answer = link_->await_continue(*stream_, std::min(deadline, own));
  if (!has_answer) {
    if (is_own(has_answer.error(), own, deadline)) return {};
    waits_for_100_ = true;
    return has_answer.error();
  }
  if (!*has_answer) return {};
  return write_error_ = Status(Code::cancelled,
                               "the server answered instead of asking for the body (RFC 9110 "
                               "10.1.1); read its answer");
}

Status Http2TimedExchange::write(std::string_view piece, rt::Deadline deadline) {
  if (!write_error_.is_ok()) return write_error_;
  if (Status status = await_continue(deadline); !status.is_ok()) return status;
  do {
    const std::string_view part = piece.substr(0, part_bytes);
    piece.remove_prefix(part.size());
    const rt::Deadline own = rt::Deadline::after(times_.body_timeout);
    const Status status = inner_->write(part, std::min(deadline, own));
    if (is_own(status, own, deadline)) {
      return write_error_ = too_slow("took nothing more of the request", "body_timeout");
    }
    if (!status.is_ok()) return status;
  } while (!piece.empty());
  return {};
}

Status Http2TimedExchange::finish(const Headers* trailers, rt::Deadline deadline) {
  if (!write_error_.is_ok()) return write_error_;
  if (Status status = await_continue(deadline); !status.is_ok()) return status;
  const Status status =
      trailers == nullptr ? inner_->end(deadline) : inner_->end(*trailers, deadline);
  if (status.is_ok() && !is_sent_) {
    last_sent_ = rt::now();
    is_sent_ = true;
  }
  return status;
}

}  // namespace parley::http::impl
