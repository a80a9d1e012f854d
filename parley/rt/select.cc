#include "parley/rt/select.h"

#include <algorithm>

#include "parley/rt/impl/context_node.h"
#include "parley/rt/impl/interleave.h"
#include "parley/rt/impl/waiting.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {
namespace {

// All locks of the cases at once, in an order that is the same for all, so that two selects over
// the same channels cannot wait for each other, nor a select and a cancellation that goes from
// parent to child; one that stands behind several cases is taken once. With all of them held there
// is one moment at which the cases are looked at, as in Go.
class AllLocks {
 public:
  explicit AllLocks(std::span<SelectCase*> by_lock) : cases_(by_lock) {
    // Few and mostly in order already.
    for (std::size_t i = 1; i < cases_.size(); ++i) {
      for (std::size_t k = i; k > 0 && comes_before(*cases_[k], *cases_[k - 1]); --k)
        std::swap(cases_[k], cases_[k - 1]);
    }
  }

  void lock() {
    each([](SpinLock& lock) { lock.lock(); });
  }
  void unlock() {
    each([](SpinLock& lock) { lock.unlock(); });
  }

 private:
  // Channels before contexts, parents before children, and then by address.
  static bool comes_before(const SelectCase& a, const SelectCase& b) {
    if (a.rank() != b.rank()) return a.rank() < b.rank();
    return std::less<>()(a.lock(), b.lock());
  }
  template <class Act>
  void each(Act act) {
    const SpinLock* last = nullptr;
    for (SelectCase* one : cases_) {
      if (one->lock() == nullptr || one->lock() == last) continue;
      last = one->lock();
      act(*one->lock());
    }
  }

  std::span<SelectCase*> cases_;
};

void shuffle(std::span<std::size_t> order, Random& random) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
  }
}

SelectCase* chosen_of(const Selection& selection) {
  for (SelectCase* one : selection.cases) {
    if (one->lock() != nullptr && one->was_chosen()) return one;
  }
  return nullptr;
}

}  // namespace

DoneCase::DoneCase(const Context& context)
    : SelectCase(&context.node()->lock, context.node()->depth + 1), context_(context.node()) {
  context_->arm();
}

bool DoneCase::try_now() { return !context_->status().is_ok(); }

void DoneCase::enter(Fiber& fiber) {
  node_.fiber = &fiber;
  context_->waiters.push_back(node_);
}

void DoneCase::leave() { node_.unlink(); }

Status DoneCase::status() const { return context_->status(); }

Selected select_among(const Selection& selection) {
  interleave();
  Fiber& fiber = Worker::current_fiber("rt::select was called");
  shuffle(selection.order, Worker::current()->random());
  AllLocks locks(selection.cases);
  locks.lock();
  for (const std::size_t i : selection.order) {
    SelectCase* one = selection.cases[i];
    if (one->lock() == nullptr || !one->try_now()) continue;
    locks.unlock();
    if (one->to_wake() != nullptr) wake_next(*one->to_wake());
    return {one, {}};
  }
  if (!selection.may_wait) {
    locks.unlock();
    return {};
  }
  Parking parking("select");
  for (SelectCase* one : selection.cases) {
    if (one->lock() != nullptr) one->enter(fiber);
  }
  locks.unlock();
  const Wake why = parking.park(selection.deadline);
  locks.lock();
  for (SelectCase* one : selection.cases) {
    if (one->lock() != nullptr) one->leave();
  }
  locks.unlock();
  if (why == Wake::ready) return {chosen_of(selection), {}};
  return {nullptr, why == Wake::deadline ? Status() : status_of(why, "select")};
}

}  // namespace parley::rt::impl
