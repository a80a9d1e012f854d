// Questions about clean paths (command.h, clean_path()).
#pragma once

#include <cstddef>
#include <string_view>

namespace parley::kv::impl {

// Whether `path` is somewhere below `above`, and not that itself.
bool is_below(std::string_view path, std::string_view above) noexcept;

// Whether a part of `path` below `above` begins with '_': it is hidden from who looks from there.
bool is_hidden_below(std::string_view path, std::string_view above) noexcept;

// "b" of "/a/b"; empty for the root.
std::string_view name_in(std::string_view path) noexcept;

// Steps through the parts: "a" and "b" of "/a/b", then an empty one.
class Parts {
 public:
  explicit Parts(std::string_view path) noexcept : path_(path) {}

  std::string_view next() noexcept;
  // Of the path, up to the end of the part that came last.
  [[nodiscard]] std::string_view so_far() const noexcept { return path_.substr(0, end_); }
  [[nodiscard]] bool is_at_end() const noexcept { return end_ + 1 >= path_.size(); }

 private:
  std::string_view path_;
  std::size_t end_ = 0;
};

}  // namespace parley::kv::impl
