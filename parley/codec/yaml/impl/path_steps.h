// A path query taken apart.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"

namespace parley::codec::impl {

struct PathStep {
  enum class What : std::uint8_t { key, any_key, regex, element, any_element, any_depth };

  What what = What::key;
  std::string key{};
  std::size_t index = 0;
  std::unique_ptr<const re2::RE2> regex{};
};

struct PathSteps {
  std::vector<PathStep> steps;
};

Status parse_path(std::string_view text, PathSteps& out);

}  // namespace parley::codec::impl
