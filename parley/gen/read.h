// Reading C++ with libclang: what a header declares.
//
// Blocks for as long as the compiler's front end takes, a second or so for a header that includes
// Parley's; use it outside fibers. Nothing else in this floor knows libclang.
//
//   auto header = read_interfaces("shop/orders.h", {"-Ishop"});
//   if (!header) say(header.error().message());   // shop/orders.h:12:3: ...
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parley/base/result.h"
#include "parley/gen/interface.h"

namespace parley::gen {

// The interfaces in the file itself, in their order: each class with pure virtual functions that is
// not marked `@local` in its comment. `arguments` are for the compiler, behind -std=c++20 and the
// folder of Parley's headers.
// invalid_argument with a line `file:line:column: what, and what to write instead` for each thing
// that cannot travel; clang's first error when it is no C++; not_found when there is no such file
// or no interface in it.
Result<Header> read_interfaces(const std::string& path, std::span<const std::string> arguments);

// A file that is read as if it had this content, whatever the disk says.
struct GivenFile {
  std::string path;
  std::string content;
};

// The classes in the file itself that derive from an interface of `header`. Errors as above; but a
// class that still lacks methods may be used as if it did not.
Result<std::vector<ServiceClass>> read_services(const std::string& path, const Header& header,
                                                std::span<const std::string> arguments,
                                                std::span<const GivenFile> files = {});

}  // namespace parley::gen
