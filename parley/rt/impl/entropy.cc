#include "parley/rt/impl/entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "parley/base/assert.h"
#include "parley/base/random.h"

namespace parley::rt::impl {
namespace {

std::uint64_t from_kernel() {
  std::uint64_t bits = 0;
  // So few bytes come whole or, before the kernel has gathered its first entropy, late.
  ssize_t got = -1;
  while (got < 0 && (got = ::getrandom(&bits, sizeof bits, 0)) < 0 && errno == EINTR) {}
  PARLEY_ASSERT(got == static_cast<ssize_t>(sizeof bits), "the kernel gives no random bytes");
  return bits;
}

}  // namespace

// noinline, and the generator is not kept over a wait: the fiber may wake up on another thread.
[[gnu::noinline]] std::uint64_t entropy() {
  asm volatile("" ::: "memory");
  thread_local parley::Random generator{from_kernel()};
  return generator.next();
}

}  // namespace parley::rt::impl
