#include "parley/rt/on_park.h"

#include <utility>

#include "parley/base/assert.h"
#include "parley/rt/impl/fiber.h"
#include "parley/rt/impl/worker_inline.h"

namespace parley::rt {

OnPark::OnPark(void (*call)(void*), void* argument)
    : call_(call), argument_(argument), fiber_(impl::Worker::current_fiber("an OnPark was made")) {
  outer_ = fiber_.on_park;
  fiber_.on_park = this;
}

OnPark::~OnPark() {
  // Once it has been called, what is around it has been called as well.
  if (fiber_.on_park != nullptr) fiber_.on_park = outer_;
}

void OnPark::call_now() {
  if (call_ != nullptr) std::exchange(call_, nullptr)(argument_);
}

ShortWait::ShortWait()
    : fiber_(impl::Worker::current_fiber("an rt::ShortWait was made")),
      untold_(std::exchange(fiber_.on_park, nullptr)) {}

ShortWait::~ShortWait() { fiber_.on_park = untold_; }

void impl::tell_before_park(Fiber& fiber) {
  // None is left while they are called: one that waits after all would be told again and again.
  for (OnPark* each = std::exchange(fiber.on_park, nullptr); each != nullptr; each = each->outer_) {
    if (each->call_ != nullptr) std::exchange(each->call_, nullptr)(each->argument_);
  }
}

}  // namespace parley::rt
