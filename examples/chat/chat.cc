// A chat room: a guest keeps one stream open, says on it what it likes and hears what all say. Who
// listens too slowly misses lines, and holds up nobody. Prints what the last guest heard.
#include <parley/parley.h>

#include <cstdio>
#include <set>
#include <string>

using Line = std::string;
using Talk = parley::Stream<Line, Line>;

class Room {
 public:
  parley::Status serve(Talk& talk) {
    auto name = talk.receive();  // the first line is who it is
    if (!name || !*name) return name.error();
    parley::rt::Channel<Line> box(64);  // what is to be said to it
    parley::rt::Scope scope;
    scope.go("speak", [&] {
      while (auto line = box.receive()) (void)talk.send(*line);
    });
    say(**name + " enters", [&] { boxes_.insert(&box); });
    while (const auto line = talk.receive().value_or(std::nullopt))
      say(**name + ": " + *line, [] {});
    say(**name + " leaves", [&] { boxes_.erase(&box); });
    box.close();
    return {};
  }

 private:
  void say(const Line& line, const std::function<void()>& before) {
    const std::lock_guard lock(lock_);
    before();
    for (auto* box : boxes_) (void)box->try_send(Line(line));
  }
  parley::rt::Mutex lock_;
  std::set<parley::rt::Channel<Line>*> boxes_;
};

int main() {
  return parley::run([] {
    Room room;
    parley::Peer host, peer;
    host.handle_stream("/room", [&](Talk& talk) { return room.serve(talk); });
    const auto session = peer.dial(host.listen("tcp://127.0.0.1:0").value().to_string());
    const auto enter = [&](const Line& name) {
      Talk talk = session.value().open<Line, Line>("/room").value();
      (void)talk.send(name);
      while (talk.receive().value() != name + " enters") continue;
      return talk;
    };
    Talk ann = enter("ann");
    Talk ben = enter("ben");
    Talk cas = enter("cas");
    const auto hear = [&] { std::printf("%s\n", cas.receive().value()->c_str()); };
    (void)ann.send("who has tea?"), hear();
    (void)ben.send("the shop has"), hear();
    (void)ben.finish(), hear();
  });
}
