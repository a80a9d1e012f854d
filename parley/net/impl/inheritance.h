// What a process is told about descriptors it did not open itself, checked. Private to net.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/result.h"

namespace parley::net::impl {

// The first descriptor behind standard input, output and error: SD_LISTEN_FDS_START.
inline constexpr int first_inherited = 3;

// The names of the descriptors from first_inherited on, by the values of the variables (null: not
// set). Empty when there are none for process `own`.
Result<std::vector<std::string>> read_inheritance(const char* listen_pid, const char* listen_fds,
                                                  const char* listen_fdnames, std::int64_t own);

// Ok for a name of at most max_listener_name printable ASCII characters without ':'.
Status check_listener_name(std::string_view name);

// Ok for a stream socket, TCP or Unix, that listens: it is then non-blocking and closed on exec.
Status check_listening(int fd);

}  // namespace parley::net::impl
