#include "parley/http/event_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/http/testing/memory_exchange.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using testing::MemoryExchange;

const std::string stream =
    "\xef\xbb\xbf: comment\nevent: tea\r\nid: 7\r\ndata: green\r\ndata:  oolong\r\n\r\n"
    "data\n\nevent: dropped\n\nretry: 250\rdata:a:b\r\rid\nretry: soon\nunknown: x\ndata: last\n\n"
    "data: cut";

std::vector<ServerEvent> expected() {
  return {{"tea", "green\n oolong", "7", {}},
          {"message", "", "7", {}},
          {"message", "a:b", "7", 250ms},
          {"message", "last", "", {}}};
}

std::vector<ServerEvent> read(EventStreamReader& reader, std::string_view text, std::size_t first,
                              std::size_t others) {
  std::vector<ServerEvent> events;
  for (std::size_t size = first; !text.empty(); size = others) {
    std::string_view piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    for (;;) {
      const auto has_one = reader.next(piece);
      EXPECT_TRUE(has_one.has_value()) << has_one.error();
      if (!has_one || !*has_one) break;
      events.push_back(reader.event());
    }
  }
  return events;
}

TEST(EventStream, is_read_the_same_wherever_it_is_cut) {
  for (std::size_t at = 1; at <= stream.size(); ++at) {
    EventStreamReader reader;
    EXPECT_EQ(read(reader, stream, at, stream.size()), expected()) << at;
  }
  EventStreamReader reader;
  EXPECT_EQ(read(reader, stream, 1, 1), expected());
  EXPECT_EQ(reader.last_event_id(), "");
  EXPECT_EQ(reader.retry(), 250ms);
}

TEST(EventStream, goes_on_in_a_new_connection_with_the_last_id) {
  EventStreamReader reader;
  (void)read(reader, "id: 5\ndata: a\n\nid: 6\ndata: cut\n", 9, 9);
  EXPECT_EQ(reader.last_event_id(), "5");
  reader.restart();
  const std::vector<ServerEvent> next = {{"message", "b", "5", {}}};
  EXPECT_EQ(read(reader, "\xef\xbb\xbf\x64\x61ta: b\n\n", 2, 2), next);
}

TEST(EventStream, keeps_to_its_limits) {
  std::string_view text = "data: 0123\n\n";
  EventStreamReader fits({.max_line_bytes = 10, .max_event_bytes = 5});
  EXPECT_EQ(read(fits, text, 3, 3).size(), 1u);
  EventStreamReader line({.max_line_bytes = 9});
  EXPECT_EQ(line.next(text).error().code(), Code::resource_exhausted);
  EXPECT_EQ(line.next(text).error().code(), Code::resource_exhausted);
  text = "data: 0123\n\n";
  EventStreamReader event({.max_event_bytes = 4});
  EXPECT_EQ(event.next(text).error().code(), Code::resource_exhausted);
}

TEST(EventStream, lets_no_text_begin_another_event) {
  EXPECT_EQ(*write_event({.type = "tea", .data = "a\r\nb\rc\n\n d", .id = "", .retry = 5ms}),
            "event: tea\nid: \nretry: 5\ndata: a\ndata: b\ndata: c\ndata: \ndata:  d\n\n");
  EXPECT_EQ(*write_event({}), "data: \n\n");
  for (const ServerEvent& event :
       {ServerEvent{.type = "a\nb"}, ServerEvent{.id = "a\rb"},
        ServerEvent{.id = std::string("a\0", 2)}, ServerEvent{.retry = -1ms}}) {
    EXPECT_EQ(write_event(event).error().code(), Code::invalid_argument);
  }
}

TEST(EventStream, is_sent_event_by_event_over_an_exchange) {
  MemoryExchange exchange;
  exchange.with("Last-Event-ID", "41");
  const Handler handler = [](ServerExchange& it) -> Status {
    auto events = EventStream::begin(it);
    if (!events) return events.error();
    EXPECT_EQ(events->last_event_id(), "41");
    EXPECT_EQ(events->comment("a\nb").code(), Code::invalid_argument);
    if (Status status = events->comment("hello"); !status.is_ok()) return status;
    return events->send({.data = "green", .id = "42"});
  };
  ASSERT_TRUE(exchange.run(handler).is_ok());
  EXPECT_EQ(exchange.field("Content-Type"), "text/event-stream");
  EXPECT_EQ(exchange.field("Cache-Control"), "no-store");
  EXPECT_FALSE(exchange.size()->is_known());
  EXPECT_EQ(exchange.body(), ": hello\n\nid: 42\ndata: green\n\n");
  EXPECT_EQ(exchange.flushes(), 3u);
}

std::string forwarded(Duration keep_alive) {
  MemoryExchange exchange;
  rt::testing::in_virtual_time(
      [&] {
        rt::Channel<ServerEvent> events;
        rt::Scope scope;
        scope.go("source", [&events] {
          EXPECT_TRUE(events.send({.data = "first"}).is_ok());
          EXPECT_TRUE(rt::sleep(35s).is_ok());
          EXPECT_TRUE(events.send({.data = "second"}).is_ok());
          events.close();
        });
        EXPECT_TRUE(exchange
                        .run([&](ServerExchange& it) {
                          return EventStream::begin(it)->forward(events, keep_alive);
                        })
                        .is_ok());
      },
      100ms);
  return exchange.body();
}

TEST(EventStream, forwards_a_channel_and_keeps_the_connection_alive_between) {
  EXPECT_EQ(forwarded(15s), "data: first\n\n:\n\n:\n\ndata: second\n\n");
  EXPECT_EQ(forwarded({}), "data: first\n\ndata: second\n\n");
}

}  // namespace
}  // namespace parley::http
