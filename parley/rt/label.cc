#include "parley/rt/label.h"

#include "parley/rt/impl/worker.h"

namespace parley::rt {

using impl::Worker;

Label::Label(const char* key, std::string_view value) {
  impl::Fiber& fiber = Worker::current_fiber("rt::Label was made");
  node_.key = key;
  node_.value.set(value);
  node_.outer = fiber.labels.load(std::memory_order_relaxed);
  fiber.labels.store(&node_, std::memory_order_release);
}

Label::~Label() {
  Worker::current_fiber("rt::Label ended").labels.store(node_.outer, std::memory_order_release);
}

}  // namespace parley::rt
