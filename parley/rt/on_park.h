// OnPark: is told when the calling fiber is about to wait, so that what it would keep others from
// meanwhile can be handed on: a fiber that works off a queue runs job after job, and only when one
// of them waits is another fiber needed for the rest.
//
// Belongs to the fiber that made it, and ends in the block where it began.
//
//   {
//     rt::OnPark waits([](void* queue) { static_cast<Queue*>(queue)->hand_on(); }, &queue);
//     run(job);                       // hand_on() is called at most once, if and when it waits
//     if (waits.was_called()) return; // somebody else goes on
//   }
#pragma once

namespace parley::rt {

namespace impl {
class Fiber;
void tell_before_park(Fiber& fiber);
}  // namespace impl

class OnPark {
 public:
  // `call` runs on this fiber's stack right before it leaves it, also for yield(): who gives way
  // may do so until another has done something. Not for a wait that is over at once. It must
  // neither wait nor start a fiber nor cancel a context; it may make a ReadyItem ready or set an
  // Event. Of several, one inside the other, the innermost is called first.
  OnPark(void (*call)(void* argument), void* argument);
  ~OnPark();
  OnPark(const OnPark&) = delete;
  OnPark& operator=(const OnPark&) = delete;

  [[nodiscard]] bool was_called() const { return call_ == nullptr; }
  // As if the fiber were about to wait: calls this one, unless it was called.
  void call_now();

 private:
  friend void impl::tell_before_park(impl::Fiber& fiber);

  void (*call_)(void* argument);
  void* argument_;
  OnPark* outer_;  // those that have been called are skipped
  impl::Fiber& fiber_;
};

// While it lives, no OnPark is told of the waits of the calling fiber. For those that end before
// somebody else could have taken over, and end whatever others wait for: that for a lock, say,
// which is held for a moment and never over a wait.
//
//   std::unique_lock lock = [&] {
//     const rt::ShortWait untold;
//     return std::unique_lock(lock_);
//   }();
class ShortWait {
 public:
  ShortWait();
  ~ShortWait();
  ShortWait(const ShortWait&) = delete;
  ShortWait& operator=(const ShortWait&) = delete;

 private:
  impl::Fiber& fiber_;
  OnPark* const untold_;
};

}  // namespace parley::rt
