#include "parley/peer/plugins/trace.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "parley/peer/batch.h"
#include "parley/peer/plugin_steps.h"
#include "parley/peer/plugins/access_log.h"
#include "parley/peer/testing/pair.h"
#include "parley/rt/context.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/virtual_time.h"
#include "parley/rt/time.h"

namespace parley {
namespace {

using namespace std::chrono_literals;
using observe::TraceContext;
using testing::Pair;

// A span that was exported.
struct Seen {
  TraceContext context{};
  std::uint64_t parent = 0;
  std::string what{};  // "server /add", "client stream /s"
  Code code = Code::ok;
  WallTime start{};
  Duration took{0};
};

class Spans final : public SpanExporter {
 public:
  void take(const Span& span) override {
    const std::string stream = span.is_stream ? " stream " : " ";
    const std::lock_guard lock(lock_);
    all_.push_back({.context = span.context,
                    .parent = span.parent,
                    .what = std::string(name_of(span.kind)) + stream + std::string(span.method),
                    .code = span.status.code(),
                    .start = span.start,
                    .took = span.took});
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(lock_);
    return all_.size();
  }
  // The one span of that kind and method, once it is there.
  [[nodiscard]] Seen wait_for(const std::string& what) const {
    for (;; rt::yield()) {
      const std::lock_guard lock(lock_);
      const auto found = std::ranges::find(all_, what, &Seen::what);
      if (found != all_.end()) return *found;
    }
  }

 private:
  mutable rt::Mutex lock_;
  std::vector<Seen> all_;
};

// Two peers whose spans go to one place.
struct Traced {
  explicit Traced(TraceOptions server_options = {}, TraceOptions client_options = {})
      : pair(with(std::move(server_options)), with(std::move(client_options))) {}

  PeerOptions with(TraceOptions options) const {
    options.exporter = spans;
    return {.plugins = {trace(std::move(options))}};
  }

  std::shared_ptr<Spans> spans = std::make_shared<Spans>();
  Pair pair;
};

void expect_child(const Seen& child, const Seen& parent) {
  EXPECT_EQ(child.context.trace, parent.context.trace) << child.what;
  EXPECT_EQ(child.parent, parent.context.span) << child.what;
  EXPECT_NE(child.context.span, parent.context.span) << child.what;
}

// --- Who belongs to whom

PARLEY_PEER_TEST(Trace, a_call_that_a_handler_makes_goes_on_with_its_trace) {
  Traced all;
  all.pair.client.handle("/back", [](int n) { return n + 1; });
  all.pair.server.handle("/there", [](Context& context, int n) -> Result<int> {
    return context.session().call<int>("/back", n);
  });
  EXPECT_EQ(all.pair.dial().call<int>("/there", 1).value(), 2);
  const Seen root = all.spans->wait_for("client /there");
  EXPECT_EQ(root.parent, 0U);
  const Seen served = all.spans->wait_for("server /there");
  expect_child(served, root);
  const Seen made = all.spans->wait_for("client /back");
  expect_child(made, served);
  expect_child(all.spans->wait_for("server /back"), made);
}

PARLEY_PEER_TEST(Trace, whatever_way_a_handler_calls_in_it_is_one_trace) {
  Traced all;
  for (const char* method : {"/async", "/then", "/batch", "/fiber", "/push", "/many"}) {
    all.pair.client.handle(method, [] {});
  }
  all.pair.client.handle_stream("/stream", [](Stream<int, int>&) { return Status(); });
  all.pair.server.handle("/all", [](Context& context) -> Status {
    const Session& session = context.session();
    auto handle = session.call_async("/async");
    if (Status s = session.call_then([](const Result<void>&) {}, "/then"); !s.is_ok()) return s;
    Batch<void> batch(session);
    batch.add("/batch");
    batch.add("/batch");
    for (const auto& result : batch.call()) {
      if (!result) return result.error();
    }
    {
      rt::Scope scope;
      scope.go("caller", [&] { EXPECT_TRUE(session.call("/fiber")); });
    }
    if (Status s = session.push("/push"); !s.is_ok()) return s;
    const std::vector<Session> to = {session};
    EXPECT_EQ(push_to(to, {}, "/many")->sent, 1U);
    auto stream = session.open<int, int>("/stream");
    if (!stream) return stream.error();
    if (auto end = stream->receive(); !end) return end.error();
    return handle.get().error();
  });
  EXPECT_TRUE(all.pair.dial().call("/all"));
  const Seen served = all.spans->wait_for("server /all");
  for (const std::string method : {"/async", "/then", "/batch", "/fiber"}) {
    const Seen made = all.spans->wait_for("client " + method);
    expect_child(made, served);
    EXPECT_EQ(all.spans->wait_for("server " + method).context.trace, served.context.trace);
  }
  for (const std::string method : {"/push", "/many"}) {
    const Seen made = all.spans->wait_for("producer " + method);
    expect_child(made, served);
    expect_child(all.spans->wait_for("consumer " + method), made);
  }
  const Seen opened = all.spans->wait_for("client stream /stream");
  expect_child(opened, served);
  expect_child(all.spans->wait_for("server stream /stream"), opened);
}

PARLEY_PEER_TEST(Trace, calls_that_have_nothing_to_do_with_each_other_have_traces_of_their_own) {
  Traced all;
  all.pair.server.handle("/a", [] {});
  all.pair.server.handle("/b", [] {});
  const Session session = all.pair.dial();
  EXPECT_TRUE(session.call("/a"));
  EXPECT_TRUE(session.call("/b"));
  EXPECT_NE(all.spans->wait_for("client /a").context.trace,
            all.spans->wait_for("client /b").context.trace);
  EXPECT_EQ(rt::Context::current().value<TraceContext>(), nullptr);
}

// --- What comes from elsewhere

constexpr const char* sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr const char* unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

// What the handler of a peer finds itself in when it is called with this metadata by a peer without
// traces.
TraceContext served_with(const wire::Metadata& metadata, TraceOptions options,
                         std::size_t* exported = nullptr) {
  const auto spans = std::make_shared<Spans>();
  options.exporter = spans;
  Pair pair({.plugins = {trace(std::move(options))}}, {});
  TraceContext found;
  pair.server.handle("/x", [&] {
    if (const auto* here = rt::Context::current().value<TraceContext>()) found = *here;
  });
  EXPECT_TRUE(pair.dial().call({.metadata = metadata}, "/x"));
  if (exported != nullptr) *exported = spans->size();
  return found;
}

PARLEY_PEER_TEST(Trace, goes_on_with_what_a_caller_says_if_that_is_right_and_it_is_trusted) {
  const wire::Metadata said{{"traceparent", sampled}, {"tracestate", "a=1"}, {"tracestate", "b=2"}};
  const TraceContext parent = *TraceContext::parse(sampled, "a=1,b=2");
  const TraceContext trusted = served_with(said, {});
  EXPECT_EQ(trusted.trace, parent.trace);
  EXPECT_EQ(trusted.state, "a=1,b=2");
  EXPECT_NE(trusted.span, parent.span);
  const TraceContext alone = served_with(said, {.trusts_callers = false});
  EXPECT_TRUE(alone.is_valid());
  EXPECT_NE(alone.trace, parent.trace);
  EXPECT_EQ(alone.state, "");
  for (const wire::Metadata& wrong :
       {wire::Metadata{{"traceparent", std::string(sampled) + "0"}},
        wire::Metadata{{"traceparent", sampled}, {"traceparent", sampled}},
        wire::Metadata{{"traceparent", ""}}, wire::Metadata{{"tracestate", "a=1"}}}) {
    const TraceContext fresh = served_with(wrong, {});
    EXPECT_TRUE(fresh.is_valid());
    EXPECT_NE(fresh.trace, parent.trace);
    EXPECT_EQ(fresh.state, "");
  }
}

PARLEY_PEER_TEST(Trace, is_sampled_as_its_parent_was_or_by_the_ratio) {
  struct Row {
    const char* said;
    double ratio;
    bool follows_parent;
    bool is_sampled;
  };
  for (const Row& row : std::vector<Row>{{sampled, 0, true, true},
                                         {unsampled, 1, true, false},
                                         {sampled, 0, false, false},
                                         {unsampled, 1, false, true},
                                         {"", 0, true, false},
                                         {"", 1, true, true}}) {
    std::size_t exported = 0;
    const TraceContext here =
        served_with({{"traceparent", row.said}},
                    {.ratio = row.ratio, .follows_parent = row.follows_parent}, &exported);
    EXPECT_TRUE(here.is_valid());
    EXPECT_EQ(here.is_sampled, row.is_sampled) << row.said << row.ratio << row.follows_parent;
    // The span ends after the answer was written.
    if (!row.is_sampled) {
      EXPECT_EQ(exported, 0U);
    }
  }
}

PARLEY_PEER_TEST(Trace, a_ratio_samples_about_as_many_and_all_spans_of_a_trace_or_none) {
  for (const double ratio : {0.1, 0.5}) {
    Traced all({.ratio = ratio, .follows_parent = false}, {.ratio = ratio});
    all.pair.server.handle("/x", [] {});
    const Session session = all.pair.dial();
    constexpr int calls = 400;
    for (int i = 0; i < calls; ++i) EXPECT_TRUE(session.call("/x"));
    all.pair.client.close();
    all.pair.server.close();
    // Both sides decide by the id, and alike.
    EXPECT_EQ(all.spans->size() % 2, 0U);
    EXPECT_NEAR(static_cast<double>(all.spans->size()) / 2, calls * ratio, 60);
  }
}

PARLEY_PEER_TEST(Trace, without_an_exporter_traces_are_passed_on) {
  const auto spans = std::make_shared<Spans>();
  Pair pair({.plugins = {trace({.exporter = spans})}}, {.plugins = {trace()}});
  pair.server.handle("/x", [] {});
  EXPECT_TRUE(pair.dial().call({.metadata = {{"traceparent", sampled}}}, "/x"));
  const Seen served = spans->wait_for("server /x");
  EXPECT_EQ(served.context.trace, TraceContext::parse(sampled)->trace);
  EXPECT_NE(served.parent, TraceContext::parse(sampled)->span);  // it is that of the call
}

PARLEY_PEER_TEST(Trace, a_ratio_that_is_none_is_refused) {
  for (const double ratio : {-0.1, 1.1}) {
    Peer peer({.plugins = {trace({.ratio = ratio})}});
    EXPECT_EQ(peer.listen("tcp://127.0.0.1:0").error().code(), Code::invalid_argument);
  }
}

// --- What a span says

TEST(Trace, a_span_says_when_it_began_how_long_it_took_and_how_it_went) {
  rt::testing::in_virtual_time(
      [] {
        ManualClock calendar;
        calendar.advance(1000h);
        Traced all({.clock = &calendar}, {});
        all.pair.server.handle("/slow", []() -> Status {
          EXPECT_TRUE(rt::sleep(2s).is_ok());
          return {Code::aborted, "no luck"};
        });
        EXPECT_FALSE(all.pair.dial().call("/slow"));
        const Seen served = all.spans->wait_for("server /slow");
        EXPECT_EQ(served.code, Code::aborted);
        EXPECT_GE(served.took, 2s);
        EXPECT_LE(served.took, 3s);
        EXPECT_EQ(served.start, calendar.wall());
        const Seen made = all.spans->wait_for("client /slow");
        EXPECT_EQ(made.code, Code::aborted);
        EXPECT_GT(made.start, calendar.wall());  // today, by the machine's
      },
      10ms);
}

PARLEY_PEER_TEST(Trace, an_access_log_shows_it_wherever_it_stands) {
  for (const bool is_first : {true, false}) {
    testing::Log log;
    const AccessLogOptions logging{.sink = [&](const AccessLine& line) { log.add(line.text); }};
    const auto spans = std::make_shared<Spans>();
    std::vector<Plugin> plugins = {trace({.exporter = spans}), access_log(logging)};
    if (!is_first) std::swap(plugins[0], plugins[1]);
    Pair pair({.plugins = plugins}, {.plugins = plugins});
    pair.server.handle("/x", [] {});
    EXPECT_TRUE(pair.dial().call("/x"));
    const std::string id = spans->wait_for("client /x").context.trace.to_string();
    log.wait_for("CALL<- ");
    log.wait_for("CALL-> ");
    const std::string text = log.text();
    const auto first = text.find("\"/x\" trace:" + id + " ");
    ASSERT_NE(first, std::string::npos) << text;
    EXPECT_NE(text.find("\"/x\" trace:" + id + " ", first + 1), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace parley
