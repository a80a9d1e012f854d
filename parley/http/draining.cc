#include "parley/http/draining.h"

#include <algorithm>
#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/blocking.h"
#include "parley/rt/context.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

// After so many, others have a turn.
constexpr int attended_at_once = 64;

}  // namespace

void Attended::join(std::shared_ptr<Draining> draining, Instant due) {
  draining_ = std::move(draining);
  draining_->add(*this, due);
}

void Attended::attend_at(Instant due) {
  if (draining_ != nullptr) draining_->ask(*this, due);
}

void Attended::leave() {
  if (draining_ != nullptr) draining_->remove(*this);
}

void Draining::add(Attended& one, Instant due) {
  is_used_ = true;
  const Lock lock(lock_);
  PARLEY_ASSERT(!one.is_in_, "it has joined already");
  if (has_ended_) return;
  one.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &one;
  first_ = &one;
  one.is_in_ = true;
  one.due_ = has_begun_ ? Instant() : due;
  look_by(one.due_);
}

void Draining::remove(Attended& one) {
  const Lock lock(lock_);
  if (!std::exchange(one.is_in_, false)) return;
  if (one.next_ != nullptr) one.next_->previous_ = one.previous_;
  (one.previous_ != nullptr ? one.previous_->next_ : first_) = one.next_;
  one.previous_ = one.next_ = nullptr;
}

void Draining::ask(Attended& one, Instant due) {
  const Lock lock(lock_);
  if (!one.is_in_ || due >= one.due_) return;
  one.due_ = due;
  look_by(due);
}

// With the lock held.
void Draining::look_by(Instant due) {
  if (has_ended_ || due >= next_) return;
  if (!scope_) scope_.emplace(rt::Context::background(), rt::OnExit::cancel);
  // Whoever opens a connection does not wait for a fiber here: where there is none, the next one
  // asks again.
  if (!runs_) runs_ = scope_->try_go("draining", [this] { run(); });
  if (!runs_) return;
  next_ = due;
  changed_.broadcast();
}

void Draining::run() {
  Lock lock(lock_);
  while (!has_ended_) {
    const Instant now = rt::now();
    next_ = Instant::max();
    int attended = 0;
    for (Attended* one = first_; one != nullptr; one = one->next_) {
      if (one->due_ <= now) {
        one->due_ = one->attend(now, has_begun_);
        if (++attended % attended_at_once == 0) rt::checkpoint();
      }
      next_ = std::min(next_, one->due_);
    }
    const Instant until = next_;
    (void)changed_.wait(lock, [&] { return has_ended_ || next_ < until; }, rt::Deadline::at(until));
    if (rt::Context::current().is_done()) return;
  }
}

void Draining::begin() {
  Lock lock(lock_);  // who joins meanwhile is told once
  if (has_begun_.exchange(true)) return;
  begun_.set();
  for (Attended* one = first_; one != nullptr; one = one->next_) one->due_ = Instant();
  if (first_ == nullptr) return;
  look_by(Instant());
  if (std::exchange(runs_, true)) return;
  lock.unlock();
  scope_->go("draining", [this] { run(); });
}

void Draining::end() {
  if (!is_used_) return;
  {
    const Lock lock(lock_);
    has_ended_ = true;
    while (first_ != nullptr) {
      Attended& one = *first_;
      first_ = std::exchange(one.next_, nullptr);
      one.previous_ = nullptr;
      one.is_in_ = false;
    }
    changed_.broadcast();
  }
  scope_.reset();
}

bool Draining::start(std::string_view name, std::function<void()> run) {
  return scope_->try_go(name, std::move(run));
}

}  // namespace parley::http
