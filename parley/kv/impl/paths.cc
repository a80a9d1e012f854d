#include "parley/kv/impl/paths.h"

#include <algorithm>

namespace parley::kv::impl {

bool is_below(std::string_view path, std::string_view above) noexcept {
  if (above == "/") return path != "/";
  return path.size() > above.size() && path[above.size()] == '/' && path.starts_with(above);
}

bool is_hidden_below(std::string_view path, std::string_view above) noexcept {
  const std::size_t skipped = above == "/" ? 0 : above.size();
  return skipped < path.size() && path.substr(skipped).find("/_") != std::string_view::npos;
}

std::string_view name_in(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}

std::string_view Parts::next() noexcept {
  if (is_at_end()) return {};
  const std::size_t begin = end_ + 1;
  end_ = std::min(path_.find('/', begin), path_.size());
  return path_.substr(begin, end_ - begin);
}

}  // namespace parley::kv::impl
