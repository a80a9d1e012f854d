// What the threads that serve a runtime beside its workers have in common. Private to rt.
#pragma once

#include <string_view>

namespace parley::rt::impl {

// Gives the calling thread a table of descriptors of its own, with nothing in it but `kept` (-1:
// nothing). As long as two threads share a table the kernel counts who uses a descriptor, in every
// system call: 7 % of an echo. So a runtime with one worker has no thread beside it that shares.
// Does nothing where the kernel cannot (before Linux 5.9) or where say() would have no stderr then.
void leave_descriptors(int kept = -1);

// Writes to what is the process's stderr at this moment, whoever's table the caller has.
void say(std::string_view text);

}  // namespace parley::rt::impl
