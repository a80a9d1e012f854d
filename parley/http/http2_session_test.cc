// RFC 9113, section by section: frames in, verdict out. And RFC 7541 where a head cannot be read.
#include "parley/http/impl/http2_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/http/testing/http2_frames.h"

namespace parley::http {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the frames are all it is about

struct Case {
  const char* section;
  const char* what;
  std::string in;  // behind preface and settings
  const char* verdict;
};

std::string verdict_of(const std::string& in) {
  Heard heard;
  (void)heard.take(in);
  return heard.verdict();
}

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(verdict_of(hello() + one.in), one.verdict) << one.section << ' ' << one.what;
    // However it is cut, it is the same.
    Heard cut;
    for (const char c : hello() + one.in) {
      if (!cut.take({&c, 1}).is_ok()) break;
    }
    EXPECT_EQ(cut.verdict(), one.verdict) << one.section << ' ' << one.what << ", byte by byte";
  }
}

std::string with(const Fields& more) { return head(1, get_fields(more)); }

TEST(Http2Session, takes_frames_as_rfc_9113_says) {
  const std::string open = head(1, post_fields(), 0);
  check({
      {"3.4", "nothing but preface and settings", "", "ok"},
      {"4.1", "a frame of a type nobody knows", frame(0x77, 0xff, 9, "what"), "ok"},
      {"4.2", "a frame above the size allowed", frame(data_frame, 0, 1, std::string(16385, 'x')),
       "goaway 6"},
      {"4.3", "a head cannot be decoded", frame(headers_frame, 5, 1, "\xff\xff\xff\xff\xff"),
       "goaway 9"},
      {"5.1", "DATA on a stream that is idle", frame(data_frame, 0, 1, "x"), "goaway 1"},
      {"5.1", "WINDOW_UPDATE on one", frame(window_frame, 0, 1, number(1)), "goaway 1"},
      {"5.1", "RST_STREAM on one", frame(reset_frame, 0, 1, number(8)), "goaway 1"},
      {"5.1", "DATA behind the end", with({}) + frame(data_frame, 0, 1, "x"), "goaway 5"},
      {"5.1", "a head behind the end", with({}) + with({}), "goaway 5"},
      {"5.1.1", "an even number", head(2, get_fields()), "goaway 1"},
      {"5.1.1", "a number below the last is of a stream that was closed",
       head(5, get_fields()) + head(3, get_fields()), "ok"},
      {"6.1", "DATA of stream 0", frame(data_frame, 0, 0, "x"), "goaway 1"},
      {"6.1", "padding longer than the frame", open + frame(data_frame, is_padded, 1, "\x09x"),
       "goaway 1"},
      {"6.2", "a head of stream 0", frame(headers_frame, 5, 0, hpack(get_fields())), "goaway 1"},
      {"6.2", "another frame amid a head",
       frame(headers_frame, 1, 1, hpack(get_fields())) + frame(ping_frame, 0, 0, "12345678"),
       "goaway 1"},
      {"6.3", "PRIORITY of 4 bytes", frame(priority_frame, 0, 1, number(0)), "goaway 6"},
      {"6.3", "PRIORITY of stream 0", frame(priority_frame, 0, 0, number(0) + "x"), "goaway 1"},
      {"6.4", "RST_STREAM of 3 bytes", open + frame(reset_frame, 0, 1, "abc"), "goaway 6"},
      {"6.4", "RST_STREAM of stream 0", frame(reset_frame, 0, 0, number(8)), "goaway 1"},
      {"6.5", "SETTINGS of a stream", frame(settings_frame, 0, 1), "goaway 1"},
      {"6.5", "SETTINGS of 5 bytes", frame(settings_frame, 0, 0, "12345"), "goaway 6"},
      {"6.5", "an acknowledgement with content",
       frame(settings_frame, acknowledges, 0, number(1, 2) + number(1)), "goaway 6"},
      {"6.5.2", "ENABLE_PUSH is 2", frame(settings_frame, 0, 0, number(2, 2) + number(2)),
       "goaway 1"},
      {"6.5.2", "a window of 2^31",
       frame(settings_frame, 0, 0, number(4, 2) + "\x80" + std::string(3, '\0')), "goaway 3"},
      {"6.5.2", "a frame size below 16,384",
       frame(settings_frame, 0, 0, number(5, 2) + number(16383)), "goaway 1"},
      {"6.5.2", "a setting nobody knows", frame(settings_frame, 0, 0, number(999, 2) + number(7)),
       "ok"},
      {"6.6", "a client pushes", open + frame(push_frame, 4, 1, number(2) + hpack(get_fields())),
       "goaway 1"},
      {"6.7", "PING of a stream", frame(ping_frame, 0, 1, "12345678"), "goaway 1"},
      {"6.7", "PING of 7 bytes", frame(ping_frame, 0, 0, "1234567"), "goaway 6"},
      {"6.8", "GOAWAY of a stream", frame(goaway_frame, 0, 1, number(0) + number(0)), "goaway 1"},
      {"6.9", "a window opened by nothing", open + frame(window_frame, 0, 1, number(0)),
       "goaway 1"},
      {"6.9", "that of the connection", frame(window_frame, 0, 0, number(0)), "goaway 1"},
      {"6.9", "WINDOW_UPDATE of 3 bytes", frame(window_frame, 0, 0, "abc"), "goaway 6"},
      {"6.9.1", "a window of a stream beyond 2^31-1",
       open + frame(window_frame, 0, 1, number(0x7fffffff)), "reset 3"},
      {"6.9.1", "that of the connection", frame(window_frame, 0, 0, number(0x7fffffff)),
       "goaway 3"},
      {"6.10", "CONTINUATION of nothing", frame(continuation_frame, 4, 1, ""), "goaway 1"},
      {"6.10", "one of another stream",
       frame(headers_frame, 1, 1, hpack(get_fields())) + frame(continuation_frame, 4, 3, ""),
       "goaway 1"},
      {"6.10", "a head in two frames",
       frame(headers_frame, 1, 1, hpack(get_fields()).substr(0, 9)) +
           frame(continuation_frame, 4, 1, hpack(get_fields()).substr(9)),
       "ok"},
  });
}

TEST(Http2Session, takes_messages_as_rfc_9113_8_says) {
  const std::string open = head(1, post_fields(), 0);
  const std::string ten = head(1, post_fields({{"content-length", "10"}}), 0);
  check({
      {"8.1", "a head and trailers", open + head(1, {{"digest", "x"}}), "ok"},
      {"8.1", "trailers that do not end", open + head(1, {{"digest", "x"}}, 0), "reset 1"},
      {"8.1", "a pseudo-field in trailers", open + head(1, {{":path", "/"}}), "reset 1"},
      {"8.1", "a trailer that frames", open + head(1, {{"content-length", "1"}}), "reset 1"},
      {"8.1.1", "a body shorter than told", ten + frame(data_frame, 1, 1, "12345"), "reset 1"},
      {"8.1.1", "a longer one", ten + frame(data_frame, 0, 1, "12345678901"), "reset 1"},
      {"8.1.1", "one as told", ten + frame(data_frame, 1, 1, "1234567890"), "ok"},
      {"8.1.1", "a length without a body", with({{"content-length", "3"}}), "reset 1"},
      {"8.1.1", "two lengths", with({{"content-length", "0"}, {"content-length", "0"}}), "reset 1"},
      {"8.1.1", "a length with a sign", with({{"content-length", "+0"}}), "reset 1"},
      {"8.2.1", "upper case in a name", with({{"X-Tea", "green"}}), "reset 1"},
      {"8.2.1", "a blank in a name", with({{"x tea", "green"}}), "reset 1"},
      {"8.2.1", "a colon in a name", with({{"x:tea", "green"}}), "reset 1"},
      {"8.2.1", "no name", with({{"", "green"}}), "reset 1"},
      {"8.2.1", "a line break in a value", with({{"x", "a\r\nb"}}), "reset 1"},
      {"8.2.1", "NUL in a value", with({{"x", std::string(1, '\0')}}), "reset 1"},
      {"8.2.1", "a blank in front of a value", with({{"x", " a"}}), "reset 1"},
      {"8.2.1", "a blank behind one", with({{"x", "a\t"}}), "reset 1"},
      {"8.2.1", "a control in one", with({{"x", "a\x01"}}), "reset 1"},
      {"8.2.2", "connection", with({{"connection", "close"}}), "reset 1"},
      {"8.2.2", "keep-alive", with({{"keep-alive", "5"}}), "reset 1"},
      {"8.2.2", "proxy-connection", with({{"proxy-connection", "close"}}), "reset 1"},
      {"8.2.2", "transfer-encoding", with({{"transfer-encoding", "chunked"}}), "reset 1"},
      {"8.2.2", "upgrade", with({{"upgrade", "websocket"}}), "reset 1"},
      {"8.2.2", "te that says more", with({{"te", "gzip"}}), "reset 1"},
      {"8.2.2", "te: trailers", with({{"te", "trailers"}}), "ok"},
      {"8.3", "a pseudo-field behind a field",
       head(1, {{":method", "GET"}, {"x", "y"}, {":scheme", "http"}, {":path", "/"}}), "reset 1"},
      {"8.3", "one that nobody knows", with({{":tea", "green"}}), "reset 1"},
      {"8.3", "that of a response", with({{":status", "200"}}), "reset 1"},
      {"8.3", "one twice", with({{":path", "/"}}), "reset 1"},
      {"8.3.1", "no :method", head(1, {{":scheme", "http"}, {":path", "/"}}), "reset 1"},
      {"8.3.1", "no :path", head(1, {{":method", "GET"}, {":scheme", "http"}}), "reset 1"},
      {"8.3.1", "an empty one", head(1, {{":method", "GET"}, {":scheme", "http"}, {":path", ""}}),
       "reset 1"},
      {"8.3.1", "no :scheme", head(1, {{":method", "GET"}, {":path", "/"}}), "reset 1"},
      {"8.3.1", "a :path without /",
       head(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "tea"}}), "reset 1"},
      {"8.3.1", "* for GET", head(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "*"}}),
       "reset 1"},
      {"8.3.1", "* for OPTIONS",
       head(1, {{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}}),
       "ok"},
      {"8.3.1", "a blank in :path",
       head(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/a b"}}), "reset 1"},
      {"8.3.1", "Host and :authority differ", with({{"host", "other.example"}}), "reset 1"},
      {"8.3.1", "they are the same", with({{"host", "shop.example"}}), "ok"},
      {"8.3.1", "a user name in :authority",
       head(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@a"}}),
       "reset 1"},
      {"8.5", "CONNECT", head(1, {{":method", "CONNECT"}, {":authority", "a:1"}}, 0), "ok"},
      {"8.5", "CONNECT with a path",
       head(1, {{":method", "CONNECT"}, {":authority", "a:1"}, {":path", "/"}}, 0), "reset 1"},
      {"8.5", "CONNECT to nowhere", head(1, {{":method", "CONNECT"}}, 0), "reset 1"},
      {"8441", "an extended CONNECT",
       head(1,
            {{":method", "CONNECT"},
             {":protocol", "websocket"},
             {":scheme", "http"},
             {":path", "/"},
             {":authority", "a"}},
            0),
       "ok"},
      {"8441", ":protocol with GET", with({{":protocol", "websocket"}}), "reset 1"},
  });
}

TEST(Http2Session, what_is_no_preface_ends_the_connection) {
  EXPECT_EQ(verdict_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "goaway 1");
  EXPECT_EQ(verdict_of(std::string(preface) + head(1, get_fields())), "goaway 1")
      << "the first frame is SETTINGS (3.4)";
}

TEST(Http2Session, a_head_is_the_same_value_as_over_http_1) {
  Heard heard;
  ASSERT_TRUE(
      heard
          .take(hello() +
                head(1, get_fields({{"cookie", "a=1"}, {"x-tea", "green"}, {"cookie", "b=2"}})))
          .is_ok());
  ASSERT_EQ(heard.requests.size(), 1u);
  const Request& request = heard.requests[0];
  EXPECT_EQ(request.target, "/tea");
  EXPECT_EQ(request.authority(), "shop.example");
  EXPECT_EQ(request.headers.get("Cookie"), "a=1; b=2") << "crumbs are joined (8.2.3)";
  EXPECT_EQ(request.headers.get("X-Tea"), "green");
  EXPECT_EQ(heard.log, "request end ");
  EXPECT_TRUE(heard.lengths[0].is_none());
}

TEST(Http2Session, an_extended_connect_names_its_protocol_in_upgrade) {
  Heard heard;
  (void)heard.take(hello() + head(1,
                                  {{":method", "CONNECT"},
                                   {":protocol", "websocket"},
                                   {":scheme", "http"},
                                   {":path", "/chat?a=b"},
                                   {":authority", "a"}},
                                  0));
  ASSERT_EQ(heard.requests.size(), 1u);
  EXPECT_EQ(heard.requests[0].method, Method::connect);
  EXPECT_EQ(heard.requests[0].headers.get("Upgrade"), "websocket");
  EXPECT_EQ(heard.requests[0].path(), "/chat");
  EXPECT_EQ(heard.requests[0].query(), "a=b");
}

TEST(Http2Session, a_stream_that_is_refused_may_be_sent_again) {
  Heard heard;
  heard.takes = false;
  ASSERT_TRUE(heard.take(hello() + head(1, get_fields())).is_ok());
  EXPECT_EQ(heard.verdict(), "reset 7");
}

TEST(Http2Session, more_streams_than_max_streams_are_refused) {
  for (const std::uint32_t most : {1U, 2U}) {
    Heard heard({.max_streams = most});
    ASSERT_TRUE(heard.take(hello() + frame(settings_frame, acknowledges, 0)).is_ok());
    ASSERT_TRUE(
        heard.take(head(1, get_fields()) + head(3, get_fields()) + head(5, get_fields())).is_ok());
    EXPECT_EQ(heard.requests.size(), most);
  }
}

TEST(Http2Session, upgrade_refuses_settings_that_are_malformed) {
  Heard heard;
  EXPECT_EQ(heard.session().upgrade("12345", false).code(), Code::invalid_argument);
  EXPECT_TRUE(heard.session().upgrade(number(3, 2) + number(7), false).is_ok());
  EXPECT_EQ(heard.session().max_streams_there(), 7u);
}

}  // namespace
}  // namespace parley::http
