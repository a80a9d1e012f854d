// The table of request smuggling (testing/smuggling_cases.h) against the whole server: each case on
// a connection of its own, on one that was kept, and in the middle of others. What is refused gets
// its status, and nothing behind it is served; what is taken is served once, with its body.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/http/server.h"
#include "parley/http/testing/http1_reading.h"
#include "parley/http/testing/smuggling_cases.h"
#include "parley/net/in_process_network.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using testing::smuggling::Case;
using testing::smuggling::each_case;
using testing::smuggling::good;
using testing::smuggling::ok;

const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class World {
 public:
  explicit World(Versions versions)
      : server_(*listener_, [this](ServerExchange& exchange) { return serve(exchange); },
                {.versions = versions}) {
    scope_.go("server", [this] { (void)server_.serve(); });
  }
  std::unique_ptr<net::Stream> dial() { return std::move(*network_.dial(address_)); }
  // What was served whole since this was asked last: "target body".
  std::vector<std::string> served() { return std::exchange(served_, {}); }

 private:
  Status serve(ServerExchange& exchange) {
    const auto body = exchange.read_all();
    if (!body) return body.error();
    served_.push_back(exchange.request().target + " " + *body);
    return exchange.answer(200, exchange.request().target);
  }

  const net::Address address_ = *net::Address::parse("inproc:shop");
  net::InProcessNetwork network_;
  const std::unique_ptr<net::Listener> listener_ = std::move(*network_.listen(address_));
  std::vector<std::string> served_;
  Server server_;
  rt::Scope scope_{rt::OnExit::cancel};
};

// All that comes until the server closes, or until it `ends` so.
std::string read(net::Stream& stream, std::string_view ends = {}) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (ends.empty() || !all.ends_with(ends)) {
    const auto size = stream.read(buffer);
    if (!size || *size == 0) break;
    all.append(buffer.data(), *size);
  }
  return all;
}

// The status codes of the answers in `bytes`.
std::vector<int> answers_in(std::string_view bytes) {
  Http1Parser parser(Http1Parser::Reads::responses);
  const testing::Seen seen = testing::read(parser, bytes, {}, std::vector<Expected>(9));
  EXPECT_TRUE(seen.error.is_ok()) << seen.error << bytes;
  std::vector<int> codes;
  for (const testing::SeenMessage& message : seen.messages) {
    EXPECT_TRUE(message.is_whole) << bytes;
    codes.push_back(message.response.status);
  }
  return codes;
}

// Of a request that is accepted: what it asks for, and whether others may follow it.
testing::SeenMessage head_of(std::string_view bytes) {
  Http1Parser parser(Http1Parser::Reads::requests);
  testing::Seen seen = testing::read(parser, bytes);
  return seen.messages.empty() ? testing::SeenMessage{} : std::move(seen.messages.front());
}

// What a case comes to: the answer to it, and what was served of it.
std::vector<int> verdict(const Case& what) { return {what.answer == ok ? 200 : what.answer}; }
std::vector<std::string> service(const Case& what, std::string_view bytes) {
  if (what.answer != ok) return {};
  return {head_of(bytes).request.target + " " + std::string(what.body)};
}

std::string without_rest(const Case& what, std::string_view bytes) {
  return std::string(bytes.substr(0, bytes.size() - what.rest.size()));
}

void each_case_alone(Versions versions) {
  World world(versions);
  int cases = 0;
  each_case([&](const Case& what, std::string_view bytes) {
    if (bytes == preface && versions == Versions::all) return;  // there it is no request
    SCOPED_TRACE(what.name);
    const auto stream = world.dial();
    ASSERT_TRUE(stream->write(bytes).is_ok());
    ASSERT_TRUE(stream->close_write().is_ok());
    EXPECT_EQ(answers_in(read(*stream)), verdict(what));
    EXPECT_EQ(world.served(), service(what, bytes));
    ++cases;
  });
  EXPECT_GT(cases, 140);
}

PARLEY_FIBER_TEST(Http1SmugglingServer, every_case_alone_gets_its_answer_and_is_served_or_not) {
  each_case_alone(Versions::http_1);
  each_case_alone(Versions::all);
}

PARLEY_FIBER_TEST(Http1SmugglingServer, every_case_behind_a_good_request_on_a_kept_connection) {
  World world(Versions::all);
  each_case([&](const Case& what, std::string_view bytes) {
    SCOPED_TRACE(what.name);
    const auto stream = world.dial();
    ASSERT_TRUE(stream->write(good).is_ok());
    EXPECT_EQ(answers_in(read(*stream, "\r\n\r\n/good")), std::vector<int>{200});
    EXPECT_EQ(world.served(), std::vector<std::string>{"/good "});
    ASSERT_TRUE(stream->write(bytes).is_ok());
    ASSERT_TRUE(stream->close_write().is_ok());
    EXPECT_EQ(answers_in(read(*stream)), verdict(what));
    EXPECT_EQ(world.served(), service(what, bytes));
  });
}

// In one piece, or as the network may cut it.
void each_case_between_others(std::size_t piece) {
  World world(Versions::all);
  each_case([&](const Case& what, std::string_view bytes) {
    SCOPED_TRACE(what.name);
    const std::string request = without_rest(what, bytes);
    const std::string stream_of = std::string(good) + request + std::string(good);
    const auto stream = world.dial();
    for (std::string_view left = stream_of; !left.empty();) {
      const std::size_t size = std::min(piece, left.size());
      // It may have closed already.
      if (!stream->write(left.substr(0, size)).is_ok()) break;
      left.remove_prefix(size);
    }
    (void)stream->close_write();
    std::vector<int> answers{200, verdict(what).front()};
    std::vector<std::string> served{"/good "};
    for (std::string& one : service(what, request)) served.push_back(std::move(one));
    if (what.answer == ok && head_of(request).framing.keeps_alive) {
      answers.push_back(200);
      served.emplace_back("/good ");
    }
    EXPECT_EQ(answers_in(read(*stream)), answers);
    EXPECT_EQ(world.served(), served);
  });
}

PARLEY_FIBER_TEST(Http1SmugglingServer, every_case_between_two_good_requests_at_once) {
  each_case_between_others(100'000);
}

PARLEY_FIBER_TEST(Http1SmugglingServer, every_case_between_two_good_requests_piece_by_piece) {
  each_case_between_others(13);
}

}  // namespace
}  // namespace parley::http
