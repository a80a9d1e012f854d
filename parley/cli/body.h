// The body of a message, from the arguments of a command line or from a file.
//
// Any thread; body_from_file() blocks: use it outside fibers.
//
//   auto body = body_of(arguments);   // {"1", "2"} -> [1,2]
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "parley/base/result.h"

namespace parley::cli {

// The largest body this command sends, in bytes: what a peer accepts unless told otherwise.
inline constexpr std::size_t max_body_bytes = std::size_t{16} << 20;

// Nothing -> "", one -> itself, several -> a JSON array of them. An argument that is not JSON is
// invalid_argument with its number and how to quote it.
Result<std::string> body_of(std::span<const std::string> arguments);

// The content of the file, or of standard input for "-", which must be empty or JSON. More than
// max_body_bytes is resource_exhausted; the file is not read further than that.
Result<std::string> body_from_file(const std::string& path);

}  // namespace parley::cli
