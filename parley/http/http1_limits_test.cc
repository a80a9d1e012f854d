// Each limit of Http1Limits by two of its values: the message just fits, and is one too large.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "parley/http/http1_parser.h"
#include "parley/http/testing/http1_reading.h"

namespace parley::http {
namespace {

using testing::Seen;
using Reads = Http1Parser::Reads;

struct Bounded {
  std::string_view name;
  void (*set)(Http1Limits& limits, std::size_t to);
  std::size_t fits;  // this much does, one less does not
  std::string_view message;
  StatusCode answer;
  std::string_view named;  // in the text of the error
  bool is_response = false;
};

constexpr std::array bounded = {
    Bounded{"a method", [](Http1Limits& l, std::size_t to) { l.max_method = to; }, 4,
            "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "max_method"},
    Bounded{"a request line", [](Http1Limits& l, std::size_t to) { l.max_start_line = to; }, 8,
            "GET /tea HTTP/1.1\r\nHost: a\r\n\r\n", 414, "max_start_line"},
    Bounded{"a status line", [](Http1Limits& l, std::size_t to) { l.max_start_line = to; }, 17,
            "HTTP/1.1 204 Gone\r\n\r\n", 502, "max_start_line", true},
    Bounded{"headers", [](Http1Limits& l, std::size_t to) { l.max_headers = to; }, 2,
            "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", 431, "max_headers"},
    Bounded{"a header", [](Http1Limits& l, std::size_t to) { l.max_header_line = to; }, 9,
            "GET / HTTP/1.1\r\nHost: a\r\nAccept: bc\r\n\r\n", 431, "max_header_line"},
    Bounded{"blanks", [](Http1Limits& l, std::size_t to) { l.max_header_line = to; }, 12,
            "GET / HTTP/1.1\r\nHost: a\r\nA:          b\r\n\r\n", 431, "max_header_line"},
    Bounded{"the bytes of headers", [](Http1Limits& l, std::size_t to) { l.max_header_bytes = to; },
            13, "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n", 431, "max_header_bytes"},
    Bounded{"a length", [](Http1Limits& l, std::size_t to) { l.max_body_bytes = to; }, 5,
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 413, "max_body_bytes"},
    Bounded{"chunks", [](Http1Limits& l, std::size_t to) { l.max_body_bytes = to; }, 6,
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n",
            413, "max_body_bytes"},
    Bounded{"a body up to the end", [](Http1Limits& l, std::size_t to) { l.max_body_bytes = to; },
            5, "HTTP/1.1 200 OK\r\n\r\nhello", 502, "max_body_bytes", true},
    Bounded{"the line of a chunk", [](Http1Limits& l, std::size_t to) { l.max_chunk_line = to; }, 7,
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3;a=bcd\r\nhel\r\n0;a=bcd\r\n\r\n",
            413, "max_chunk_line"},
    Bounded{"chunk extensions",
            [](Http1Limits& l, std::size_t to) { l.max_chunk_extension_bytes = to; }, 6,
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3;a=b\r\nhel\r\n0;a=b\r\n\r\n",
            413, "max_chunk_extension_bytes"},
    Bounded{"trailers", [](Http1Limits& l, std::size_t to) { l.max_trailers = to; }, 2,
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\nA: b\r\nC: d\r\n\r\n",
            431, "max_trailers"},
    Bounded{"the bytes of trailers",
            [](Http1Limits& l, std::size_t to) { l.max_trailer_bytes = to; }, 10,
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\nA: b\r\nC: d\r\n\r\n",
            431, "max_trailer_bytes"},
    Bounded{"responses 1xx", [](Http1Limits& l, std::size_t to) { l.max_informational = to; }, 2,
            "HTTP/1.1 100 A\r\n\r\nHTTP/1.1 103 B\r\n\r\nHTTP/1.1 204 C\r\n\r\n", 502,
            "max_informational", true},
};

Seen read_within(const Bounded& what, std::size_t limit, const testing::Cut& cut) {
  Http1Limits limits;
  what.set(limits, limit);
  Http1Parser parser(what.is_response ? Reads::responses : Reads::requests, limits);
  const std::vector<Expected> expected(what.is_response ? 1 : 0);
  return testing::read(parser, what.message, cut, expected);
}

TEST(Http1Limits, take_what_just_fits_and_refuse_one_more) {
  for (const Bounded& what : bounded) {
    SCOPED_TRACE(what.name);
    const Seen fits = read_within(what, what.fits, {});
    EXPECT_TRUE(fits.error.is_ok()) << fits.error;
    EXPECT_FALSE(fits.messages.empty());
    EXPECT_TRUE(read_within(what, what.fits, testing::bytewise()) == fits);
    const Seen beyond = read_within(what, what.fits - 1, {});
    EXPECT_EQ(beyond.error.code(), Code::resource_exhausted) << beyond.error;
    EXPECT_EQ(beyond.answer, what.answer) << beyond.error;
    EXPECT_NE(beyond.error.message().find(what.named), std::string::npos) << beyond.error;
    EXPECT_TRUE(read_within(what, what.fits - 1, testing::bytewise()).error == beyond.error)
        << beyond.error;
  }
}

TEST(Http1Limits, may_be_as_large_as_numbers_go) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  const Http1Limits none = {.max_method = most,
                            .max_start_line = most,
                            .max_headers = most,
                            .max_header_line = most,
                            .max_header_bytes = most,
                            .max_body_bytes = most,
                            .max_chunk_line = most,
                            .max_chunk_extension_bytes = most,
                            .max_trailers = most,
                            .max_trailer_bytes = most,
                            .max_informational = most};
  for (const Bounded& what : bounded) {
    SCOPED_TRACE(what.name);
    Http1Parser parser(what.is_response ? Reads::responses : Reads::requests, none);
    const std::vector<Expected> expected(what.is_response ? 1 : 0);
    const Seen seen = testing::read(parser, what.message, testing::cut_by(5), expected);
    EXPECT_TRUE(seen.error.is_ok()) << seen.error;
    EXPECT_FALSE(seen.messages.empty());
  }
  Http1Parser parser(Reads::requests, none);
  const std::string long_value(100'000, 'a');
  const Seen seen =
      testing::read(parser, "GET / HTTP/1.1\r\nHost: a\r\nX: " + long_value + "\r\n\r\n");
  EXPECT_EQ(seen.messages.at(0).request.headers.get("X"), long_value);
}

// What comes of a request whose server takes a body of `bytes` at most, once it has seen the head.
Status read_with_body_limit(std::string_view request, std::uint64_t bytes) {
  Http1Parser parser(Reads::requests);
  std::string_view in = request;
  for (;;) {
    const Result<Event> event = parser.next(in);
    if (!event) return event.error();
    if (*event == Event::more) return {};
    if (*event != Event::head || parser.request().path() != "/small") continue;
    if (Status status = parser.limit_body(bytes); !status.is_ok()) return status;
  }
}

TEST(Http1Limits, of_a_body_may_be_less_for_one_message) {
  const std::string with_length = "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  const std::string in_chunks =
      "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  for (const std::string& request : {with_length, in_chunks}) {
    EXPECT_TRUE(read_with_body_limit(request, 3).is_ok());
    const Status beyond = read_with_body_limit(request, 2);
    EXPECT_EQ(beyond.code(), Code::resource_exhausted) << beyond;
    const std::string other = "POST /other" + request.substr(std::string("POST /small").size());
    EXPECT_TRUE(read_with_body_limit(other, 2).is_ok()) << "it is for one message only";
  }
  Http1Parser parser(Reads::responses);
  parser.expect({});
  std::string_view in = "HTTP/1.1 200 OK\r\n\r\nabc";
  ASSERT_EQ(parser.next(in).value(), Event::head);
  EXPECT_TRUE(parser.limit_body(2).is_ok());
  EXPECT_EQ(parser.next(in).value(), Event::body);
  EXPECT_EQ(parser.body(), "ab");
  EXPECT_EQ(parser.next(in).error().code(), Code::resource_exhausted);
}

// A limit is met when its byte comes, not when the line is whole: who sends a line without end is
// told within it.
TEST(Http1Limits, are_met_without_waiting_for_the_end_of_a_line) {
  Http1Parser parser(Reads::requests);
  const std::string endless(Http1Limits().max_start_line + 1, 'a');
  const Seen seen = testing::read(parser, "GET /" + endless);
  EXPECT_EQ(seen.answer, 414);
  EXPECT_TRUE(seen.messages.empty());
}

TEST(Http1Limits, host_may_be_missing_only_where_that_was_said) {
  for (const bool needs : {true, false}) {
    Http1Parser parser(Reads::requests, {.needs_host = needs});
    const Seen seen = testing::read(parser, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(seen.error.is_ok(), !needs) << seen.error;
    Http1Parser twice(Reads::requests, {.needs_host = needs});
    EXPECT_FALSE(
        testing::read(twice, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n").error.is_ok());
  }
}

}  // namespace
}  // namespace parley::http
