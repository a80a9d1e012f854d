// One run of `parley gen`: what it would write, and writing it.
//
// Blocks for as long as clang reads (read.h) and the disk takes; use it outside fibers.
//
//   auto changes = plan_generation({.header = "shop/orders.h"});
//   for (const FileChange& change : *changes) {
//     say(text_of(change));                            // CREATE shop/generated/orders.parley.h
//     if (Status s = write_change(change); !s.is_ok()) return s;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"

namespace parley::gen {

// Bytes of a file that is compared or added to.
inline constexpr std::size_t max_file_bytes = std::size_t{16} << 20U;

struct GenerationOptions {
  std::string header = {};   // the file with the interfaces
  std::string include = {};  // how the generated files include it; empty: as `header` is written
  std::string out = {};  // the folder of what is generated; empty: `generated` beside the header
  std::string implement = {};               // the user's own file; empty: none
  std::vector<std::string> arguments = {};  // for the compiler
};

enum class Action : std::uint8_t {
  create,  // it is not there
  update,  // it is there and would change
  keep,    // it is what it should be
};

struct FileChange {
  Action action = Action::keep;
  std::string path = {};
  std::size_t added = 0;     // methods it did not have
  std::string content = {};  // all of it, as it shall be
};

// "CREATE path", "UPDATE (+2) path" or "KEEP path".
std::string text_of(const FileChange& change);

// What the files have to become; nothing is written. Errors: of read.h; invalid_argument when the
// user's file has no class for any of the interfaces; resource_exhausted when a file is longer than
// max_file_bytes; what the file system says (base/files.h).
Result<std::vector<FileChange>> plan_generation(const GenerationOptions& options);

// Makes the file what it should be, in one step: whoever reads it meanwhile sees the old content or
// the new. The folder is made if need be; who may read the file stays as it was.
Status write_change(const FileChange& change);

}  // namespace parley::gen
