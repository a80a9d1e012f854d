#include "parley/rt/impl/os_locks.h"

#include <string>

#include "parley/base/assert.h"
#include "parley/rt/impl/fiber.h"

namespace parley::rt::impl {

void refuse_os_locks(const Fiber& fiber, const char* what) {
  if (fiber.os_locks == 0) return;
  assertion_failed("", std::string("fiber '") + fiber.name.get().data() +
                           "' holds an OS mutex (std::mutex, std::shared_mutex or pthread) while "
                           "it would wait for '" +
                           what + "': use rt::Mutex or rt::RwMutex, or unlock it before the wait");
}

}  // namespace parley::rt::impl

#ifdef PARLEY_RT_COUNT_OS_LOCKS
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <ctime>

#include "parley/rt/impl/worker.h"

namespace parley::rt::impl {
namespace {

// A function of the C library that has one of ours in front of it.
template <class Function>
class Real {
 public:
  constexpr explicit Real(const char* name) : name_(name) {}

  template <class... Arguments>
  int operator()(Arguments... arguments) {
    Function* function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
      PARLEY_ASSERT(function != nullptr,
                    "the C library's lock functions are not found (a static program?): configure "
                    "with -DPARLEY_COUNT_OS_LOCKS=OFF");
      function_.store(function, std::memory_order_relaxed);
    }
    return function(arguments...);
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

Fiber* fiber_of_thread() {
  const Worker* worker = Worker::current();
  return worker == nullptr ? nullptr : worker->running();
}

// A robust mutex whose owner died is taken, too.
int taken(int result) {
  if (result == 0 || result == EOWNERDEAD) {
    if (Fiber* fiber = fiber_of_thread(); fiber != nullptr) ++fiber->os_locks;
  }
  return result;
}

// One that was not taken by this fiber, but before there was a runtime perhaps, is not its own.
int given(int result) {
  if (result == 0) {
    Fiber* fiber = fiber_of_thread();
    if (fiber != nullptr && fiber->os_locks > 0) --fiber->os_locks;
  }
  return result;
}

using Mutex = pthread_mutex_t;
using RwLock = pthread_rwlock_t;

constinit Real<int(Mutex*)> mutex_lock("pthread_mutex_lock");
constinit Real<int(Mutex*)> mutex_trylock("pthread_mutex_trylock");
constinit Real<int(Mutex*, const timespec*)> mutex_timedlock("pthread_mutex_timedlock");
constinit Real<int(Mutex*, clockid_t, const timespec*)> mutex_clocklock("pthread_mutex_clocklock");
constinit Real<int(Mutex*)> mutex_unlock("pthread_mutex_unlock");
constinit Real<int(RwLock*)> rdlock("pthread_rwlock_rdlock");
constinit Real<int(RwLock*)> tryrdlock("pthread_rwlock_tryrdlock");
constinit Real<int(RwLock*, const timespec*)> timedrdlock("pthread_rwlock_timedrdlock");
constinit Real<int(RwLock*, clockid_t, const timespec*)> clockrdlock("pthread_rwlock_clockrdlock");
constinit Real<int(RwLock*)> wrlock("pthread_rwlock_wrlock");
constinit Real<int(RwLock*)> trywrlock("pthread_rwlock_trywrlock");
constinit Real<int(RwLock*, const timespec*)> timedwrlock("pthread_rwlock_timedwrlock");
constinit Real<int(RwLock*, clockid_t, const timespec*)> clockwrlock("pthread_rwlock_clockwrlock");
constinit Real<int(RwLock*)> rwlock_unlock("pthread_rwlock_unlock");

}  // namespace
}  // namespace parley::rt::impl

// Waiting for a condition unlocks and locks within the C library, so the count stays as it is.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's are reserved
extern "C" {

namespace rt = parley::rt::impl;

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept { return rt::taken(rt::mutex_lock(mutex)); }
int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  return rt::taken(rt::mutex_trylock(mutex));
}
int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) noexcept {
  return rt::taken(rt::mutex_timedlock(mutex, until));
}
int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* until) noexcept {
  return rt::taken(rt::mutex_clocklock(mutex, clock, until));
}
int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  return rt::given(rt::mutex_unlock(mutex));
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept { return rt::taken(rt::rdlock(lock)); }
int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  return rt::taken(rt::tryrdlock(lock));
}
int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  return rt::taken(rt::timedrdlock(lock, until));
}
int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* until) noexcept {
  return rt::taken(rt::clockrdlock(lock, clock, until));
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept { return rt::taken(rt::wrlock(lock)); }
int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  return rt::taken(rt::trywrlock(lock));
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* until) noexcept {
  return rt::taken(rt::timedwrlock(lock, until));
}
int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* until) noexcept {
  return rt::taken(rt::clockwrlock(lock, clock, until));
}
int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  return rt::given(rt::rwlock_unlock(lock));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
#endif
