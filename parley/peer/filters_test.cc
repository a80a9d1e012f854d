// Calls through transfer filters, with filters that need no library.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/net/network.h"
#include "parley/peer/batch.h"
#include "parley/peer/push.h"
#include "parley/peer/testing/foreign.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/channel.h"
#include "parley/rt/context.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"
#include "parley/wire/parley_framing.h"
#include "parley/wire/raw_framing.h"
#include "parley/wire/testing/toy_filters.h"

namespace parley {
namespace {

using testing::Foreign;
using testing::Pair;
using wire::FilterPipe;
using wire::testing::toy_filters;

using namespace std::chrono_literals;

// Leaves the content as it is, and does what a test wants meanwhile.
class Hooked final : public wire::Filter {
 public:
  using Hook = std::function<void()>;
  Hooked(Hook on_apply, Hook on_undo)
      : on_apply_(std::move(on_apply)), on_undo_(std::move(on_undo)) {}

  [[nodiscard]] char id() const noexcept override { return 'h'; }
  [[nodiscard]] std::string_view name() const noexcept override { return "hooked"; }
  [[nodiscard]] Result<Bytes> apply(Bytes content) const override {
    on_apply_();
    return content;
  }
  [[nodiscard]] Result<Bytes> undo(Bytes content,
                                   const wire::FilterLimit& /*limit*/) const override {
    on_undo_();
    return content;
  }

 private:
  Hook on_apply_;
  Hook on_undo_;
};

// Undone, the content has as many spaces more at its end. Of one fiber when it keeps them.
class Padding final : public wire::Filter {
 public:
  explicit Padding(std::size_t size, std::vector<Bytes>* made = nullptr)
      : size_(size), made_(made) {}

  [[nodiscard]] char id() const noexcept override { return 'p'; }
  [[nodiscard]] std::string_view name() const noexcept override { return "padding"; }
  [[nodiscard]] Result<Bytes> apply(Bytes content) const override { return content; }
  [[nodiscard]] Result<Bytes> undo(Bytes content,
                                   const wire::FilterLimit& /*limit*/) const override {
    Bytes padded = Bytes::from(content.to_string() + std::string(size_, ' '));
    if (made_ != nullptr) made_->push_back(padded);
    return padded;
  }

 private:
  std::size_t size_;
  std::vector<Bytes>* made_;  // what came out so far
};

std::shared_ptr<const wire::Filters> only(std::unique_ptr<const wire::Filter> filter) {
  auto filters = std::make_shared<wire::Filters>();
  filters->add(std::move(filter));
  return filters;
}

// Without giving way, as who computes does. False when it took five seconds.
bool spin_until(const std::atomic<bool>& flag) {
  const Instant until = rt::now() + 5s;
  while (!flag) {
    if (rt::now() > until) return false;
  }
  return true;
}

PeerOptions with(std::shared_ptr<const wire::Filters> filters) {
  return {.filters = std::move(filters)};
}

// The same, spoken in Teleport's raw format.
PeerOptions raw_with(const std::shared_ptr<const wire::Filters>& filters) {
  PeerOptions options = with(filters);
  options.framings = {std::make_shared<wire::RawFraming>(wire::RawLimits{.filters = filters})};
  return options;
}

PeerOptions with_filters() { return with(toy_filters()); }

void serve_texts(Peer& peer) {
  peer.handle("/echo", [](const std::string& text) { return text; });
  peer.handle("/nothing", [](const std::string&) {});
  peer.handle("/fail", [](const std::string&) -> Result<std::string> {
    return Status(Code::not_found, "no such tea");
  });
}

PARLEY_PEER_TEST(PeerFilters, arguments_and_result_go_through_them) {
  for (const PeerOptions& dialled : {with_filters(), raw_with(toy_filters())}) {
    Pair pair(with_filters(), dialled);

    const Session session = pair.dial();
    serve_texts(pair.server);
    for (const std::size_t size : {0U, 3U, 5'000U, 100'000U, 300'000U}) {
      const std::string text(size, 'x');
      const auto echo =
          session.call<std::string>(CallOptions{.filters = FilterPipe("ab")}, "/echo", text);
      ASSERT_TRUE(echo) << echo.error();
      EXPECT_TRUE(*echo == text) << size;
    }
    EXPECT_TRUE(
        session.call<void>(CallOptions{.filters = FilterPipe("a")}, "/nothing", "x").has_value());
    EXPECT_EQ(session.call<std::string>(CallOptions{.filters = FilterPipe("a")}, "/fail", "x")
                  .error()
                  .message(),
              "no such tea");
  }
}

PARLEY_PEER_TEST(PeerFilters, who_was_dialled_calls_through_them_too) {
  Pair pair(with_filters());

  const Session session = pair.dial();
  serve_texts(pair.client);
  serve_texts(pair.server);
  ASSERT_TRUE(session.call<std::string>("/echo", "first"));
  const Session back = pair.server.sessions().front();
  EXPECT_EQ(
      back.call<std::string>(CallOptions{.filters = FilterPipe("ba")}, "/echo", "tea").value(),
      "tea");
}

PARLEY_PEER_TEST(PeerFilters, the_bytes_that_travel_are_those_behind_the_pipe) {
  Pair pair(with_filters(), PeerOptions{});
  serve_texts(pair.server);
  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.seq = 1,
               .method = "/echo",
               .body_codec = wire::BodyCodec::json,
               .is_filtered = true,
               .filters = FilterPipe("ab"),
               .body = Bytes::copy_of("b:a:\"tea\"")});
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const wire::Message reply = foreign.hear();
  EXPECT_TRUE(reply.status.is_ok()) << reply.status;
  EXPECT_EQ(reply.filters, FilterPipe("ab"));
  EXPECT_TRUE(reply.is_filtered);
  EXPECT_EQ(reply.body, "b:a:\"tea\"");
}

PARLEY_PEER_TEST(PeerFilters, one_that_the_caller_lacks_is_told_before_anything_is_sent) {
  for (const PeerOptions& options : {PeerOptions{}, PeerOptions{.framings = testing::raw_only()}}) {
    Pair pair(PeerOptions{}, options);

    const Session session = pair.dial();
    serve_texts(pair.server);
    const auto called =
        session.call<std::string>(CallOptions{.filters = FilterPipe("a")}, "/echo", "tea");
    EXPECT_EQ(called.error().code(), Code::unimplemented);
    EXPECT_NE(called.error().message().find("transfer filter 'a' is not registered; register it on "
                                            "this side, or send without it"),
              std::string::npos)
        << called.error();
    EXPECT_FALSE(called.error().is_remote());
    EXPECT_EQ(session.push({.filters = FilterPipe("a")}, "/echo", "tea").code(),
              Code::unimplemented);
    EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  }
}

PARLEY_PEER_TEST(PeerFilters, one_that_the_callee_lacks_is_an_answer_and_the_session_goes_on) {
  Pair pair(PeerOptions{}, with_filters());

  const Session session = pair.dial();
  serve_texts(pair.server);
  const auto called =
      session.call<std::string>(CallOptions{.filters = FilterPipe("a")}, "/echo", "tea");
  EXPECT_EQ(called.error().code(), Code::unimplemented);
  EXPECT_EQ(called.error().message(),
            "the body cannot be read at the callee; the call was not run: transfer filter 'a' is "
            "not registered; let the sender send without it, or register it on this side");
  EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  EXPECT_TRUE(session.push({.filters = FilterPipe("a")}, "/echo", "tea").is_ok());
  pair.server_log.wait_for("PUSH /echo failed: unimplemented: the body cannot be read");
}

PARLEY_PEER_TEST(PeerFilters, a_damaged_body_costs_its_call_alone) {
  Pair pair(with_filters(), PeerOptions{});
  serve_texts(pair.server);
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  for (const std::size_t size : {1U, 50'000U}) {
    foreign.say({.seq = 1,
                 .method = "/echo",
                 .is_filtered = true,
                 .filters = FilterPipe("a"),
                 .body = Bytes::from(std::string(size, '?'))});
    const wire::Message reply = foreign.hear();
    EXPECT_EQ(reply.status.code(), Code::data_loss);
    EXPECT_NE(reply.status.message().find("transfer filter a:: the name is not in front"),
              std::string::npos)
        << reply.status;
  }
  foreign.say({.seq = 2,
               .method = "/echo",
               .body_codec = wire::BodyCodec::json,
               .body = Bytes::copy_of("\"tea\"")});
  EXPECT_EQ(foreign.hear().body, "\"tea\"");
}

// By hand: what the other side answers to a call through `asked`.
Status error_of_answer(const FilterPipe& asked, const FilterPipe& answered,
                       wire::Metadata* metadata) {
  Pair pair(with_filters(), with_filters());
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const Session session = pair.server.sessions().back();
  Status status;
  rt::Scope scope;
  scope.go("caller", [&] {
    const CallOptions options{.reply_metadata = metadata, .filters = asked};
    status = session.call<std::string>(options, "/ask").error();
  });
  const wire::Message call = foreign.hear();
  wire::Message answer{.seq = call.seq,
                       .type = wire::MessageType::reply,
                       .is_filtered = true,
                       .filters = answered,
                       .body = Bytes::copy_of("a:?")};
  answer.metadata.set("shop", "harbour");
  foreign.say(answer);
  scope.join();
  return status;
}

PARLEY_PEER_TEST(PeerFilters, a_result_that_cannot_be_read_is_the_callers_error) {
  wire::Metadata metadata;
  const Status status = error_of_answer(FilterPipe("b"), FilterPipe("b"), &metadata);
  EXPECT_EQ(status.code(), Code::data_loss);
  EXPECT_NE(status.message().find("cannot be read: transfer filter b:: the name is not in front"),
            std::string::npos)
      << status;
  // What came with it is there all the same.
  EXPECT_EQ(metadata.get("shop"), "harbour");
}

PARLEY_PEER_TEST(PeerFilters, an_answer_is_undone_only_by_what_the_question_went_through) {
  for (const FilterPipe& asked : {FilterPipe(), FilterPipe("b"), FilterPipe("ab")}) {
    const Status status = error_of_answer(asked, FilterPipe("a"), nullptr);
    EXPECT_EQ(status.code(), Code::internal);
    EXPECT_NE(status.message().find("it came through the transfer filters \"a\", which the "
                                    "question did not name"),
              std::string::npos)
        << status;
  }
}

PARLEY_PEER_TEST(PeerFilters, a_body_that_grows_beyond_the_limit_is_not_run) {
  PeerOptions options = with_filters();
  auto filters = std::make_shared<wire::Filters>();
  filters->add(std::make_unique<wire::testing::Repeat>(100'000));
  options.filters = filters;
  options.max_frame_bytes = 99'999;
  Pair pair(options, PeerOptions{});
  serve_texts(pair.server);
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  foreign.say({.seq = 1,
               .method = "/echo",
               .is_filtered = true,
               .filters = FilterPipe("r"),
               .body = Bytes::copy_of("x")});
  const wire::Message reply = foreign.hear();
  EXPECT_EQ(reply.status.code(), Code::resource_exhausted);
  EXPECT_NE(reply.status.message().find("transfer filter repeat: more comes out than "
                                        "max_frame_bytes allows (99999 bytes)"),
            std::string::npos)
      << reply.status;
}

PARLEY_PEER_TEST(PeerFilters, bodies_that_have_grown_count_for_max_handler_bytes) {
  PeerOptions options = with_filters();
  options.max_handler_bytes = 1'500;
  Pair pair(options, PeerOptions{});
  rt::Event may_end;
  pair.server.handle("/wait", [&](const Bytes&) { (void)may_end.wait(); });
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  const auto bomb = [](int seq) {
    return wire::Message{.seq = seq,
                         .method = "/wait",
                         .is_filtered = true,
                         .filters = FilterPipe("r"),
                         .body = Bytes::copy_of("x")};
  };
  foreign.say_at_once({bomb(1), bomb(2)});
  // They are undone at once, so either may be the one that is too much.
  const wire::Message refused = foreign.hear();
  EXPECT_EQ(refused.status.code(), Code::resource_exhausted);
  EXPECT_NE(refused.status.message().find("max_handler_bytes: "), std::string::npos);
  may_end.set();
  EXPECT_EQ(foreign.hear().seq, 3 - refused.seq);
  // What the first held is free again.
  foreign.say(bomb(3));
  const wire::Message last = foreign.hear();
  EXPECT_EQ(last.seq, 3);
  EXPECT_TRUE(last.status.is_ok()) << last.status;
}

PARLEY_PEER_TEST(PeerFilters, messages_of_a_stream_go_through_those_of_its_open) {
  Pair pair(with_filters());
  pair.server.handle_stream("/echo", [](Stream<std::string, std::string>& stream) -> Status {
    for (;;) {
      auto text = stream.receive();
      if (!text) return text.error();
      if (!*text) return {};
      if (Status s = stream.send(**text + "!"); !s.is_ok()) return s;
    }
  });
  const Session session = pair.dial();
  auto echo = session.open<std::string, std::string>({.filters = FilterPipe("ab")}, "/echo");
  ASSERT_TRUE(echo) << echo.error();
  for (const std::string text : {"", "tea", "coffee"}) {
    ASSERT_TRUE(echo->send(text).is_ok());
    EXPECT_EQ(echo->receive().value(), text + "!");
  }
  EXPECT_TRUE(echo->finish().is_ok());
  EXPECT_EQ(echo->receive().value(), std::nullopt);

  Foreign foreign(pair.address);
  foreign.say_hello();
  foreign.say({.seq = 1,
               .type = wire::MessageType::open,
               .method = "/echo",
               .body_codec = wire::BodyCodec::json,
               .filters = FilterPipe("a")});
  foreign.say({.seq = 1,
               .type = wire::MessageType::data,
               .own = true,
               .body = Bytes::copy_of("a:\"tea\"")});
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  for (;;) {
    const wire::Message message = foreign.hear();
    if (message.type == wire::MessageType::credit) continue;
    EXPECT_EQ(message.type, wire::MessageType::data);
    EXPECT_EQ(message.body, "a:\"tea!\"");
    break;
  }
}

PARLEY_PEER_TEST(PeerFilters, a_stream_through_one_that_a_side_lacks_says_so) {
  const auto serve = [](Peer& peer) {
    peer.handle_stream("/first", [](Stream<std::string, std::string>& stream) -> Status {
      auto text = stream.receive();
      return text ? Status() : text.error();
    });
  };
  for (const bool is_known_here : {true, false}) {
    Pair pair(PeerOptions{}, is_known_here ? with_filters() : PeerOptions{});
    serve(pair.server);
    const Session session = pair.dial();
    auto first = session.open<std::string, std::string>({.filters = FilterPipe("a")}, "/first");
    ASSERT_TRUE(first) << first.error();
    const Status sent = first->send("tea");
    EXPECT_EQ(sent.is_ok(), is_known_here) << sent;
    const Status status = is_known_here ? first->receive().error() : sent;
    EXPECT_EQ(status.code(), Code::unimplemented);
    EXPECT_NE(status.message().find("transfer filter 'a' is not registered"), std::string::npos)
        << status;
  }
}

PARLEY_PEER_TEST(PeerFilters, a_message_of_a_stream_grows_to_stream_credit_at_most) {
  for (const std::size_t credit : {70'000U, 200'000U}) {
    PeerOptions options;
    options.filters = only(std::make_unique<Padding>(100'000));
    options.stream_credit = credit;
    Pair pair(options);
    pair.server.handle_stream("/first", [](Stream<std::string, std::string>& stream) -> Status {
      auto text = stream.receive();
      return text ? stream.send(**text) : text.error();
    });
    const Session session = pair.dial();
    auto first = session.open<std::string, std::string>({.filters = FilterPipe("p")}, "/first");
    ASSERT_TRUE(first && first->send("tea").is_ok());
    const auto answer = first->receive();
    EXPECT_EQ(answer.has_value(), credit == 200'000U);
    if (answer) {
      EXPECT_EQ(*answer, "tea");
      continue;
    }
    EXPECT_EQ(answer.error().code(), Code::resource_exhausted);
    EXPECT_NE(answer.error().message().find("more comes out than stream_credit allows (70000 "),
              std::string::npos)
        << answer.error();
  }
}

// How a handler's wait ended.
struct Ending {
  Status status;
};

PARLEY_PEER_TEST(PeerFilters, a_caller_that_gives_up_ends_the_handler_of_a_filtered_call) {
  for (const std::size_t size : {20U, 2'000U}) {
    rt::Event is_waiting;
    rt::Channel<Ending> ended(1);
    Pair pair(with_filters());
    pair.server.handle("/wait", [&](const std::string&) {
      is_waiting.set();
      (void)ended.send(Ending{rt::Event().wait(rt::Deadline::after(10s))});
    });
    const Session session = pair.dial();
    auto [context, cancel] = rt::Context::current().with_cancel();
    rt::Scope scope;
    scope.go("caller", [&context = context, &session, size] {
      const rt::WithContext bound(context);
      const CallOptions options{.filters = FilterPipe("ab")};
      EXPECT_FALSE(session.call(options, "/wait", std::string(size, 'x')));
    });
    (void)is_waiting.wait();
    cancel();
    const Status why = ended.receive()->status;
    EXPECT_EQ(why.code(), Code::cancelled);
    EXPECT_NE(why.message().find("the caller has given up"), std::string::npos) << why;
  }
}

PARLEY_PEER_TEST(PeerFilters, a_call_whose_time_is_over_before_it_could_leave_was_not_sent) {
  const auto slow = only(std::make_unique<Hooked>([] { (void)rt::sleep(20ms); }, [] {}));
  for (const PeerOptions& options : {with(slow), raw_with(slow)}) {
    Pair pair(options);
    serve_texts(pair.server);
    const Session session = pair.dial();
    const CallOptions soon{.timeout = 1ms, .filters = FilterPipe("h")};
    const Status called = session.call<std::string>(soon, "/echo", "tea").error();
    EXPECT_EQ(called.code(), Code::not_sent);
    EXPECT_NE(called.message().find("the time was over when the body had gone through"),
              std::string::npos)
        << called;
    EXPECT_EQ(session.push(soon, "/echo", "tea").code(), Code::not_sent);
    EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  }
}

// Of either side: the session's lock is not held meanwhile.
PARLEY_PEER_TEST(PeerFilters, others_call_while_a_filter_is_at_work) {
  for (const bool is_at_caller : {true, false}) {
    rt::Event entered;
    rt::Event may_end;
    const auto gated = only(std::make_unique<Hooked>(
        [&] {
          entered.set();
          (void)may_end.wait();
        },
        [] {}));
    const auto plain = only(std::make_unique<Hooked>([] {}, [] {}));
    const auto& callers = is_at_caller ? gated : plain;
    const auto& callees = is_at_caller ? plain : gated;
    for (const bool is_raw : {false, true}) {
      entered.reset();
      may_end.reset();
      Pair pair(is_raw ? raw_with(callees) : with(callees),
                is_raw ? raw_with(callers) : with(callers));
      serve_texts(pair.server);
      const Session session = pair.dial();
      rt::Scope scope;
      scope.go("slow", [&] {
        const CallOptions options{.filters = FilterPipe("h")};
        EXPECT_EQ(session.call<std::string>(options, "/echo", "slow").value(), "slow");
      });
      (void)entered.wait();
      EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
      may_end.set();
      scope.join();
    }
  }
}

// A filter that computes without waiting, until what stands behind it has run on another worker.
void undo_beside_others() {
  std::atomic<bool> has_run = false;
  std::atomic<bool> was_beside = false;
  const auto filters =
      only(std::make_unique<Hooked>([] {}, [&] { was_beside = spin_until(has_run); }));
  Pair pair(with(filters), PeerOptions{});
  serve_texts(pair.server);
  pair.server.handle("/run", [&] { has_run = true; });
  Foreign foreign(pair.address);
  foreign.say_hello();
  EXPECT_EQ(foreign.hear().type, wire::MessageType::hello);
  foreign.say_at_once({{.seq = 1,
                        .method = "/echo",
                        .body_codec = wire::BodyCodec::json,
                        .is_filtered = true,
                        .filters = FilterPipe("h"),
                        .body = Bytes::copy_of("\"tea\"")},
                       {.seq = 2, .method = "/run"}});
  EXPECT_EQ(foreign.hear().seq + foreign.hear().seq, 3);
  EXPECT_TRUE(was_beside);
}

TEST(PeerFilters, what_stands_behind_a_body_does_not_wait_until_it_is_undone) {
  rt::testing::run_fiber_test(&undo_beside_others, {.workers = 4});
}

void answer_beside_others() {
  std::atomic<bool> is_at_work = false;
  std::atomic<bool> has_run = false;
  std::atomic<bool> was_beside = false;
  const auto at_callee = only(std::make_unique<Hooked>(
      [&] {
        is_at_work = true;
        was_beside = spin_until(has_run);
      },
      [] {}));
  Pair pair(raw_with(at_callee), raw_with(only(std::make_unique<Hooked>([] {}, [] {}))));
  serve_texts(pair.server);
  pair.server.handle("/run", [&] { has_run = true; });
  const Session session = pair.dial();
  const std::string text(5'000, 'x');
  // Until it is known to be quick: then it is run by who reads.
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(session.call<std::string>("/echo", text));
  rt::Scope scope;
  scope.go("slow", [&] {
    EXPECT_TRUE(session.call<std::string>(CallOptions{.filters = FilterPipe("h")}, "/echo", text));
  });
  while (!is_at_work) rt::yield();
  EXPECT_TRUE(session.call("/run"));
  scope.join();
  EXPECT_TRUE(was_beside);
}

TEST(PeerFilters, what_stands_behind_a_call_does_not_wait_until_its_answer_is_filtered) {
  rt::testing::run_fiber_test(&answer_beside_others, {.workers = 4});
}

// Calls in Teleport's raw format whose bodies grow by 60,000 bytes each, in one write.
struct Growing {
  explicit Growing(PeerOptions options, std::size_t calls) {
    options.max_frame_bytes = 100'000;
    options.filters = filters;
    const wire::RawLimits limits{.max_frame_bytes = 100'000, .filters = filters};
    options.framings = {std::make_shared<wire::RawFraming>(limits)};
    pair.emplace(options, PeerOptions{});
    pair->server.handle("/size", [this](const Bytes& body) {
      if (undone_at_first == 0) {
        undone_at_first = undone.size();
        // All others have let go of it.
        is_last_free = undone.back().first_block()->is_unique();
      }
      EXPECT_EQ(body.size(), 60'001U);
    });
    std::string frames;
    for (std::size_t i = 1; i <= calls; ++i) {
      const wire::Message call{.seq = static_cast<std::int32_t>(i),
                               .method = "/size",
                               .filters = FilterPipe("p"),
                               .body = Bytes::copy_of("x")};
      EXPECT_TRUE(wire::RawEncoder(limits).encode(call, frames).is_ok());
    }
    stream = network.dial(*net::Address::parse(pair->address)).value();
    EXPECT_TRUE(stream->write(frames).is_ok());
    wire::RawDecoder decoder(limits);
    while (statuses.size() < calls) {
      std::array<char, 4096> room{};
      const auto size = stream->read(room, rt::Deadline::after(5s));
      if (!size || *size == 0) break;
      decoder.feed(std::string_view(room.data(), *size));
      while (const auto next = decoder.next().value()) statuses.push_back(next->status);
    }
  }

  std::vector<Bytes> undone;
  std::shared_ptr<const wire::Filters> filters = only(std::make_unique<Padding>(60'000, &undone));
  std::optional<Pair> pair;
  net::TcpNetwork network;
  std::unique_ptr<net::Stream> stream;
  std::size_t undone_at_first = 0;  // when the first handler ran
  bool is_last_free = false;
  std::vector<Status> statuses;
};

void undo_little_at_a_time() {
  const Growing growing({}, 10);
  EXPECT_EQ(growing.statuses, std::vector<Status>(10));
  EXPECT_LE(growing.undone_at_first, 2U);
  EXPECT_EQ(growing.undone.size(), 10U);
}

TEST(PeerFilters, no_more_is_undone_at_a_time_than_a_message_beyond_the_limit) {
  rt::testing::run_fiber_test(&undo_little_at_a_time, {.workers = 1});
}

void refuse_without_bodies() {
  const Growing growing({.max_handlers = 1}, 2);
  ASSERT_EQ(growing.statuses.size(), 2U);
  EXPECT_EQ(growing.statuses[1].code(), Code::resource_exhausted);
  EXPECT_EQ(growing.undone_at_first, 2U);
  EXPECT_TRUE(growing.is_last_free);
}

TEST(PeerFilters, a_call_that_is_not_run_holds_no_body_while_those_before_it_run) {
  rt::testing::run_fiber_test(&refuse_without_bodies, {.workers = 1});
}

// How often a filter was at work.
struct Counting {
  std::atomic<int> applied = 0;
  std::atomic<int> undone = 0;
  std::shared_ptr<const wire::Filters> filters =
      only(std::make_unique<Hooked>([this] { ++applied; }, [this] { ++undone; }));
};

PARLEY_PEER_TEST(PeerFilters, calls_that_nobody_waits_for_one_by_one_go_through_them_too) {
  for (const bool is_raw : {false, true}) {
    Counting at_caller;
    const auto other = only(std::make_unique<Hooked>([] {}, [] {}));
    Pair pair(is_raw ? raw_with(other) : with(other),
              is_raw ? raw_with(at_caller.filters) : with(at_caller.filters));
    serve_texts(pair.server);
    const Session session = pair.dial();
    const CallOptions options{.filters = FilterPipe("h")};
    EXPECT_EQ(session.call_async<std::string>(options, "/echo", "tea").get().value(), "tea");
    EXPECT_EQ(at_caller.applied, 1);
    EXPECT_EQ(at_caller.undone, 1);
    rt::Channel<std::string> told(1);
    const auto tell = [&](const Result<std::string>& text) { (void)told.send(text.value()); };
    EXPECT_TRUE(session.call_then<std::string>(tell, options, "/echo", "two").is_ok());
    EXPECT_EQ(told.receive().value(), "two");
    EXPECT_EQ(at_caller.applied, 2);
    EXPECT_EQ(at_caller.undone, 2);
    Batch<std::string> batch(session);
    for (const std::string text : {"a", "b", "c"}) batch.add("/echo", text);
    const auto texts = batch.call({.filters = FilterPipe("h")});
    ASSERT_EQ(texts.size(), 3U);
    EXPECT_EQ(texts[2].value(), "c");
    EXPECT_EQ(at_caller.applied, 5);
    EXPECT_EQ(at_caller.undone, 5);

    const CallOptions unknown{.filters = FilterPipe("q")};
    EXPECT_EQ(session.call_async<std::string>(unknown, "/echo", "tea").get().error().code(),
              Code::unimplemented);
    EXPECT_EQ(session.call_then<std::string>(tell, unknown, "/echo", "tea").code(),
              Code::unimplemented);
    batch.add("/echo", "tea");
    EXPECT_EQ(batch.call({.filters = FilterPipe("q")}).front().error().code(), Code::unimplemented);
    EXPECT_EQ(session.call<std::string>("/echo", "tea").value(), "tea");
  }
}

PARLEY_PEER_TEST(PeerFilters, a_push_to_many_goes_through_them_once_where_that_is_possible) {
  for (const bool is_raw : {false, true}) {
    std::atomic<int> heard = 0;
    Counting at_sender;
    Counting at_receiver;
    Pair pair(is_raw ? raw_with(at_sender.filters) : with(at_sender.filters),
              is_raw ? raw_with(at_receiver.filters) : with(at_receiver.filters));
    pair.client.handle("/news", [&](const std::string& text) { heard += text == "tea" ? 1 : 0; });
    pair.server.handle("/ready", [] {});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pair.dial().call("/ready"));
    const PushOptions options{.filters = FilterPipe("h")};
    EXPECT_EQ(pair.server.push_all(options, "/news", "tea").value(), Pushed{.sent = 3});
    while (heard < 3) rt::yield();
    EXPECT_EQ(at_sender.applied, is_raw ? 3 : 1);
    EXPECT_EQ(at_receiver.undone, 3);
    const PushOptions unknown{.filters = FilterPipe("q")};
    EXPECT_EQ(pair.server.push_all(unknown, "/news", "tea").value(), Pushed{.failed = 3});
    EXPECT_EQ(pair.server.push_all({}, "/news", "tea").value(), Pushed{.sent = 3});
    while (heard < 6) rt::yield();
    EXPECT_EQ(at_receiver.undone, 3);
  }
}

}  // namespace
}  // namespace parley
