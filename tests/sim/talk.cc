// Hosts and their guests, who talk in every way there is: streams both ways with slow readers,
// PUSHes, calls that nobody waits for, batches, ids that are taken over, transfer filters; over a
// network that is cut, slow and partitioned, while the host crashes.
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/net/sim_network.h"
#include "parley/peer/batch.h"
#include "parley/peer/peer.h"
#include "parley/rt/event.h"
#include "parley/rt/random.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "parley/wire/filters/standard.h"
#include "scenario.h"
#include "weather.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::array hosts = {"host"};
constexpr std::array guests = {"guest-1", "guest-2", "guest-3"};

// Far more than limits as small as these allow, and far less than what nobody bounds.
constexpr std::size_t most_blocks = 2'000;

// A message of a stream; the note ends with a full stop.
struct Item {
  std::size_t number = 0;
  std::string note;
};

// Now and then one that goes in parts.
std::string some_note() {
  const int most = once_in(8) ? 60'000 : 20'000;
  std::string note(static_cast<std::size_t>(once_in(4) ? draw(1, most) : 10), 'x');
  note.back() = '.';
  return note;
}

bool is_whole(const std::string& note) { return !note.empty() && note.back() == '.'; }

wire::FilterPipe some_filters() {
  constexpr std::array pipes = {"", "", "c", "g", "zc"};
  return wire::FilterPipe(pipes.at(static_cast<std::size_t>(draw(0, 4))));
}

// Small enough to be met: a slow reader stops its writer.
PeerOptions talking_on(net::Network& node) {
  PeerOptions options = options_on(node);
  options.filters = wire::standard_filters();
  options.stream_credit = std::size_t{64} << 10U;
  options.max_outgoing_bytes = std::size_t{32} << 10U;
  options.part_bytes = std::size_t{16} << 10U;
  return options;
}

// What fails in such weather, and in no other way.
void must_be_the_weather(const Status& status) {
  switch (status.code()) {
    case Code::not_sent:
    case Code::outcome_unknown:
    case Code::deadline_exceeded:
    case Code::unavailable:
    case Code::cancelled:
    case Code::aborted:  // another guest took over the id
      return;
    default:
      must(false, "it fails for a reason the network gives: " + status.to_string());
  }
}

// What ran and what was told, by number. It outlives every crash: the test's book, not theirs.
class Books {
 public:
  std::size_t next() { return numbers_++; }
  void run(std::size_t number) { must(++ran_[number] == 1, "no call runs twice"); }
  void promise(std::size_t number) { promised_.insert(number); }
  void tell(std::size_t number) { must(++told_[number] == 1, "no result is told twice"); }
  [[nodiscard]] bool ran(std::size_t number) const { return ran_.contains(number); }

  // What a PUSH of a session is to be numbered with.
  void note(const std::string& line, std::size_t number) {
    must(number == noted_[line]++, "PUSHes of a session begin in their order, and none is lost");
  }
  // By when whoever made a promise has ended.
  void check() const {
    for (const std::size_t number : promised_) {
      must(told_.contains(number), "every callback that was promised is called");
    }
    for (const auto& [number, times] : told_) {
      must(promised_.contains(number), "no callback is called that was not promised");
    }
  }

 private:
  std::size_t numbers_ = 0;
  std::map<std::size_t, int> ran_;
  std::map<std::size_t, int> told_;
  std::set<std::size_t> promised_;
  std::map<std::string, std::size_t> noted_;
};

// An answer, or the lack of one, to the call of that number.
void check_answer(const Books& books, std::size_t number, const Result<std::size_t>& answer) {
  if (answer) {
    must(*answer == number + 1'000, "an answer belongs to its question");
    must(books.ran(number), "what is answered has run");
  } else {
    must_be_the_weather(answer.error());
    must(answer.error().code() != Code::not_sent || !books.ran(number), "not_sent means not run");
  }
}

// The process of a host, from its start to its crash.
class Host {
 public:
  Host(net::SimNode& node, Books& books) : books_(books), peer_(talking_on(node)) {
    peer_.handle("/buy", [this](std::size_t number, const std::string& note) {
      books_.run(number);
      must(is_whole(note), "what is sent comes whole");
      pause(20ms);
      return number + 1'000;
    });
    peer_.handle("/note",
                 [this](const std::string& line, std::size_t number, const std::string& note) {
                   must(is_whole(note), "what is sent comes whole");
                   books_.note(line, number);
                   pause(5ms);
                 });
    peer_.handle("/login", [this](Context& context, const std::string& id) -> Status {
      ++taking_[id];
      Status status = context.session().set_id(id);
      --taking_[id];
      // Another one may have taken it by now, and be back before.
      if (status.is_ok() && context.session().is_open()) latest_[id] = context.session().number();
      return status;
    });
    peer_.handle_stream("/count", [](Stream<Item, std::size_t>& items) { return count(items); });
  }

  // Until the node crashes, or for good.
  void serve(const rt::Event& closing) {
    if (!peer_.listen("tcp://0.0.0.0:80")) return;
    for (std::size_t news = 0; !closing.is_set() && rt::sleep(20ms).is_ok(); ++news) {
      for (const auto& [id, number] : latest_) {
        const auto found = peer_.session(id);
        // Who has it may not be back with that yet.
        must(!found || taking_[id] > 0 || found->number() == number,
             "an id belongs to who took it last");
      }
      must(Block::live() < most_blocks, "what waits and what is under way is bounded");
      if (!once_in(3)) continue;
      const PushOptions options{.when_full = static_cast<WhenFull>(draw(0, 2)),
                                .timeout = draw(0, 50) * 1ms};
      (void)peer_.push_all(options, "/news", news, some_note());
    }
  }

 private:
  // Answers each message with its number.
  static Status count(Stream<Item, std::size_t>& items) {
    for (std::size_t expected = 0;; ++expected) {
      auto item = items.receive();
      if (!item) return item.error();
      if (!*item) return {};
      must((*item)->number == expected, "messages of a stream come once and in their order");
      must(is_whole((*item)->note), "what is sent comes whole");
      pause(10ms);
      if (Status s = items.send(expected); !s.is_ok()) return s;
    }
  }

  Books& books_;
  std::map<std::string, SessionNumber> latest_;
  std::map<std::string, int> taking_;  // calls that are about to
  Peer peer_;
};

// One guest and its session, dialled anew when it has ended.
class Guest {
 public:
  Guest(net::SimNode& node, std::string name, Books& books)
      : name_(std::move(name)), books_(books), peer_(talking_on(node)) {
    peer_.handle("/news", [this](Context& context, std::size_t number, const std::string& note) {
      must(is_whole(note), "what is sent comes whole");
      auto& next = news_[context.session().number()];
      must(number >= next, "PUSHes of a session come in their order, each once");
      next = number + 1;
    });
  }

  void talk() {
    const auto session = dial();
    if (!session) return;
    rt::Scope talks;
    talks.go("stream", [&] { (void)stream(*session, draw(50, 3'000) * 1ms, once_in(4)); });
    talks.go("notes", [&] { notes(*session); });
    talks.go("async", [&] { without_waiting(*session); });
    talks.go("batch", [&] { batch(*session); });
    if (once_in(2)) (void)session->call("/login", std::string(once_in(2) ? "ann" : "bob"));
    pause(200ms);
    if (once_in(4)) session->close();
    talks.join();
    session->close();  // its callbacks have returned now
  }

  // In a network that is whole.
  void talk_to_the_end() {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      const auto session = dial();
      if (session && stream(*session, 1min, false)) return;
      (void)rt::sleep(50ms);
    }
    must(false, "a network that is whole takes a stream");
  }

 private:
  // Well beyond what the network takes when it is whole.
  static constexpr int most_attempts = 100;

  std::optional<Session> dial() {
    auto dialled = peer_.dial("tcp://host:80");
    if (dialled) return *dialled;
    must(dialled.error().code() == Code::not_sent, "a dial that fails has sent nothing");
    return std::nullopt;
  }

  // True when it went to its end in order.
  static bool stream(const Session& session, Duration longest, bool is_given_up) {
    const auto count = static_cast<std::size_t>(draw(0, 12));
    // A host that vanished says nothing: without a time of its own the stream would wait for ever.
    const CallOptions options{.timeout = longest, .filters = some_filters()};
    auto opened = session.open<std::size_t, Item>(options, "/count");
    if (!opened) {
      must_be_the_weather(opened.error());
      return false;
    }
    rt::Scope writing;
    writing.go("writer", [&] {
      for (std::size_t number = 0; number < count; ++number) {
        pause(10ms);
        if (!opened->send({number, some_note()}).is_ok()) return;
      }
      if (is_given_up) {
        opened->cancel();
      } else {
        (void)opened->finish();
      }
    });
    const bool is_whole = read_to_the_end(*opened, count);
    must(!is_whole || !is_given_up, "what was given up does not end in order");
    writing.join();
    return is_whole;
  }

  static bool read_to_the_end(Stream<std::size_t, Item>& stream, std::size_t count) {
    for (std::size_t expected = 0;; ++expected) {
      pause(10ms);
      const auto number = stream.receive();
      if (!number) {
        must_be_the_weather(number.error());
        return false;
      }
      if (!*number) {
        must(expected == count, "a stream that ends in order has lost nothing");
        return true;
      }
      must(**number == expected, "messages of a stream come once and in their order");
    }
  }

  void notes(const Session& session) {
    const std::string line = name_ + " " + std::to_string(++lines_);
    const int count = draw(0, 10);
    for (std::size_t number = 0; number < static_cast<std::size_t>(count); ++number) {
      // Through filters they would begin when they are undone, not in their order.
      if (!session.push("/note", line, number, some_note()).is_ok()) return;
      pause(5ms);
    }
  }

  void without_waiting(const Session& session) {
    for (int i = draw(0, 6); i > 0; --i) {
      const std::size_t number = books_.next();
      const Status begun = session.call_then<std::size_t>(
          [this, number](const Result<std::size_t>& answer) {
            books_.tell(number);
            check_answer(books_, number, answer);
            pause(10ms);
          },
          {.filters = some_filters()}, "/buy", number, some_note());
      if (begun.is_ok()) {
        books_.promise(number);
      } else {
        check_answer(books_, number, begun);
      }
    }
    const std::size_t number = books_.next();
    auto call = session.call_async<std::size_t>("/buy", number, some_note());
    pause(50ms);
    if (once_in(4)) call.cancel();
    check_answer(books_, number, call.get());
  }

  void batch(const Session& session) {
    Batch<std::size_t> batch(session);
    std::vector<std::size_t> numbers;
    for (int i = draw(0, 8); i > 0; --i) {
      numbers.push_back(books_.next());
      batch.add("/buy", numbers.back(), some_note());
    }
    const auto answers = batch.call({.filters = some_filters()});
    must(answers.size() == numbers.size(), "each call of a batch has its result");
    for (std::size_t i = 0; i < numbers.size(); ++i) check_answer(books_, numbers[i], answers[i]);
  }

  const std::string name_;
  Books& books_;
  int lines_ = 0;
  std::map<SessionNumber, std::size_t> news_;
  Peer peer_;
};

class Party {
 public:
  void run() {
    for (const char* name : hosts) world_.node(name);
    for (const char* name : guests) world_.node(name);
    rt::Scope hosting;
    hosting.go("host", [this] { keep_host(); });
    rt::Scope weather;
    weather.go("weather", [this] {
      blow(world_, hosts, guests);
      weather_is_over_.set();
    });
    rt::Scope crowd;
    for (const char* name : guests) {
      crowd.go(name, [this, name] { visit(name); });
    }
    weather.join();
    crowd.join();
    closing_.set();
    hosting.join();
    books_.check();
  }

 private:
  // Opens anew whenever its node is up again.
  void keep_host() {
    net::SimNode& node = world_.node(hosts[0]);
    while (!closing_.is_set()) {
      {
        rt::Scope process(node.context(), rt::OnExit::cancel);
        process.go("host", [this, &node] { Host(node, books_).serve(closing_); });
        process.join();
      }
      (void)closing_.wait(rt::Deadline::after(20ms));
    }
  }

  void visit(const char* name) {
    Guest guest(world_.node(name), name, books_);
    for (int i = draw(1, 3); i > 0; --i) {
      guest.talk();
      pause(100ms);
    }
    must(weather_is_over_.wait().is_ok(), "the weather ends");
    guest.talk_to_the_end();
  }

  net::SimWorld world_{network_options()};
  Books books_;
  rt::Event weather_is_over_;
  rt::Event closing_;
};

}  // namespace

void talk() {
  Party party;
  party.run();
}

}  // namespace parley::sim
