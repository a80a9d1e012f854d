#include "parley/peer/plugins/span_lines.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "parley/base/memory_files.h"
#include "parley/codec/json.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/event.h"

namespace parley {
namespace {

const observe::TraceContext here{.trace = {.high = 1, .low = 2}, .span = 3};

// An error with something to escape.
Status no_luck() { return {Code::aborted, "no \"luck\"\n"}; }

void take(SpanLines& lines, std::string_view method, const Status& status = {},
          std::uint64_t parent = 0) {
  lines.take({.context = here,
              .parent = parent,
              .kind = SpanKind::server,
              .method = method,
              .remote_address = "tcp://10.0.0.7:1",
              .start = WallTime(std::chrono::seconds(5)),
              .took = std::chrono::milliseconds(2),
              .status = status});
}

PARLEY_PEER_TEST(SpanLines, a_span_is_a_line_of_json) {
  std::string text;
  SpanLines lines([&](std::string_view some) {
    text += some;
    return Status();
  });
  take(lines, "/add");
  take(lines, "/\xFF\n", no_luck(), 15);
  EXPECT_TRUE(lines.flush().is_ok());
  const std::string start =
      R"({"trace":"00000000000000010000000000000002","span":"0000000000000003",)";
  const std::string rest =
      R"("remote":"tcp://10.0.0.7:1","start_ns":5000000000,"took_ns":2000000,)";
  EXPECT_EQ(text, start + R"("kind":"server","method":"/add",)" + rest + "\"code\":\"ok\"}\n" +
                      start + R"("parent":"000000000000000f","kind":"server","method":"/?\n",)" +
                      rest + "\"code\":\"aborted\",\"message\":\"no \\\"luck\\\"\\n\"}\n");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    EXPECT_TRUE(codec::validate_json(text.substr(at, end - at)).is_ok());
    at = end + 1;
  }
  EXPECT_EQ(lines.counts().written, 2U);
}

PARLEY_PEER_TEST(SpanLines, what_finds_no_room_is_dropped_and_counted) {
  for (const std::size_t most : {std::size_t{1'000}, std::size_t{4'000}}) {
    rt::Event gate;
    rt::Event is_writing;
    std::size_t written = 0;
    SpanLines lines(
        [&](std::string_view some) {
          is_writing.set();
          EXPECT_TRUE(gate.wait().is_ok());
          written += static_cast<std::size_t>(std::ranges::count(some, '\n'));
          return Status();
        },
        {.max_waiting_bytes = most});
    take(lines, "/first");
    EXPECT_TRUE(is_writing.wait().is_ok());
    for (int i = 0; i < 50; ++i) take(lines, "/x");  // some 190 bytes each
    const std::uint64_t dropped = lines.counts().dropped;
    gate.set();
    EXPECT_TRUE(lines.flush().is_ok());
    EXPECT_EQ(lines.counts().written, 51 - dropped);
    EXPECT_EQ(lines.counts().written, written);
    EXPECT_EQ(most == 1'000, dropped > 40) << dropped;
    EXPECT_GT(dropped, 20U);
  }
}

PARLEY_PEER_TEST(SpanLines, what_cannot_be_written_is_counted_and_others_are) {
  int round = 0;
  SpanLines lines([&](std::string_view) -> Status {
    if (++round == 1) return {Code::unavailable, "the disk is full"};
    if (round == 2) throw std::runtime_error("oops");
    return {};
  });
  for (int i = 0; i < 3; ++i) {
    take(lines, "/x");
    EXPECT_TRUE(lines.flush().is_ok());
  }
  EXPECT_EQ(lines.counts().failed, 2U);
  EXPECT_EQ(lines.counts().written, 1U);
}

PARLEY_PEER_TEST(SpanLines, the_end_of_a_file_is_where_they_go_and_all_are_there_at_last) {
  MemoryFiles files;
  for (int i = 0; i < 2; ++i) {
    const auto lines = SpanLines::append_to("/spans", {}, &files);
    ASSERT_TRUE(lines) << lines.error();
    for (int k = 0; k < 10; ++k) take(**lines, "/x");
  }
  const auto file = files.open("/spans", OpenMode::read);
  ASSERT_TRUE(file);
  std::string text((*file)->size().value(), '\0');
  EXPECT_EQ((*file)->read_at(0, text).value(), text.size());
  EXPECT_EQ(std::ranges::count(text, '\n'), 20);
  EXPECT_FALSE(SpanLines::append_to("/nowhere/spans", {}, &files));
}

}  // namespace
}  // namespace parley
