#include "parley/http/ranges.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "parley/http/impl/chars.h"
#include "parley/http/syntax.h"
#include "parley/rt/random.h"

namespace parley::http {
namespace {

// A number; one that is too large is the largest.
std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.empty() || !impl::all_of(text, impl::chars::digit)) return std::nullopt;
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (most - digit) / 10) return most;
    value = value * 10 + digit;
  }
  return value;
}

enum class Spec : std::uint8_t { wrong, outside, inside };

Spec read_spec(std::string_view text, std::uint64_t size, ByteRange& range) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return Spec::wrong;
  const std::string_view before = text.substr(0, dash);
  const std::string_view behind = text.substr(dash + 1);
  if (before.empty()) {
    const auto suffix = number_of(behind);
    if (!suffix) return Spec::wrong;
    if (*suffix == 0 || size == 0) return Spec::outside;
    range = {size - std::min(*suffix, size), size - 1};
    return Spec::inside;
  }
  const auto first = number_of(before);
  const auto last = behind.empty() ? std::numeric_limits<std::uint64_t>::max() : number_of(behind);
  if (!first || !last || *first > *last) return Spec::wrong;
  if (*first >= size) return Spec::outside;
  range = {*first, std::min(*last, size - 1)};
  return Spec::inside;
}

// Joins what overlaps or lies close together; false for a flood.
bool join(std::vector<ByteRange>& ranges, const RangeLimits& limits) {
  std::vector<ByteRange> sorted = ranges;
  std::ranges::sort(sorted, {}, &ByteRange::first);
  std::size_t overlaps = 0;
  std::vector<ByteRange> joined;
  for (const ByteRange& range : sorted) {
    if (joined.empty() || (range.first > joined.back().last &&
                           range.first - joined.back().last - 1 > limits.join_gap)) {
      joined.push_back(range);
      continue;
    }
    if (range.first <= joined.back().last) ++overlaps;
    joined.back().last = std::max(joined.back().last, range.last);
  }
  if (overlaps > limits.max_overlaps) return false;
  if (joined.size() < ranges.size()) ranges = std::move(joined);
  return true;
}

}  // namespace

ChosenRanges choose_ranges(const Request& request, const Validators& now, std::uint64_t size,
                           const RangeLimits& limits) {
  if (request.method != Method::get || limits.max_ranges == 0) return {};
  if (request.headers.count("Range") != 1 || !is_range_wanted(request, now)) return {};
  std::string_view rest = *request.headers.get("Range");
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || !same_name(rest.substr(0, equals), "bytes")) return {};
  rest.remove_prefix(equals + 1);
  ChosenRanges chosen{.kind = RangeKind::partial};
  std::size_t specs = 0;
  for (std::string_view element; next_element(rest, element); ++specs) {
    if (specs == limits.max_ranges) return {.kind = RangeKind::unsatisfiable};
    ByteRange range;
    const Spec spec = read_spec(element, size, range);
    if (spec == Spec::wrong) return {};
    if (spec == Spec::inside) chosen.ranges.push_back(range);
  }
  if (specs == 0) return {};
  if (chosen.ranges.empty() || !join(chosen.ranges, limits)) {
    return {.kind = RangeKind::unsatisfiable};
  }
  return chosen;
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
         std::to_string(size);
}

std::string unsatisfied_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

MultipartRanges::MultipartRanges(std::vector<ByteRange> ranges, std::uint64_t size,
                                 std::string_view content_type)
    : ranges_(std::move(ranges)), size_(size), content_type_(content_type), boundary_("parley-") {
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuv";
  for (int i = 0; i < 26; ++i) boundary_ += letters[rt::random_below(letters.size())];
}

std::string MultipartRanges::content_type() const {
  return "multipart/byteranges; boundary=" + boundary_;
}

std::string MultipartRanges::head_of(std::size_t index) const {
  std::string head = (index == 0 ? "--" : "\r\n--") + boundary_ + "\r\n";
  if (!content_type_.empty()) head += "Content-Type: " + content_type_ + "\r\n";
  return head + "Content-Range: " + content_range(ranges_.at(index), size_) + "\r\n\r\n";
}

std::string MultipartRanges::tail() const { return "\r\n--" + boundary_ + "--\r\n"; }

std::uint64_t MultipartRanges::total_bytes() const {
  std::uint64_t total = tail().size();
  for (std::size_t i = 0; i < ranges_.size(); ++i) total += head_of(i).size() + ranges_[i].size();
  return total;
}

}  // namespace parley::http
