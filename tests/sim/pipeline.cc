// Producers, workers and a merger that selects among all of them.
#include <deque>
#include <vector>

#include "parley/rt/channel.h"
#include "parley/rt/scope.h"
#include "parley/rt/select.h"
#include "parley/rt/wait_group.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

struct Item {
  std::size_t producer = 0;
  int number = 0;
};

void produce(std::size_t producer, int count, rt::Channel<Item>& out) {
  for (int number = 0; number < count; ++number) {
    Item item{producer, number};
    // Sometimes without waiting first.
    if (once_in(3) && out.try_send(item)) continue;
    must(out.send(item).is_ok(), "an open channel takes what it is sent");
    pause(1ms);
  }
  out.close();
}

// From one channel to the other, sometimes late.
void relay(rt::Channel<Item>& in, rt::Channel<Item>& out) {
  for (const Item& item : in) {
    pause(2ms);
    must(out.send(item).is_ok(), "an open channel takes what it is sent");
  }
  out.close();
}

// Receives from both until both are closed.
class Merger {
 public:
  explicit Merger(int each) : each_(each) {}

  void run(rt::Channel<Item>& left, rt::Channel<Item>& right, rt::Channel<int>& ticks) {
    rt::Channel<Item>* open_left = &left;
    rt::Channel<Item>* open_right = &right;
    while (open_left != nullptr || open_right != nullptr) {
      const Status status = rt::select(
          rt::on_receive(open_left, [&](Result<Item> item) { take(item, open_left); }),
          rt::on_receive(open_right, [&](Result<Item> item) { take(item, open_right); }),
          rt::on_send(ticks, taken_, [&] { ++ticks_; }), rt::on_timeout(1ms, [&] { ++idle_; }));
      must(status.is_ok(), "a select whose context goes on does one of its cases");
    }
    ticks.close();
    must(next_[0] == each_ && next_[1] == each_, "every value arrives");
  }

  [[nodiscard]] int ticks() const { return ticks_; }

 private:
  void take(const Result<Item>& item, rt::Channel<Item>*& from) {
    if (!item) {
      from = nullptr;
      return;
    }
    ++taken_;
    must(item->number == next_[item->producer]++, "values arrive once, in their order");
  }

  const int each_;
  std::vector<int> next_{0, 0};
  int taken_ = 0;
  int ticks_ = 0;
  int idle_ = 0;
};

}  // namespace

void pipeline() {
  const int each = draw(1, 15);
  std::deque<rt::Channel<Item>> channels;
  rt::Scope scope;
  std::vector<rt::Channel<Item>*> ends;
  for (std::size_t producer = 0; producer < 2; ++producer) {
    auto* end = &channels.emplace_back(static_cast<std::size_t>(draw(0, 4)));
    scope.go("producer", [producer, each, end] { produce(producer, each, *end); });
    const int relays = draw(0, 3);
    for (int i = 0; i < relays; ++i) {
      auto* next = &channels.emplace_back(static_cast<std::size_t>(draw(0, 2)));
      scope.go("relay", [end, next] { relay(*end, *next); });
      end = next;
    }
    ends.push_back(end);
  }
  rt::Channel<int> ticks;
  Merger merger(each);
  scope.go("merger", [&] { merger.run(*ends[0], *ends[1], ticks); });
  int heard = 0;
  int last = 0;
  for (const int tick : ticks) {
    must(tick >= last, "what was taken only grows");
    last = tick;
    ++heard;
    pause(3ms);
  }
  scope.join();
  must(heard == merger.ticks(), "a send that was chosen is a receive that happened");
}

}  // namespace parley::sim
