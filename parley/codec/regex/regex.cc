#include "parley/codec/regex/regex.h"

#include <re2/re2.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "parley/codec/impl/failure.h"

namespace parley::codec {
namespace {

constexpr std::size_t max_shown = 128;

re2::RE2::Options options_with(std::size_t max_memory) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(max_memory));
  return options;
}

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct RegexPatterns::Compiled {
  Compiled(std::string_view text, const re2::RE2::Options& options)
      : pattern(text), regex(piece_of(pattern), options) {}

  const std::string pattern;
  const re2::RE2 regex;
  const Compiled* next = nullptr;  // set before others see this
};

RegexPatterns::RegexPatterns(std::size_t max_regex_memory) : max_regex_memory_(max_regex_memory) {}

RegexPatterns::~RegexPatterns() {
  for (const Bucket& bucket : buckets_) {
    for (const Compiled* one = bucket.load(std::memory_order_acquire); one != nullptr;) {
      const Compiled* const next = one->next;
      delete one;
      one = next;
    }
  }
}

const RegexPatterns::Compiled* RegexPatterns::find(const Compiled* one, std::string_view pattern) {
  while (one != nullptr && one->pattern != pattern) one = one->next;
  return one;
}

// Of several threads that meet a pattern at once each compiles it, and the first one's stays.
const RegexPatterns::Compiled& RegexPatterns::compile(Bucket& bucket,
                                                      std::string_view pattern) const {
  auto made = std::make_unique<Compiled>(pattern, options_with(max_regex_memory_));
  made->next = bucket.load(std::memory_order_acquire);
  do {
    if (const Compiled* const known = find(made->next, pattern)) return *known;
  } while (!bucket.compare_exchange_weak(made->next, made.get(), std::memory_order_acq_rel,
                                         std::memory_order_acquire));
  size_.fetch_add(1, std::memory_order_relaxed);
  return *made.release();
}

Result<bool> RegexPatterns::matches(std::string_view pattern, std::string_view text) const {
  Bucket& bucket = buckets_[std::hash<std::string_view>()(pattern) % buckets_.size()];
  const Compiled* one = find(bucket.load(std::memory_order_acquire), pattern);
  if (one == nullptr) one = &compile(bucket, pattern);
  if (one->regex.ok()) return re2::RE2::PartialMatch(piece_of(text), one->regex);
  const std::string shown = "the pattern " + impl::shortened(pattern, max_shown);
  if (one->regex.error_code() == re2::RE2::ErrorPatternTooLarge) {
    return Status(Code::failed_precondition, shown + " needs more than max_regex_memory (" +
                                                 std::to_string(max_regex_memory_) +
                                                 ") bytes: simplify it, or raise that");
  }
  return Status(Code::failed_precondition,
                shown + " is no regular expression: " + one->regex.error());
}

}  // namespace parley::codec
