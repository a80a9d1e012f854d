// A barrier on every running thread of the process at once, paid by who issues it: the other side
// of a lock whose frequent side must not pay for one (membarrier(2), private expedited). Private to
// rt.
#pragma once

#include <atomic>

namespace parley::rt::impl {

// Whether the kernel has it; asked when the program starts, before there are threads, because
// registering is slow later. A test may switch it off.
extern std::atomic<bool> has_membarrier;

// What every thread of the process wrote before is visible to the caller afterwards, and each
// thread's later loads see what the caller wrote before. Only where has_membarrier.
void membarrier();

}  // namespace parley::rt::impl
