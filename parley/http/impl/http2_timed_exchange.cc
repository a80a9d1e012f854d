#include "parley/http/impl/http2_timed_exchange.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "parley/http/impl/client_waits.h"
#include "parley/rt/time.h"

namespace parley::http::impl {
namespace {

// A larger piece goes in parts, each with its own body_timeout.
constexpr std::size_t part_bytes = std::size_t{16} << 10U;

// Between two looks whether the request has left.
constexpr Duration shortest_look = std::chrono::milliseconds(10);

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
    const Duration limit = times_.answer_timeout;
    const ClientWait wait(deadline, limit,
                          was_sent ? rt::Deadline::after(limit, last_sent_)
                                   : rt::Deadline::after(std::max<Duration>(limit, shortest_look)));
    Result<Response*> head = inner_->response(wait.deadline());
    if (head) return head;
    // While the request still goes out the time has not begun: write() has a time of its own.
    if (!was_sent && wait.is_limit(head.error())) continue;
    return wait.told(head.error(), "did not answer", "answer_timeout");
  }
}

Result<std::string_view> Http2TimedExchange::read(rt::Deadline deadline) {
  if (const auto head = response(deadline); !head) return head.error();
  const ClientWait wait(deadline, times_.body_timeout);
  Result<std::string_view> piece = inner_->read(wait.deadline());
  if (piece) return piece;
  return wait.told(piece.error(), "sent no more of its answer", "body_timeout");
}

Status Http2TimedExchange::await_continue(rt::Deadline deadline) {
  if (!std::exchange(waits_for_100_, false)) return {};
  const ClientWait wait(deadline, times_.continue_timeout);
  const Result<bool> has_answer = link_->await_continue(*stream_, wait.deadline());
  if (!has_answer) {
    if (wait.is_limit(has_answer.error())) return {};
    waits_for_100_ = true;
    return wait.told(has_answer.error(), "did not ask for the body", "continue_timeout");
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
    const ClientWait wait(deadline, times_.body_timeout);
    const Status status = inner_->write(part, wait.deadline());
    if (status.is_ok()) continue;
    const Status told = wait.told(status, "took no more of the request", "body_timeout");
    return wait.is_limit(status) ? write_error_ = told : told;
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
