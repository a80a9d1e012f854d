// Shops that close for the night and open again, in order, while customers call them without end.
// On calm days nothing is cut and they are patient: whatever they began is answered. On others
// connections are cut, and some shops close in a hurry. Each call has a number of its own, and the
// books tell what ran.
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
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
constexpr std::size_t calls_each = 12;
constexpr std::size_t all_calls = customers.size() * callers_each * calls_each;

// What became of one call, on both sides.
struct Entry {
  int begun = 0;  // times that a handler began
  int ended = 0;  // times that its caller was told
};

class Street {
 public:
  void run() {
    rt::Scope shopkeepers;
    open_street(world_, shops, customers, shopkeepers,
                [this](const char* name) { keep_shop(name); });
    rt::Scope weather;
    weather.go("cuts", [this] {
      if (is_calm_) return;
      for (int i = draw(0, 5); i > 0; --i) {
        (void)rt::sleep(draw(1, 150) * 1ms);
        (void)world_.cut(shops[static_cast<std::size_t>(draw(0, 1))],
                         customers[static_cast<std::size_t>(draw(0, 1))]);
      }
    });
    rt::Scope crowd;
    for (std::size_t i = 0; i < customers.size(); ++i) {
      crowd.go(customers[i], [this, i] { visit(i); });
    }
    weather.join();
    crowd.join();
    closing_.set();
    shopkeepers.join();
    for (const Entry& each : books_) must(each.ended == 1, "every call ends once");
  }

 private:
  // Opens, serves for a while and closes in order, until the street is empty.
  void keep_shop(const char* name) {
    while (!closing_.is_set()) {
      serve(world_.node(name));
      (void)closing_.wait(rt::Deadline::after(draw(1, 20) * 1ms));
    }
  }

  void serve(net::SimNode& node) {
    Peer peer(options_for(node));
    peer.handle("/greet", [] {});
    peer.handle("/buy",
                [this](Context& context, std::size_t number) { return buy(context, number); });
    if (!peer.listen("tcp://0.0.0.0:80")) return;
    (void)closing_.wait(rt::Deadline::after(draw(5, 120) * 1ms));
    if (once_in(4)) return peer.close();
    rt::Scope impatient;
    if (!is_calm_ && once_in(4)) {
      // A second signal, as it were.
      impatient.go("at once", [&] {
        pause(40ms);
        check(peer.shutdown({.limit = Duration::zero()}));
      });
    }
    const ShutdownReport report = peer.shutdown({.limit = is_calm_ ? 10s : draw(1, 200) * 1ms});
    check(report);
    must(peer.session_count() == 0, "an ended peer has no session");
  }

  static void check(const ShutdownReport& report) {
    rt::trace_event("shut down", {report.finished.handlers, report.cut.handlers});
    must(report.is_over, "whoever is no handler waits for the end");
    must(report.cut.all() > 0 || report.sessions_cut == 0, "a session is cut with some work");
    must(report.sessions_cut <= report.sessions, "no more are cut than there are");
  }

  std::size_t buy(Context& context, std::size_t number) {
    must(number < all_calls, "a call comes with the number it was sent with");
    Entry& entry = books_[number];
    must(++entry.begun == 1, "no call runs twice");
    pause(30ms);
    // Both ends of a session can ask, also while they end.
    if (once_in(4)) (void)context.session().call<std::size_t>("/confirm", number);
    return number + 1'000;
  }

  void visit(std::size_t index) {
    Peer peer(options_for(world_.node(customers[index])));
    peer.handle("/confirm", [](std::size_t number) { return number; });
    rt::Mutex mutex;
    std::map<std::string, Session> known;
    const auto session_with = [&](const std::string& shop) -> std::optional<Session> {
      const std::lock_guard lock(mutex);
      const auto found = known.find(shop);
      if (found != known.end() && found->second.is_open()) return found->second;
      auto dialled = peer.dial("tcp://" + shop + ":80");
      // What a shop has not taken yet when it closes may be gone without a word.
      if (!dialled || !dialled->call({.timeout = 10s}, "/greet")) return std::nullopt;
      known.insert_or_assign(shop, *dialled);
      return *dialled;
    };
    rt::Scope callers;
    for (std::size_t i = 0; i < callers_each; ++i) {
      callers.go("caller", [&, first = (index * callers_each + i) * calls_each] {
        for (std::size_t number = first; number < first + calls_each; ++number) {
          shop_for(session_with, number);
        }
      });
    }
  }

  // One call, sent to one shop after the other for as long as it is certain that it did not run.
  template <class SessionWith>
  void shop_for(SessionWith& session_with, std::size_t number) {
    Entry& entry = books_[number];
    constexpr int most_attempts = 400;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      const auto shop = shops[(number + static_cast<std::size_t>(attempt)) % shops.size()];
      const auto session = session_with(shop);
      if (session) {
        const Result<std::size_t> answer =
            session->template call<std::size_t>({.timeout = 10s}, "/buy", number);
        if (answer || answer.error().code() != Code::not_sent) {
          ++entry.ended;
          return judge(number, answer);
        }
        must(entry.begun == 0, "not_sent means not run");
      }
      (void)rt::sleep(draw(1, 20) * 1ms);
    }
    must(false, "shops that open again take a call in the end");
  }

  void judge(std::size_t number, const Result<std::size_t>& answer) const {
    if (answer) {
      must(*answer == number + 1'000, "an answer belongs to its question");
      must(books_[number].begun == 1, "what is answered has run");
      return;
    }
    const Code code = answer.error().code();
    rt::trace_event("failed call", {number}, name_of(code));
    must(code == Code::outcome_unknown,
         "a call that left ends with its answer or without knowing: " + answer.error().to_string());
    must(!is_calm_, "whoever ends in order answers, or says that it did not run the call");
  }

  static net::SimOptions network_on(bool is_calm_day) {
    net::SimOptions options = network_options();
    if (is_calm_day) options.link.mean_bytes_to_cut = {};
    return options;
  }

  // With limits that nothing meets on calm days.
  PeerOptions options_for(net::SimNode& node) const {
    PeerOptions options = options_on(node);
    if (is_calm_) {
      options.call_timeout = options.drain_timeout = options.flush_timeout = 10s;
      options.close_timeout = 5s;
    }
    return options;
  }

  const bool is_calm_ = once_in(2);
  net::SimWorld world_{network_on(is_calm_)};
  std::vector<Entry> books_{all_calls};
  rt::Event closing_;
};

}  // namespace

void restarts() {
  Street street;
  street.run();
}

}  // namespace parley::sim
