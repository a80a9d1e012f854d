#include "tally.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "shop.h"

namespace shop {
namespace {

std::string name_of_failure(const parley::Status& status) {
  switch (status.business_code()) {
    case 0:
      return std::string(parley::name_of(status.code()));
    case out_of_stock:
      return "1001 out of stock";
    case unknown_sku:
      return "1002 unknown sku";
    case bad_quantity:
      return "1003 bad quantity";
    case not_confirmed:
      return "1004 not confirmed";
    default:
      return std::to_string(status.business_code());
  }
}

std::string row(const std::string& name, std::size_t count) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "  %-22s %8zu\n", name.c_str(), count);
  return text.data();
}

// The value that `percent` of all are not above. `sorted` holds at least one.
std::string percentile(const std::vector<parley::Duration>& sorted, std::size_t percent) {
  const std::size_t index = (sorted.size() * percent + 99) / 100 - 1;
  const std::chrono::duration<double, std::milli> milliseconds = sorted[index];
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "  p%-21zu %8.2f ms\n", percent, milliseconds.count());
  return text.data();
}

}  // namespace

void Tally::add(parley::Duration took, const parley::Status& status) {
  took_.push_back(took);
  if (!status.is_ok()) ++failures_[name_of_failure(status)];
}

void Tally::merge(const Tally& other) {
  took_.insert(took_.end(), other.took_.begin(), other.took_.end());
  for (const auto& [name, count] : other.failures_) failures_[name] += count;
  complaints_.insert(complaints_.end(), other.complaints_.begin(), other.complaints_.end());
}

std::string Tally::table() const {
  std::size_t failed = 0;
  for (const auto& [name, count] : failures_) failed += count;
  std::string text = row("calls", took_.size()) + row("answered with a receipt", calls() - failed) +
                     row("refused", failed);
  for (const auto& [name, count] : failures_) text += row("  " + name, count);
  if (took_.empty()) return text;
  std::vector<parley::Duration> sorted = took_;
  std::sort(sorted.begin(), sorted.end());
  return text + percentile(sorted, 50) + percentile(sorted, 99);
}

}  // namespace shop
