// How the calls of one fiber went; tallies are added up when the fibers are done.
#pragma once

#include <parley/parley.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace shop {

class Tally {
 public:
  void add(parley::Duration took, const parley::Status& status);
  void add_complaint(std::string text) { complaints_.push_back(std::move(text)); }
  // Adds everything `other` counted.
  void merge(const Tally& other);

  [[nodiscard]] std::size_t calls() const { return took_.size(); }
  // Answers that were not what they had to be.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  // Calls, failures by code, p50 and p99.
  [[nodiscard]] std::string table() const;

 private:
  std::vector<parley::Duration> took_;
  std::map<std::string, std::size_t> failures_;  // "1001 out of stock" or the name of a code
  std::vector<std::string> complaints_;
};

}  // namespace shop
