// The calls of `./dev bench rpc` without sockets, for counting instructions: 64 calls of
// "/math/add" in each read, or from 64 fibers, with default options and typed at both ends.
//
//   rpc_hot serve ROUNDS     a peer serves ROUNDS times 64 calls that are there already
//   rpc_hot call ROUNDS      64 fibers call ROUNDS times each, whose answers are there already
//   rpc_hot prepare ROUNDS   what `call` does before it calls, to be taken off
//
// Every byte a peer writes, or every answer, is compared. Prints {"calls":N,"allocations":M}: how
// often memory was asked for in the second half of the rounds.
#include <parley/parley.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "codec/counting_new.h"
#include "hot_stream.h"
#include "load.h"
#include "parley/wire/parley_framing.h"

namespace parley::bench {
namespace {

constexpr int batch = 64;
constexpr std::int32_t first_id = 1'000;

std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }

// Encoded as one side of a connection says it.
class Script {
 public:
  Script() { encoder_.start(bytes_); }

  void call(std::int32_t id, std::int64_t a, std::int64_t b) {
    encode({.seq = id,
            .method = "/math/add",
            .body_codec = wire::BodyCodec::json,
            .body = Bytes::from("[" + std::to_string(a) + "," + std::to_string(b) + "]")});
  }
  void answer(std::int32_t id, std::int64_t sum) {
    encode({.seq = id,
            .type = wire::MessageType::reply,
            .body_codec = wire::BodyCodec::json,
            .body = Bytes::from(std::to_string(sum))});
  }
  std::string take() { return std::exchange(bytes_, {}); }

 private:
  void encode(const wire::Message& message) {
    if (!encoder_.encode(message, bytes_).is_ok()) std::abort();
  }
  wire::ParleyEncoder encoder_;
  std::string bytes_;
};

struct Outcome {
  std::uint64_t calls = 0;
  std::uint64_t allocations = 0;
};

// No script says a goodbye back, and in a time that stands still it would be waited for for ever.
void cut(Peer& peer) { (void)peer.shutdown({.limit = Duration::zero()}); }

Result<Outcome> serve(int rounds) {
  Script asked;
  Script answered;
  // The first is one call, which names the method and shows that it is quick; the second is
  // repeated.
  std::vector<std::string> chunks(2);
  std::vector<std::string> expected(2);
  for (std::size_t i = 0; i < 2; ++i) {
    for (int call = 0; call < (i == 0 ? 1 : batch); ++call) {
      asked.call(first_id + call, 10'000 + call, 20'000);
      answered.answer(first_id + call, 30'000 + call);
    }
    chunks[i] = asked.take();
    expected[i] = answered.take();
  }
  int read = 0;
  int written = 0;
  std::uint64_t at_half = 0;
  bool is_wrong = false;
  rt::Event done;
  HotNetwork network(std::make_unique<HotStream>(
      [&]() -> std::string_view {
        if (read > written || read > rounds) return {};
        return chunks[read++ == 0 ? 0 : 1];
      },
      [&](std::string_view bytes) {
        if (bytes != expected[written == 0 ? 0 : 1]) is_wrong = true;
        if (++written == rounds / 2) at_half = allocations_so_far();
        if (written == rounds + 1 || is_wrong) done.set();
      }));
  Peer peer(PeerOptions{.network = &network});
  peer.handle("/math/add", add);
  if (auto address = peer.listen("tcp://192.0.2.1:1"); !address) return address.error();
  if (Status s = done.wait(rt::Deadline::after(std::chrono::minutes(5))); !s.is_ok()) return s;
  if (is_wrong) return Status(Code::data_loss, "an answer differs from what it should be");
  const Outcome outcome{.calls = static_cast<std::uint64_t>(rounds) * batch,
                        .allocations = allocations_so_far() - at_half};
  cut(peer);
  return outcome;
}

// The answers to all calls, in the order of their ids, and where each ends.
struct Answers {
  std::string bytes;
  std::vector<std::size_t> ends;
};

// Every call is of the same sum, since who gets which id is not known before.
Answers prepare(int rounds) {
  Script script;
  Answers answers;
  answers.bytes = script.take();  // the hello
  answers.ends.push_back(answers.bytes.size());
  for (int id = 1; id <= rounds * batch; ++id) {
    script.answer(id, 30'000);
    answers.bytes += script.take();
    answers.ends.push_back(answers.bytes.size());
  }
  return answers;
}

Result<Outcome> call(int rounds) {
  const Answers answers = prepare(rounds);
  std::size_t issued = 0;
  std::size_t answerable = 0;  // those that have been written
  std::size_t read_to = 0;
  HotNetwork network(std::make_unique<HotStream>(
      [&] {
        const std::size_t from = std::exchange(read_to, answers.ends[answerable]);
        return std::string_view(answers.bytes).substr(from, read_to - from);
      },
      // Whoever has begun a call on the one worker there is has written it before it waited.
      [&](std::string_view) { answerable = issued; }));
  Peer peer(PeerOptions{.network = &network});
  const auto session = peer.dial("tcp://192.0.2.1:1");
  if (!session) return session.error();
  Status failure;
  std::uint64_t at_half = 0;
  rt::Scope scope;
  for (int fiber = 0; fiber < batch; ++fiber) {
    scope.go("caller", [&, fiber] {
      for (int round = 0; round < rounds; ++round) {
        if (fiber == 0 && round == rounds / 2) at_half = allocations_so_far();
        ++issued;
        const auto sum =
            session->call<std::int64_t>("/math/add", std::int64_t{10'000}, std::int64_t{20'000});
        if (!sum || *sum != 30'000) {
          failure = Status(Code::data_loss, "a call failed or got a wrong answer")
                        .with_cause(sum.error().message());
          return;
        }
      }
    });
  }
  scope.join();
  if (!failure.is_ok()) return failure;
  const Outcome outcome{.calls = static_cast<std::uint64_t>(rounds) * batch,
                        .allocations = allocations_so_far() - at_half};
  cut(peer);
  return outcome;
}

Result<Outcome> run_mode(std::string_view mode, int rounds) {
  if (mode == "serve") return serve(rounds);
  if (mode == "call") return call(rounds);
  if (mode == "prepare") {
    return Outcome{.calls = prepare(rounds).ends.size() - 1, .allocations = 0};
  }
  return Status(Code::invalid_argument,
                "rpc_hot: serve, call or prepare, not " + std::string(mode));
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  int rounds = 0;
  const std::string_view text = argc == 3 ? argv[2] : "";
  std::from_chars(text.data(), text.data() + text.size(), rounds);
  if (rounds < 2 || rounds > 100'000) {
    return bench::usage_error(
        Status(Code::invalid_argument, "rpc_hot MODE ROUNDS: from 2 to 100000 rounds"));
  }
  // Time stands still, so that a call is as quick under callgrind as it is.
  ManualClock clock;
  rt::Runtime runtime({.workers = 1, .clock = &clock});
  int code = 0;
  runtime.run([&] {
    const auto outcome = bench::run_mode(argv[1], rounds);
    if (!outcome) {
      code = bench::run_error(outcome.error());
      return;
    }
    std::printf("{\"calls\":%llu,\"allocations\":%llu}\n",
                static_cast<unsigned long long>(outcome->calls),
                static_cast<unsigned long long>(outcome->allocations));
  });
  return code;
}
