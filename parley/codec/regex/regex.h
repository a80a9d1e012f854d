// Regular expressions for the rules of types (matches() of rule_words.h), by RE2: in time linear in
// the text, whatever the pattern. A library of its own, parley::codec_regex, so that nobody else
// needs RE2.
//
//   const codec::RegexPatterns patterns;                       // one for the whole program
//   Status status = codec::check_rules<Order>({.patterns = &patterns});   // at the start
//   status = codec::validate(order, {.patterns = &patterns});
//
// Syntax: github.com/google/re2/wiki/Syntax. A pattern matches anywhere in the text; `^` and `$`
// are its ends. Patterns and texts are UTF-8: a text that is not matches no pattern but by its
// bytes.
//
// Each pattern is compiled once, when it is first met, and kept. Safe on every thread and fiber,
// all at once; what is known already is found without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

#include "parley/base/result.h"
#include "parley/codec/validate.h"

namespace parley::codec {

class RegexPatterns final : public PatternMatcher {
 public:
  // Bytes that each compiled pattern may take. One that needs more is refused.
  static constexpr std::size_t default_max_regex_memory = std::size_t{1} << 20;

  explicit RegexPatterns(std::size_t max_regex_memory = default_max_regex_memory);
  ~RegexPatterns() override;

  // failed_precondition when `pattern` is no regular expression or too large: with the pattern and
  // what is wrong with it.
  [[nodiscard]] Result<bool> matches(std::string_view pattern,
                                     std::string_view text) const override;

  // How many patterns are kept.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  struct Compiled;
  using Bucket = std::atomic<const Compiled*>;

  [[nodiscard]] static const Compiled* find(const Compiled* one, std::string_view pattern);
  const Compiled& compile(Bucket& bucket, std::string_view pattern) const;

  const std::size_t max_regex_memory_;
  // By hash of the pattern; new ones come in front and stay.
  mutable std::array<Bucket, 64> buckets_{};
  mutable std::atomic<std::size_t> size_{0};
};

}  // namespace parley::codec
