#include "parley/http/event_stream.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "parley/http/impl/chars.h"

namespace parley::http {
namespace {

constexpr std::string_view line_ends = "\r\n";

Status no_line(std::string_view what) {
  return {
      Code::invalid_argument,
      std::string(what) + " of a server-sent event has a line end or NUL, which cannot be sent"};
}

// Digits only; more than a year is a year.
std::optional<std::chrono::milliseconds> milliseconds_of(std::string_view text) {
  if (text.empty() || !impl::all_of(text, impl::chars::digit)) return std::nullopt;
  constexpr std::int64_t year = 365LL * 24 * 3600 * 1000;
  std::int64_t value = 0;
  for (const char c : text) value = std::min(year, value * 10 + (c - '0'));
  return std::chrono::milliseconds(value);
}

}  // namespace

Result<std::string> write_event(const ServerEvent& event) {
  if (event.type.find_first_of(line_ends) != std::string::npos) return no_line("the type");
  if (event.id && event.id->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return no_line("the id");
  }
  if (event.retry && event.retry->count() < 0) {
    return Status(Code::invalid_argument, "the retry of a server-sent event is negative");
  }
  std::string out;
  if (!event.type.empty()) out += "event: " + event.type + "\n";
  if (event.id) out += "id: " + *event.id + "\n";
  if (event.retry) out += "retry: " + std::to_string(event.retry->count()) + "\n";
  std::string_view rest = event.data;
  for (;;) {
    const std::size_t end = rest.find_first_of(line_ends);
    out += "data: ";
    out += rest.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + (rest.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return out + "\n";
}

Result<EventStream> EventStream::begin(ServerExchange& exchange, rt::Deadline deadline) {
  Response& head = exchange.response();
  Status status = head.headers.set("Content-Type", "text/event-stream");
  if (status.is_ok()) status = head.headers.set("Cache-Control", "no-store");
  if (status.is_ok()) status = exchange.begin(BodySize::unknown());
  if (status.is_ok()) status = exchange.flush(deadline);
  if (!status.is_ok()) return status;
  return EventStream(exchange);
}

std::string_view EventStream::last_event_id() const {
  return exchange_->request().headers.get("Last-Event-ID").value_or("");
}

Status EventStream::put(std::string_view text, rt::Deadline deadline) {
  if (Status status = exchange_->write(text, deadline); !status.is_ok()) return status;
  return exchange_->flush(deadline);
}

Status EventStream::send(const ServerEvent& event, rt::Deadline deadline) {
  const Result<std::string> text = write_event(event);
  return text ? put(*text, deadline) : text.error();
}

Status EventStream::comment(std::string_view text, rt::Deadline deadline) {
  if (text.find_first_of(line_ends) != std::string_view::npos) return no_line("a comment");
  return put(text.empty() ? ":\n\n" : ": " + std::string(text) + "\n\n", deadline);
}

Status EventStream::forward(rt::Channel<ServerEvent>& events, Duration keep_alive) {
  for (;;) {
    const bool beats = keep_alive > Duration::zero();
    const auto deadline = beats ? rt::Deadline::after(keep_alive) : rt::Deadline::never();
    const Result<ServerEvent> event = events.receive(deadline);
    Status status;
    if (event) {
      status = send(*event);
    } else if (event.error().code() == Code::deadline_exceeded && deadline.is_over()) {
      status = comment();
    } else {
      return event.error().code() == Code::out_of_range ? Status() : event.error();
    }
    if (!status.is_ok()) return status;
  }
}

Status EventStreamReader::too_large(std::string_view what, std::size_t limit) {
  error_ = Status(Code::resource_exhausted, "a server-sent event has more than " +
                                                std::to_string(limit) + " bytes in " +
                                                std::string(what));
  return error_;
}

Result<bool> EventStreamReader::next(std::string_view& in) {
  if (!error_.is_ok()) return error_;
  while (!in.empty()) {
    if (std::exchange(skips_lf_, false) && in.front() == '\n') {
      in.remove_prefix(1);
      continue;
    }
    const std::size_t end = in.find_first_of(line_ends);
    const std::string_view part = in.substr(0, end);
    if (part.size() > limits_.max_line_bytes - line_.size()) {
      return too_large("a line (max_line_bytes)", limits_.max_line_bytes);
    }
    line_ += part;
    if (end == std::string_view::npos) {
      in = {};
      break;
    }
    skips_lf_ = in[end] == '\r';
    in.remove_prefix(end + 1);
    std::string_view line = line_;
    if (std::exchange(is_first_line_, false) && line.starts_with("\xef\xbb\xbf")) {
      line.remove_prefix(3);
    }
    const bool is_event = take_line(line);
    line_.clear();
    if (data_.size() > limits_.max_event_bytes) {
      return too_large("its data (max_event_bytes)", limits_.max_event_bytes);
    }
    if (is_event) return true;
  }
  return false;
}

bool EventStreamReader::take_line(std::string_view line) {
  if (!line.empty()) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(line.substr(0, colon), value);
    return false;
  }
  last_id_ = id_;
  const bool has_data = !data_.empty();
  if (has_data) {
    data_.pop_back();
    event_ = {.type = type_.empty() ? "message" : std::move(type_),
              .data = std::move(data_),
              .id = last_id_,
              .retry = event_retry_};
  }
  type_.clear();
  data_.clear();
  event_retry_.reset();
  return has_data;
}

void EventStreamReader::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_ += value;
    data_ += '\n';
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry") {
    if (const auto retry = milliseconds_of(value)) retry_ = event_retry_ = retry;
  }
}

void EventStreamReader::restart() {
  line_.clear();
  type_.clear();
  data_.clear();
  id_ = last_id_;
  event_retry_.reset();
  is_first_line_ = true;
  skips_lf_ = false;
  error_ = {};
}

}  // namespace parley::http
