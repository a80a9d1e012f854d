#include "parley/rt/impl/membarrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parley/base/assert.h"

namespace parley::rt::impl {
namespace {

bool issue(int command) { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

std::atomic<bool> has_membarrier{issue(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)};

void membarrier() {
  PARLEY_ASSERT(issue(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
                "membarrier(2) worked when the program started and does not any more");
}

}  // namespace parley::rt::impl
