#include "parley/http/http1_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/testing/http1_reading.h"

namespace parley::http {
namespace {

using testing::Seen;
using Reads = Http1Parser::Reads;

Request post(std::string target = "/order") {
  Request request;
  request.method = Method::post;
  request.target = std::move(target);
  EXPECT_TRUE(request.headers.add("Host", "shop.example").is_ok());
  return request;
}

Response answer(StatusCode status = 200) {
  Response response;
  response.status = status;
  EXPECT_TRUE(response.headers.add("Age", "7").is_ok());
  return response;
}

// Head, the pieces and the end; empty, with a failed expectation, when the writer refuses it.
std::string written(const Response& response, BodySize size, const std::vector<std::string>& pieces,
                    const Answered& request = {}) {
  Http1Writer writer;
  std::string out;
  EXPECT_TRUE(writer.begin(response, size, request, out).is_ok());
  for (const std::string& piece : pieces) EXPECT_TRUE(writer.write(piece, out).is_ok());
  EXPECT_TRUE(writer.done() || writer.end(out).is_ok());
  return out;
}

Code refused(const Response& response, BodySize size = BodySize::none(),
             const Answered& request = {}) {
  Http1Writer writer;
  std::string out = "before";
  const Status status = writer.begin(response, size, request, out);
  EXPECT_EQ(out, "before");
  EXPECT_TRUE(writer.done());
  return status.code();
}

Code refused(const Request& request, BodySize size = BodySize::none()) {
  Http1Writer writer;
  std::string out = "before";
  const Status status = writer.begin(request, size, out);
  EXPECT_EQ(out, "before");
  EXPECT_TRUE(writer.done());
  return status.code();
}

TEST(Http1Writer, writes_a_request_with_a_length) {
  Http1Writer writer;
  std::string out;
  ASSERT_TRUE(writer.begin(post(), BodySize::of(5), out).is_ok());
  EXPECT_FALSE(writer.done());
  EXPECT_TRUE(writer.write("hel", out).is_ok());
  EXPECT_TRUE(writer.write("lo", out).is_ok());
  EXPECT_TRUE(writer.end(out).is_ok());
  EXPECT_EQ(out, "POST /order HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(writer.done() && writer.keeps_alive());
}

TEST(Http1Writer, writes_a_request_in_chunks_with_trailers) {
  Http1Writer writer;
  std::string out;
  ASSERT_TRUE(writer.begin(post(), BodySize::unknown(), out).is_ok());
  EXPECT_TRUE(writer.write("hello, my world!", out).is_ok());
  EXPECT_TRUE(writer.write("", out).is_ok()) << "an empty piece would be the end";
  ASSERT_TRUE(writer.begin_piece(2, out).is_ok());
  out += "ab";
  writer.end_piece(out);
  Headers trailers;
  ASSERT_TRUE(trailers.add("Digest", "x").is_ok());
  EXPECT_TRUE(writer.end(trailers, out).is_ok());
  EXPECT_EQ(out,
            "POST /order HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n"
            "10\r\nhello, my world!\r\n2\r\nab\r\n0\r\nDigest: x\r\n\r\n");
}

TEST(Http1Writer, tells_a_length_where_one_is_expected) {
  const auto head_of = [](Method method) {
    Request request = post("/");
    request.method = method;
    std::string out;
    Http1Writer writer;
    EXPECT_TRUE(writer.begin(request, BodySize::none(), out).is_ok());
    return out;
  };
  EXPECT_EQ(head_of(Method::get), "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  EXPECT_EQ(head_of(Method::put),
            "PUT / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http1Writer, frames_an_answer_by_what_is_known) {
  EXPECT_EQ(written(answer(), BodySize::of(2), {"hi"}),
            "HTTP/1.1 200 OK\r\nAge: 7\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(written(answer(404), BodySize::none(), {}),
            "HTTP/1.1 404 Not Found\r\nAge: 7\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written(answer(), BodySize::unknown(), {"hi"}),
            "HTTP/1.1 200 OK\r\nAge: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  EXPECT_EQ(written(answer(), BodySize::unknown(), {"hi"},
                    {.version = Version::http_1_0, .keeps_alive = true}),
            "HTTP/1.1 200 OK\r\nAge: 7\r\nConnection: close\r\n\r\nhi");
}

TEST(Http1Writer, gives_no_body_where_there_is_none) {
  const Answered head{.method = Method::head};
  EXPECT_EQ(written(answer(), BodySize::of(2), {"hi"}, head),
            "HTTP/1.1 200 OK\r\nAge: 7\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(written(answer(), BodySize::unknown(), {"hi"}, head),
            "HTTP/1.1 200 OK\r\nAge: 7\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(written(answer(304), BodySize::of(2), {}),
            "HTTP/1.1 304 Not Modified\r\nAge: 7\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(written(answer(204), BodySize::none(), {}),
            "HTTP/1.1 204 No Content\r\nAge: 7\r\n\r\n");
  EXPECT_EQ(written(answer(205), BodySize::none(), {}),
            "HTTP/1.1 205 Reset Content\r\nAge: 7\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written(answer(200), BodySize::none(), {}, {.method = Method::connect}),
            "HTTP/1.1 200 OK\r\nAge: 7\r\n\r\n");
  EXPECT_EQ(refused(answer(204), BodySize::of(1)), Code::invalid_argument);
  EXPECT_EQ(refused(answer(205), BodySize::of(1)), Code::invalid_argument);
  EXPECT_EQ(refused(answer(100), BodySize::unknown()), Code::invalid_argument);
  EXPECT_EQ(refused(answer(200), BodySize::of(1), {.method = Method::connect}),
            Code::invalid_argument);
}

TEST(Http1Writer, says_what_becomes_of_the_connection) {
  const auto connection = [](const Response& response, const Answered& request) {
    const std::string out = written(response, BodySize::none(), {}, request);
    Http1Parser parser(Reads::responses);
    const Seen seen = testing::read(parser, out, {}, {{}});
    return std::pair(
        std::string(seen.messages.at(0).response.headers.get("Connection").value_or("")),
        seen.messages.at(0).framing.keeps_alive);
  };
  using Said = std::pair<std::string, bool>;
  EXPECT_EQ(connection(answer(), {}), Said("", true));
  EXPECT_EQ(connection(answer(), {.keeps_alive = false}), Said("close", false));
  EXPECT_EQ(connection(answer(), {.version = Version::http_1_0, .keeps_alive = true}),
            Said("keep-alive", true));
  Response closing = answer();
  ASSERT_TRUE(closing.headers.add("Connection", "close").is_ok());
  EXPECT_EQ(connection(closing, {}), Said("close", false));
  std::string out;
  Http1Writer writer;
  ASSERT_TRUE(writer.begin(closing, BodySize::none(), {}, out).is_ok());
  EXPECT_FALSE(writer.keeps_alive());
}

TEST(Http1Writer, writes_answers_before_the_answer) {
  Http1Writer writer;
  std::string out;
  ASSERT_TRUE(writer.begin(Response{.status = 100}, BodySize::none(), {}, out).is_ok());
  EXPECT_TRUE(writer.done());
  ASSERT_TRUE(writer.begin(answer(), BodySize::none(), {}, out).is_ok());
  EXPECT_EQ(out,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nAge: 7\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused(Response{.status = 100}, BodySize::none(), {.version = Version::http_1_0}),
            Code::invalid_argument);
}

TEST(Http1Writer, switches_only_where_it_was_asked_to) {
  Response switching{.status = 101};
  ASSERT_TRUE(switching.headers.add("Connection", "upgrade").is_ok());
  ASSERT_TRUE(switching.headers.add("Upgrade", "websocket").is_ok());
  EXPECT_EQ(refused(switching), Code::invalid_argument);
  EXPECT_EQ(
      written(switching, BodySize::none(), {}, {.asked_to_switch = true}),
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST(Http1Writer, lets_no_text_end_a_line) {
  for (const std::string_view evil : {"a\r\nX: b", "a\nb", "a\rb", "a\x01"}) {
    Response response = answer();
    response.reason = evil;
    EXPECT_EQ(refused(response), Code::invalid_argument);
    Request request = post("/" + std::string(evil));
    EXPECT_EQ(refused(request), Code::invalid_argument);
    request = post();
    request.method = Method::other;
    request.other_method = evil;
    EXPECT_EQ(refused(request), Code::invalid_argument);
    Headers trailers;
    EXPECT_FALSE(trailers.add("X", evil).is_ok());
  }
  EXPECT_EQ(refused(post("/ HTTP/1.1")), Code::invalid_argument);
  EXPECT_EQ(refused(post("")), Code::invalid_argument);
}

TEST(Http1Writer, refuses_what_its_reader_would) {
  Request request = post();
  ASSERT_TRUE(request.headers.add("Host", "b").is_ok());
  EXPECT_EQ(refused(request), Code::invalid_argument) << "two Hosts";
  request.headers.clear();
  EXPECT_EQ(refused(request), Code::invalid_argument) << "no Host";
  request.version = Version::http_1_0;
  EXPECT_EQ(refused(request, BodySize::unknown()), Code::invalid_argument) << "no chunks in 1.0";
  for (const std::string_view name : {"Content-Length", "transfer-encoding"}) {
    request = post();
    ASSERT_TRUE(request.headers.add(name, "5").is_ok());
    EXPECT_EQ(refused(request), Code::invalid_argument) << name;
    Response response = answer();
    ASSERT_TRUE(response.headers.add(name, "5").is_ok());
    EXPECT_EQ(refused(response), Code::invalid_argument) << name;
  }
  request = post();
  request.method = Method::trace;
  EXPECT_EQ(refused(request, BodySize::of(1)), Code::invalid_argument);
  EXPECT_EQ(refused(answer(99)), Code::invalid_argument);
  EXPECT_EQ(refused(answer(1000)), Code::invalid_argument);
}

TEST(Http1Writer, keeps_to_the_size_that_was_given) {
  Http1Writer writer;
  std::string out;
  ASSERT_TRUE(writer.begin(answer(), BodySize::of(3), {}, out).is_ok());
  const std::string before = out;
  EXPECT_EQ(writer.write("four", out).code(), Code::invalid_argument);
  EXPECT_EQ(out, before);
  EXPECT_TRUE(writer.write("ab", out).is_ok());
  EXPECT_EQ(writer.end(out).code(), Code::failed_precondition);
  EXPECT_FALSE(writer.keeps_alive()) << "its reader waits for a byte that will not come";
  EXPECT_TRUE(writer.done());
}

TEST(Http1Writer, takes_trailers_only_behind_chunks_and_none_that_frame) {
  Headers trailers;
  ASSERT_TRUE(trailers.add("Digest", "x").is_ok());
  Http1Writer writer;
  std::string out;
  ASSERT_TRUE(writer.begin(answer(), BodySize::of(0), {}, out).is_ok());
  EXPECT_EQ(writer.end(trailers, out).code(), Code::invalid_argument);
  EXPECT_TRUE(writer.end(out).is_ok());
  ASSERT_TRUE(trailers.add("Content-Length", "5").is_ok());
  ASSERT_TRUE(writer.begin(answer(), BodySize::unknown(), {}, out).is_ok());
  EXPECT_EQ(writer.end(trailers, out).code(), Code::invalid_argument);
  EXPECT_TRUE(writer.end(out).is_ok());
}

TEST(Http1Writer, writes_what_the_parser_reads_again) {
  for (const BodySize size : {BodySize::of(5), BodySize::unknown()}) {
    for (const bool is_one_piece : {true, false}) {
      Http1Writer writer;
      std::string out;
      ASSERT_TRUE(writer.begin(post(), size, out).is_ok());
      for (const char c : std::string_view(is_one_piece ? "" : "hello")) {
        ASSERT_TRUE(writer.write({&c, 1}, out).is_ok());
      }
      if (is_one_piece) {
        ASSERT_TRUE(writer.write("hello", out).is_ok());
      }
      ASSERT_TRUE(writer.end(out).is_ok());
      Http1Parser parser(Reads::requests);
      const Seen seen = testing::read(parser, out, testing::bytewise());
      ASSERT_EQ(seen.messages.size(), 1u) << seen.error;
      EXPECT_EQ(seen.messages[0].body, "hello");
      EXPECT_EQ(seen.messages[0].request.target, "/order");
      EXPECT_TRUE(seen.is_at_rest);
    }
  }
}

}  // namespace
}  // namespace parley::http
