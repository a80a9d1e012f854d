// The parser in a servant of net::Server: a connection at rest has no fiber, and whatever a read
// brings, in whatever pieces, is answered in order.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/http/http1_parser.h"
#include "parley/http/http1_writer.h"
#include "parley/http/testing/http1_reading.h"
#include "parley/net/network.h"
#include "parley/net/serve.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using namespace std::chrono_literals;
using Reads = Http1Parser::Reads;

// Answers each request with its target and the size of its body.
class Echo final : public net::Servant {
 public:
  Result<net::Next> on_readable(net::Stream& stream) override {
    std::array<char, 512> buffer{};
    const auto size = stream.try_read(buffer);
    if (!size) return size.error();
    if (!*size) return net::Next::rest;
    if (**size == 0) {
      const Result<bool> ended = parser_.finish();
      return ended ? Result<net::Next>(net::Next::end) : ended.error();
    }
    std::string out;
    const net::Next next = take_all({buffer.data(), **size}, out);
    // All answers of a read leave together.
    if (Status status = stream.write(out); !status.is_ok()) return status;
    if (parser_.is_at_rest()) parser_.let_go();
    return next;
  }

 private:
  net::Next take_all(std::string_view in, std::string& out) {
    for (;;) {
      const Result<Event> event = parser_.next(in);
      if (!event) {
        answer(parser_.answer(), event.error().message(), {.keeps_alive = false}, out);
        return net::Next::end;
      }
      if (*event == Event::more) return net::Next::rest;
      if (*event == Event::head) body_bytes_ = 0;
      if (*event == Event::body) body_bytes_ += parser_.body().size();
      if (*event != Event::end) continue;
      const Request& request = parser_.request();
      answer(200, request.target + " " + std::to_string(body_bytes_),
             {.method = request.method,
              .version = request.version,
              .keeps_alive = parser_.framing().keeps_alive},
             out);
      if (!writer_.keeps_alive()) return net::Next::end;
    }
  }

  void answer(StatusCode status, std::string_view body, const Answered& request, std::string& out) {
    Response response;
    response.status = status;
    EXPECT_TRUE(writer_.begin(response, BodySize::of(body.size()), request, out).is_ok());
    EXPECT_TRUE(writer_.write(body, out).is_ok());
    EXPECT_TRUE(writer_.end(out).is_ok());
  }

  Http1Parser parser_{Reads::requests};
  Http1Writer writer_;
  std::size_t body_bytes_ = 0;
};

// Reads answers until the server closes, or as many as there are requests.
testing::Seen read_answers(net::Stream& stream, std::size_t requests) {
  Http1Parser parser(Reads::responses);
  testing::Seen seen;
  std::array<char, 100> buffer{};
  parser.expect({});
  for (;;) {
    const auto size = stream.read(buffer, rt::Deadline::after(15s));
    if (!size || *size == 0) return seen;
    std::string_view in(buffer.data(), *size);
    for (;;) {
      const Result<Event> event = parser.next(in);
      if (!event) seen.error = event.error();
      if (!event) return seen;
      if (*event == Event::more) break;
      testing::note(parser, *event, seen);
      if (*event == Event::end && seen.messages.size() == requests) return seen;
      if (*event == Event::end) parser.expect({});
    }
  }
}

struct World {
  World() {
    servants.go("server", [this] {
      net::Server server(*listener, [](net::Stream&) { return std::make_unique<Echo>(); });
      (void)server.serve();
    });
  }
  std::unique_ptr<net::Stream> dial() {
    return std::move(*net::SocketNetwork().dial(listener->address(), rt::Deadline::after(15s)));
  }

  std::unique_ptr<net::Listener> listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
  rt::Scope servants{rt::OnExit::cancel};
};

PARLEY_FIBER_TEST(Http1Servant, answers_what_was_sent_together_and_what_comes_in_pieces) {
  World world;
  const auto stream = world.dial();
  const std::string get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string post =
      "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n3e8\r\n" +
      std::string(1000, 'x') + "\r\n0\r\n\r\n";
  ASSERT_TRUE(stream->write(get + post + get).is_ok());
  const testing::Seen together = read_answers(*stream, 3);
  ASSERT_EQ(together.messages.size(), 3u) << together.error;
  EXPECT_EQ(together.messages[0].body, "/a 0");
  EXPECT_EQ(together.messages[1].body, "/b 1005");
  EXPECT_EQ(together.messages[2].body, "/a 0");
  for (const char c : post) ASSERT_TRUE(stream->write({&c, 1}).is_ok());
  EXPECT_EQ(read_answers(*stream, 1).messages.at(0).body, "/b 1005");
}

PARLEY_FIBER_TEST(Http1Servant, answers_what_is_refused_with_its_status_and_closes) {
  World world;
  const auto stream = world.dial();
  ASSERT_TRUE(stream
                  ->write("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
                          "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
                  .is_ok());
  const testing::Seen seen = read_answers(*stream, 3);
  ASSERT_EQ(seen.messages.size(), 2u) << seen.error;
  EXPECT_EQ(seen.messages[0].response.status, 200);
  EXPECT_EQ(seen.messages[1].response.status, 400);
  EXPECT_NE(seen.messages[1].body.find("two Host headers"), std::string::npos);
  EXPECT_FALSE(seen.messages[1].framing.keeps_alive);
}

}  // namespace
}  // namespace parley::http
