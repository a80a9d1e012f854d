// Two shops and their customers over a network that is cut, slow, partitioned, and whose nodes
// crash. Each call has a number of its own, and the shops' books tell what ran.
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/batch.h"
#include "parley/peer/peer.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/random.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"
#include "weather.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::array customers = {"customer-1", "customer-2", "customer-3"};

// Well beyond what the network takes when it is whole.
constexpr int most_attempts = 100;

// What the shops did, number by number. It outlives every crash: a book of the test, not theirs.
class Books {
 public:
  explicit Books(std::size_t calls) : ran_(calls) {}

  void run(std::size_t number) {
    must(number < ran_.size(), "a call comes with the number it was sent with");
    must(++ran_[number] == 1, "no call runs twice");
  }
  [[nodiscard]] int ran(std::size_t number) const { return ran_[number]; }

 private:
  std::vector<int> ran_;
};

// A peer with a session for each shop, shared by its errands. Some have theirs dialled again when
// they are cut, and greet before they go on.
class Customer {
 public:
  explicit Customer(net::SimNode& node) : peer_(options_on(node)) {
    peer_.handle("/confirm", [](std::size_t number) { return number; });
    if (!once_in(2)) return;
    dialling_.redial = {
        .count = once_in(2) ? RedialOptions::unlimited : static_cast<std::size_t>(draw(1, 4)),
        .interval = std::chrono::milliseconds(draw(1, 100)),
        .max_interval = std::chrono::milliseconds(draw(100, 1'000))};
    if (!once_in(2)) return;
    dialling_.on_redial = [](const Session& session, const RedialAttempt& attempt) {
      return attempt.outcome.is_ok() ? session.call({.timeout = 1s}, "/greet").error() : Status();
    };
  }

  // An open one, or a new one; none when dialling fails.
  std::optional<Session> session_with(const std::string& shop) {
    {
      const std::lock_guard lock(mutex_);
      const auto known = sessions_.find(shop);
      if (known != sessions_.end() && known->second.is_open()) return known->second;
    }
    auto dialled = peer_.dial("tcp://" + shop + ":80", dialling_);
    if (!dialled) {
      must(dialled.error().code() == Code::not_sent, "a dial that fails has sent nothing");
      return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    sessions_.insert_or_assign(shop, *dialled);
    return *dialled;
  }

 private:
  Peer peer_;
  DialOptions dialling_;
  rt::Mutex mutex_;
  std::map<std::string, Session> sessions_;
};

class Street {
 public:
  void run() {
    rt::Scope shopkeepers;
    open_street(world_, shops, customers, shopkeepers,
                [this](const char* name) { keep_shop(name); });
    rt::Scope weather;
    weather.go("weather", [this] {
      blow(world_, shops, customers);
      weather_is_over_.set();
    });
    rt::Scope crowd;
    for (std::size_t i = 0; i < customers.size(); ++i) {
      crowd.go(customers[i], [this, i] { visit(i); });
    }
    weather.join();
    crowd.join();
    closing_.set();
  }

 private:
  static constexpr std::size_t calls_each = 8;

  // Opens anew whenever its node is up again.
  void keep_shop(const char* name) {
    net::SimNode& node = world_.node(name);
    while (!closing_.is_set()) {
      {
        rt::Scope process(node.context(), rt::OnExit::cancel);
        process.go("shop", [this, &node] { serve(node); });
        process.join();
      }
      (void)closing_.wait(rt::Deadline::after(20ms));
    }
  }

  void serve(net::SimNode& node) {
    Peer peer(options_on(node));
    peer.handle("/buy", [this](Context& context, std::size_t number, const std::string& note) {
      books_.run(number);
      must(note.empty() || note.back() == '.', "what is sent comes whole");
      pause(20ms);
      // Both ends of a session can ask.
      if (once_in(3)) {
        const auto confirmed = context.session().call<std::size_t>("/confirm", number);
        must(!confirmed || *confirmed == number, "an answer belongs to its question");
      }
      return number + 1'000;
    });
    peer.handle("/greet", [] { pause(5ms); });
    if (!peer.listen("tcp://0.0.0.0:80")) return;
    // Until the node crashes, or for good.
    while (!closing_.is_set() && rt::sleep(20ms).is_ok()) {}
  }

  void visit(std::size_t index) {
    net::SimNode& node = world_.node(customers[index]);
    Customer customer(node);
    rt::Scope errands;
    const std::size_t first = index * (calls_each + 1);
    for (std::size_t i = 0; i < calls_each; ++i) {
      errands.go("errand", [&, number = first + i] { buy(customer, number); });
      pause(100ms);
    }
    errands.join();
    must(weather_is_over_.wait().is_ok(), "the weather ends");
    // Everything is whole again: now a call goes through, whatever happened before.
    must(buy(customer, first + calls_each) != Code::not_sent,
         "a network that is whole takes a call");
  }

  // One call, repeated as long as it is certain that it did not run.
  Code buy(Customer& customer, std::size_t number) {
    const std::string shop = shops[number % shops.size()];
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      const auto session = customer.session_with(shop);
      if (session) {
        const Code outcome = buy_once(*session, number);
        if (outcome != Code::not_sent) return outcome;
      }
      (void)rt::sleep(50ms);
    }
    must(books_.ran(number) == 0, "not_sent means not run");
    return Code::not_sent;
  }

  static Result<std::size_t> ask(const Session& session, std::size_t number,
                                 const std::string& note) {
    if (once_in(3)) return session.call_async<std::size_t>("/buy", number, note).get();
    if (!once_in(3)) return session.call<std::size_t>("/buy", number, note);
    Batch<std::size_t> batch(session);
    batch.add("/buy", number, note);
    return batch.call().at(0);
  }

  Code buy_once(const Session& session, std::size_t number) {
    std::string note(static_cast<std::size_t>(once_in(4) ? draw(0, 5'000) : 10), 'x');
    if (!note.empty()) note.back() = '.';
    const auto answer = ask(session, number, note);
    const int ran = books_.ran(number);
    if (answer) {
      must(*answer == number + 1'000, "an answer belongs to its question");
      must(ran == 1, "what is answered has run");
      return Code::ok;
    }
    const Code outcome = answer.error().code();
    rt::trace_event("failed call", {number}, name_of(outcome));
    must(outcome != Code::not_sent || ran == 0, "not_sent means not run");
    must(outcome == Code::not_sent || outcome == Code::outcome_unknown ||
             outcome == Code::deadline_exceeded || outcome == Code::unavailable,
         "a call fails for a reason the network gives: " + answer.error().to_string());
    return outcome;
  }

  net::SimWorld world_{network_options()};
  Books books_{customers.size() * (calls_each + 1)};
  rt::Event weather_is_over_;
  rt::Event closing_;
};

}  // namespace

void peers() {
  Street street;
  street.run();
}

}  // namespace parley::sim
