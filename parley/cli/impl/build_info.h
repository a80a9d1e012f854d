// What CMake knew when this was configured. Constant: any thread.
#pragma once

#include <string_view>

namespace parley::cli::impl {

extern const std::string_view build_version;   // "0.1.0"
extern const std::string_view build_revision;  // "3f2a91c"; empty when not known
extern const std::string_view build_compiler;  // "GNU 12.2.0"
extern const std::string_view build_type;      // "Release"

}  // namespace parley::cli::impl
