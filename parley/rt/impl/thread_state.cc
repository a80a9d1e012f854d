#include "parley/rt/impl/thread_state.h"

#include <sys/syscall.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>

namespace parley::rt::impl {
namespace {

struct Named {
  long number;
  const char* name;
};

// Those that may wait for something outside the program. 64-bit ARM has only the newer ones.
constexpr Named calls[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_readv, "readv"},
    {SYS_writev, "writev"},
    {SYS_pread64, "pread64"},
    {SYS_pwrite64, "pwrite64"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_sendto, "sendto"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_connect, "connect"},
    {SYS_accept, "accept"},
    {SYS_accept4, "accept4"},
    {SYS_futex, "futex"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_ppoll, "ppoll"},
    {SYS_pselect6, "pselect6"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_openat, "openat"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_flock, "flock"},
    {SYS_fcntl, "fcntl"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
#ifdef SYS_poll
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_epoll_wait, "epoll_wait"},
    {SYS_open, "open"},
    {SYS_pause, "pause"},
#endif
};

}  // namespace

std::optional<SystemCall> blocked_in(int thread_id) {
  // proc(5): "running", or the number of the call (-1: blocked, but in none) and its arguments.
  std::ifstream file("/proc/self/task/" + std::to_string(thread_id) + "/syscall");
  long number = -1;
  if (!(file >> number) || number < 0) return {};
  const auto* found = std::find_if(std::begin(calls), std::end(calls),
                                   [number](const Named& call) { return call.number == number; });
  if (found == std::end(calls)) return SystemCall{"number " + std::to_string(number)};
  return SystemCall{found->name, number == SYS_futex};
}

std::optional<Duration> processor_time_of(int thread_id) {
  // The kernel's number for the processor clock of one thread (CPUCLOCK_PERTHREAD_MASK and
  // CPUCLOCK_SCHED in its posix-timers.h), which pthread_getcpuclockid() makes from a pthread_t.
  constexpr clockid_t per_thread = 4;
  constexpr clockid_t scheduled = 2;
  timespec time{};
  if (::clock_gettime((~static_cast<clockid_t>(thread_id) * 8) | per_thread | scheduled, &time) !=
      0) {
    return {};
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace parley::rt::impl
