// Customers who know only a door; what they ask goes on to one of two shops, which close and open
// again, while connections on both sides of the door are cut or stand still. Each question has a
// number of its own, and the books tell what ran: the door may ask a second shop, and says of what
// it could not bring to any that it did not run.
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
#include "parley/peer/plugins/proxy.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"
#include "weather.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::array customers = {"customer-1", "customer-2"};
constexpr std::size_t callers_each = 3;
constexpr std::size_t questions_each = 6;
constexpr std::size_t all_questions = customers.size() * callers_each * questions_each;
constexpr std::int32_t bad_gateway = 502;
using Numbers = Stream<std::size_t, std::size_t>;

// Of some plugins and limits.
PeerOptions with_proxy(PeerOptions options, ProxyOptions proxied) {
  options.plugins.push_back(proxy(std::move(proxied)));
  return options;
}

class Passage {
 public:
  void run() {
    world_.node("door");
    rt::Scope others;
    open_street(world_, shops, customers, others, [this](const char* name) { keep_shop(name); });
    others.go("door", [this] { keep_door(); });
    must(is_open_.wait().is_ok(), "the door opens");
    rt::Scope weather;
    weather.go("weather", [this] { blow_at_the_door(); });
    rt::Scope crowd;
    for (std::size_t i = 0; i < customers.size(); ++i) {
      crowd.go(customers[i], [this, i] { visit(i); });
    }
    crowd.join();
    weather.join();
    closing_.set();
    others.join();
    for (const int ended : ended_) must(ended == 1, "every question ends once");
  }

 private:
  void blow_at_the_door() {
    for (int i = draw(0, 8); i > 0; --i) {
      (void)rt::sleep(draw(1, 150) * 1ms);
      const bool behind = once_in(2);
      const char* const other = (behind ? shops : customers)[static_cast<std::size_t>(draw(0, 1))];
      if (once_in(3)) {
        world_.partition(other, "door");
        (void)rt::sleep(draw(1, 800) * 1ms);
        world_.heal(other, "door");
      } else {
        (void)world_.cut(other, "door");
      }
    }
  }

  void keep_shop(const char* name) {
    while (!closing_.is_set()) {
      Peer peer(options_on(world_.node(name)));
      peer.handle("/buy", [this](std::size_t number) {
        begin(number);
        pause(20ms);
        return number + 1'000;
      });
      peer.handle_stream("/count", [this](Numbers& numbers) { return count(numbers); });
      if (peer.listen("tcp://0.0.0.0:80")) {
        (void)closing_.wait(rt::Deadline::after(draw(50, 1'000) * 1ms));
      }
      (void)peer.shutdown({.limit = draw(0, 100) * 1ms});
      (void)closing_.wait(rt::Deadline::after(draw(1, 20) * 1ms));
    }
  }

  void begin(std::size_t number) {
    must(number < all_questions, "a question comes with the number it was sent with");
    must(++begun_[number] == 1, "nothing runs twice");
  }

  // Each number, and the next one: until the other side has finished.
  Status count(Numbers& numbers) {
    bool is_first = true;
    for (;;) {
      const auto number = numbers.receive();
      if (!number) return number.error();
      if (!*number) return {};
      if (is_first) begin(**number);
      is_first = false;
      if (Status s = numbers.send(**number + 1); !s.is_ok()) return s;
    }
  }

  void keep_door() {
    Peer inside(options_on(world_.node("door")));
    rt::Mutex mutex;
    std::map<std::string, Session> known;
    const auto pick = [&](const ProxyLabel& label) -> Result<ProxyTarget> {
      const std::string shop(label.metadata().get(label.tries() == 0 ? "first" : "then").value());
      const std::lock_guard lock(mutex);
      const auto found = known.find(shop);
      if (found != known.end() && found->second.is_open()) return found->second;
      auto dialled = inside.dial("tcp://" + shop + ":80");
      if (!dialled) return dialled.error();
      known.insert_or_assign(shop, *dialled);
      return *dialled;
    };
    const std::size_t tries = once_in(2) ? 1 : 2;
    Peer door(with_proxy(options_on(world_.node("door")), {.pick = pick, .max_tries = tries}));
    must(door.listen("tcp://0.0.0.0:80").has_value(), "the door can listen");
    is_open_.set();
    (void)closing_.wait();
    door.close();
  }

  void visit(std::size_t index) {
    Peer peer(options_on(world_.node(customers[index])));
    rt::Scope callers;
    for (std::size_t i = 0; i < callers_each; ++i) {
      callers.go("caller", [&, first = (index * callers_each + i) * questions_each] {
        std::optional<Session> door;
        for (std::size_t number = first; number < first + questions_each; ++number) {
          if (!door || !door->is_open()) door = dial(peer);
          Status status(Code::not_sent, "there is no way to the door");
          if (door) status = once_in(3) ? count_at(*door, number) : buy_at(*door, number);
          ++ended_[number];
          if (!status.is_ok()) judge(number, status);
        }
      });
    }
  }

  static std::optional<Session> dial(Peer& peer) {
    auto dialled = peer.dial("tcp://door:80");
    if (!dialled) return std::nullopt;
    return *dialled;
  }

  static CallOptions for_number(std::size_t number) {
    return {.metadata = {{"first", shops[number % 2]}, {"then", shops[(number + 1) % 2]}}};
  }

  Status buy_at(const Session& door, std::size_t number) {
    const auto answer = door.call<std::size_t>(for_number(number), "/buy", number);
    if (!answer) return answer.error();
    must(*answer == number + 1'000, "an answer belongs to its question");
    must(begun_[number] == 1, "what is answered has run");
    return {};
  }

  Status count_at(const Session& door, std::size_t number) {
    CallOptions options = for_number(number);
    options.timeout = 2s;
    auto numbers = door.open<std::size_t, std::size_t>(options, "/count");
    if (!numbers) return numbers.error();
    const auto last = number + static_cast<std::size_t>(draw(1, 5));
    for (std::size_t next = number; next < last; ++next) {
      if (Status s = numbers->send(next); !s.is_ok()) return s;
      const auto back = numbers->receive();
      if (!back) return back.error();
      must(back->has_value() && **back == next + 1, "messages come in their order, none is lost");
    }
    if (Status s = numbers->finish(); !s.is_ok()) return s;
    const auto end = numbers->receive();
    if (!end) return end.error();
    must(!end->has_value(), "a stream ends with its handler");
    return {};
  }

  void judge(std::size_t number, const Status& status) const {
    rt::trace_event("failed question", {number}, name_of(status.code()));
    const bool was_refused =
        status.code() == Code::unavailable && status.business_code() == bad_gateway;
    must(begun_[number] == 0 || (status.code() != Code::not_sent && !was_refused),
         "what was not sent, here or behind the door, has not run: " + status.to_string());
  }

  net::SimWorld world_{network_options()};
  std::vector<int> begun_ = std::vector<int>(all_questions);
  std::vector<int> ended_ = std::vector<int>(all_questions);
  rt::Event is_open_;
  rt::Event closing_;
};

}  // namespace

void proxied() {
  Passage passage;
  passage.run();
}

}  // namespace parley::sim
