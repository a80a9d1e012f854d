// The table of request smuggling (testing/smuggling_cases.h) against the parser: each case is read
// whole, byte by byte, and between two good requests. Answers have their own table here. Against a
// server: http1_smuggling_server_test.cc.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "parley/http/http1_parser.h"
#include "parley/http/testing/http1_reading.h"
#include "parley/http/testing/smuggling_cases.h"

namespace parley::http {
namespace {

using testing::bytewise;
using testing::Seen;
using testing::smuggling::Case;
using testing::smuggling::each_case;
using testing::smuggling::good;
using testing::smuggling::ok;
using Reads = Http1Parser::Reads;
using namespace std::string_view_literals;

void must_be_as_said(const Case& what, std::string_view bytes) {
  SCOPED_TRACE(what.name);
  ASSERT_FALSE(what.why.empty());
  Http1Parser whole(Reads::requests);
  const Seen seen = testing::read(whole, bytes);
  Http1Parser cut(Reads::requests);
  EXPECT_TRUE(testing::read(cut, bytes, bytewise()) == seen) << seen.error;
  if (what.answer != ok) {
    EXPECT_EQ(seen.answer, what.answer) << seen.error;
    EXPECT_FALSE(seen.error.is_ok());
    const bool is_whole = !seen.messages.empty() && seen.messages.back().is_whole;
    EXPECT_FALSE(is_whole) << "a refused message has no end";
    return;
  }
  // One message and not a byte more.
  Http1Parser parser(Reads::requests);
  std::string_view in = bytes;
  std::string body;
  for (;;) {
    const Result<Event> event = parser.next(in);
    ASSERT_TRUE(event.has_value()) << event.error();
    ASSERT_NE(*event, Event::more);
    if (*event == Event::body) body += parser.body();
    if (*event == Event::end) break;
  }
  EXPECT_EQ(body, what.body);
  EXPECT_EQ(in, what.rest);
}

void must_be_as_said_between_others(const Case& what, std::string_view bytes) {
  SCOPED_TRACE(what.name);
  const std::string message(bytes.substr(0, bytes.size() - what.rest.size()));
  const std::string stream = std::string(good) + message + std::string(good);
  for (const auto& way : {testing::Cut{}, bytewise(), testing::cut_by(7)}) {
    Http1Parser parser(Reads::requests);
    const Seen seen = testing::read(parser, stream, way);
    ASSERT_FALSE(seen.messages.empty());
    EXPECT_EQ(seen.messages.front().request.target, "/good");
    EXPECT_TRUE(seen.messages.front().is_whole);
    if (what.answer != ok) {
      EXPECT_EQ(seen.answer, what.answer) << seen.error;
      ASSERT_LE(seen.messages.size(), 2u) << "nothing behind a refused request is one";
      EXPECT_TRUE(seen.messages.size() == 1 || !seen.messages[1].is_whole);
      continue;
    }
    ASSERT_GE(seen.messages.size(), 2u) << seen.error;
    EXPECT_EQ(seen.messages[1].body, what.body);
    if (!seen.messages[1].framing.keeps_alive) {
      EXPECT_FALSE(seen.error.is_ok()) << "the connection has ended";
      continue;
    }
    ASSERT_EQ(seen.messages.size(), 3u) << seen.error;
    EXPECT_TRUE(seen.messages[2] == seen.messages[0]);
    EXPECT_TRUE(seen.is_at_rest);
  }
}

TEST(Http1Smuggling, every_case_is_read_as_the_table_says_whole_and_byte_by_byte) {
  each_case(must_be_as_said);
}

TEST(Http1Smuggling, every_case_is_read_so_between_other_requests) {
  each_case(must_be_as_said_between_others);
}

struct ResponseCase {
  std::string_view name;
  std::string_view bytes;
  bool is_good;
  std::string_view body;
  std::string_view why;
  Expected expected = {};
  std::size_t messages = 1;  // with a head, also of those that are refused later
};

constexpr std::array response_cases = {
    ResponseCase{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", true, "hi",
                 "9112 6.2"},
    ResponseCase{"chunks",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true,
                 "hi", "9112 7.1"},
    ResponseCase{"neither", "HTTP/1.1 200 OK\r\n\r\nhi", true, "hi", "9112 6.3: up to the end"},
    ResponseCase{"no reason, no space", "HTTP/1.1 204\r\n\r\n", true, "",
                 "9112 4: a sender must; nothing depends on it"},
    ResponseCase{"both",
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.3: response splitting by a hop",
                 {},
                 0},
    ResponseCase{"two lengths",
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
                 false,
                 "",
                 "9112 6.3",
                 {},
                 0},
    ResponseCase{"gzip, chunked",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.1: never asked for (TE)",
                 {},
                 0},
    ResponseCase{"chunks in HTTP/1.0",
                 "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.1",
                 {},
                 0},
    ResponseCase{"bytes behind", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", false, "hi",
                 "9112 9.2: they answer nothing"},
    ResponseCase{"a second answer", "HTTP/1.1 204 A\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", false, "",
                 "9112 9.2: it answers nothing"},
    ResponseCase{"a body of HEAD",
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                 false,
                 "",
                 "9112 6.3: none, whatever its length says",
                 {.method = Method::head}},
    ResponseCase{"HEAD with chunks",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                 true,
                 "",
                 "9112 6.3: none",
                 {.method = Method::head}},
    ResponseCase{"a length in 304", "HTTP/1.1 304 A\r\nContent-Length: 2\r\n\r\n", true, "",
                 "9110 8.6: that of the answer 200"},
    ResponseCase{"a body of 304", "HTTP/1.1 304 A\r\nContent-Length: 2\r\n\r\nhi", false, "",
                 "9112 6.3: none"},
    ResponseCase{"a body of 204", "HTTP/1.1 204 A\r\n\r\nhi", false, "", "9112 6.3: none"},
    ResponseCase{"a length in 204",
                 "HTTP/1.1 204 A\r\nContent-Length: 2\r\n\r\nhi",
                 false,
                 "",
                 "9110 8.6: must not be sent",
                 {},
                 0},
    ResponseCase{"a length of 0 in 204", "HTTP/1.1 204 A\r\nContent-Length: 0\r\n\r\n", true, "",
                 "9110 8.6: must not be sent, but harmless and common"},
    ResponseCase{"chunks in 204",
                 "HTTP/1.1 204 A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 false,
                 "",
                 "9112 6.1: must not be sent",
                 {},
                 0},
    ResponseCase{"chunks in 100",
                 "HTTP/1.1 100 A\r\nTransfer-Encoding: chunked\r\n\r\n",
                 false,
                 "",
                 "9112 6.1: must not be sent",
                 {},
                 0},
    ResponseCase{"a tunnel with a length",
                 "HTTP/1.1 200 A\r\nContent-Length: 2\r\n\r\n",
                 true,
                 "",
                 "9112 6.3: means nothing",
                 {.method = Method::connect}},
    ResponseCase{"a refused tunnel",
                 "HTTP/1.1 403 A\r\nContent-Length: 2\r\n\r\nhi",
                 true,
                 "hi",
                 "9112 6.3: an answer as any",
                 {.method = Method::connect}},
    ResponseCase{"an empty line before",
                 "\r\nHTTP/1.1 200 OK\r\n\r\n",
                 false,
                 "",
                 "9112 2.2: only before requests",
                 {},
                 0},
    ResponseCase{"two spaces", "HTTP/1.1  200 OK\r\n\r\n", false, "", "9112 4: one", {}, 0},
    ResponseCase{"two digits", "HTTP/1.1 20 OK\r\n\r\n", false, "", "9112 4: three", {}, 0},
    ResponseCase{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", false, "", "9112 4: three", {}, 0},
    ResponseCase{"below 100", "HTTP/1.1 099 OK\r\n\r\n", false, "", "9110 15", {}, 0},
    ResponseCase{"no status", "HTTP/1.1 OK\r\n\r\n", false, "", "9112 4", {}, 0},
    ResponseCase{"LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", false, "", "9112 2.2", {}, 0},
    ResponseCase{"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", false, "", "9112 4", {}, 0},
    ResponseCase{"folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", false, "", "9112 5.2", {}, 0},
    ResponseCase{"a request", "GET / HTTP/1.1\r\n\r\n", false, "", "9112 4: no status line", {}, 0},
    ResponseCase{"what Shoutcast says", "ICY 200 OK\r\n\r\n", false, "", "9112 4: HTTP/", {}, 0},
};

TEST(Http1Smuggling, every_response_is_read_as_the_table_says) {
  for (const ResponseCase& what : response_cases) {
    SCOPED_TRACE(what.name);
    ASSERT_FALSE(what.why.empty());
    for (const auto& way : {testing::Cut{}, bytewise()}) {
      Http1Parser parser(Reads::responses);
      const Seen seen = testing::read(parser, what.bytes, way, {what.expected});
      EXPECT_EQ(seen.error.is_ok(), what.is_good) << seen.error;
      EXPECT_EQ(seen.answer, what.is_good ? 0 : 502);
      ASSERT_EQ(seen.messages.size(), what.messages) << seen.error;
      if (what.messages == 1) {
        EXPECT_EQ(seen.messages[0].body, what.body);
      }
    }
  }
}

}  // namespace
}  // namespace parley::http
