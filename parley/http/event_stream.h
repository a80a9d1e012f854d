// Server-Sent Events (WHATWG HTML, 9.2): a writer over an exchange, and a reader for clients that
// takes the stream in pieces of any size and does no I/O.
//
// Each object belongs to one fiber at a time.
//
//   auto stream = http::EventStream::begin(exchange);
//   if (!stream) return stream.error();
//   return stream->forward(prices);          // a channel of events, until it is closed
//
//   EventStreamReader reader;
//   while (auto has_one = reader.next(piece)) {
//     if (!*has_one) break;                  // more is needed
//     use(reader.event());
//   }
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/rt/channel.h"

namespace parley::http {

struct ServerEvent {
  std::string type{};  // empty is "message"
  // Any lines. CRLF and CR become LF on the way.
  std::string data{};
  // What the client sends as Last-Event-ID when it comes again. Nothing leaves it as it is, ""
  // takes it back.
  std::optional<std::string> id{};
  // How long the client waits before it comes again.
  std::optional<std::chrono::milliseconds> retry{};

  friend bool operator==(const ServerEvent&, const ServerEvent&) = default;
};

// As it is sent. invalid_argument for a line end in type or id, a NUL in id, a negative retry.
Result<std::string> write_event(const ServerEvent& event);

class EventStream {
 public:
  static constexpr Duration default_keep_alive = std::chrono::seconds(15);

  // Begins the answer with its headers (text/event-stream, never stored). `exchange` must outlive
  // the stream.
  static Result<EventStream> begin(ServerExchange& exchange, rt::Deadline deadline = {});

  // The last event that the client had before, or "": go on behind it.
  [[nodiscard]] std::string_view last_event_id() const;

  // Sends one event, at once. Waits while the client takes nothing. Errors as Exchange::write() has
  // them, and as write_event() does; nothing was sent then.
  Status send(const ServerEvent& event, rt::Deadline deadline = {});
  // A comment, which the client passes over, so that nothing on the way takes the connection for
  // dead. invalid_argument for a line end.
  Status comment(std::string_view text = {}, rt::Deadline deadline = {});
  // Sends what comes through the channel, and a comment after each `keep_alive` without any (zero:
  // none). Ok when the channel is closed and empty; the context's status, or that of send().
  Status forward(rt::Channel<ServerEvent>& events, Duration keep_alive = default_keep_alive);

 private:
  explicit EventStream(ServerExchange& exchange) : exchange_(&exchange) {}
  Status put(std::string_view text, rt::Deadline deadline);

  ServerExchange* exchange_;
};

struct EventStreamLimits {
  std::size_t max_line_bytes = 1024 * 1024;
  std::size_t max_event_bytes = 1024 * 1024;  // of the data of one event
};
inline constexpr EventStreamLimits default_event_stream_limits{};

class EventStreamReader {
 public:
  explicit EventStreamReader(const EventStreamLimits& limits = default_event_stream_limits)
      : limits_(limits) {}

  // Goes on in the stream, takes what was used off `in`, and says whether event() is a new one;
  // false: everything was used. resource_exhausted at a limit, and the same again from then on. An
  // event that the end of the stream cuts is none.
  Result<bool> next(std::string_view& in);

  // Its type is never empty, its id always the last one that was sent. Until the next next().
  [[nodiscard]] const ServerEvent& event() const noexcept { return event_; }
  // For the next connection: Last-Event-ID, and how long to wait where the server said it.
  [[nodiscard]] const std::string& last_event_id() const noexcept { return last_id_; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }
  // A new connection: what was cut is dropped, last_event_id() and retry() stay.
  void restart();

 private:
  // Whether a line ends an event.
  bool take_line(std::string_view line);
  void take_field(std::string_view name, std::string_view value);
  Status too_large(std::string_view what, std::size_t limit);

  const EventStreamLimits limits_;
  std::string line_;
  bool is_first_line_ = true;
  bool skips_lf_ = false;
  std::string type_;
  std::string data_;
  std::string id_;
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
  std::optional<std::chrono::milliseconds> event_retry_;
  ServerEvent event_;
  Status error_;
};

}  // namespace parley::http
