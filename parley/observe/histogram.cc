#include "parley/observe/histogram.h"

#include <bit>
#include <cmath>
#include <utility>

namespace parley::observe {

Histogram::Histogram(Bounds bounds)
    : bounds_(std::move(bounds)),
      shard_count_(impl::shard_count()),
      // One word for the sum, one for +Inf.
      lines_per_shard_((bounds_.values().size() + 2 + words_per_line - 1) / words_per_line),
      lines_(std::make_unique<Line[]>(shard_count_ * lines_per_shard_)),
      slots_(std::make_unique<Slot[]>(bounds_.values().size() + 1)) {}

Histogram::Word& Histogram::word(std::size_t shard, std::size_t index) const noexcept {
  return lines_[shard * lines_per_shard_ + index / words_per_line].words[index % words_per_line];
}

bool Histogram::count(double value, std::size_t bucket) noexcept {
  if (!std::isfinite(value) || value < 0) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  const std::size_t shard = impl::shard_index(shard_count_);
  word(shard, 1 + bucket).fetch_add(1, std::memory_order_relaxed);
  Word& sum = word(shard, 0);
  std::uint64_t before = sum.load(std::memory_order_relaxed);
  while (!sum.compare_exchange_weak(
      before, std::bit_cast<std::uint64_t>(std::bit_cast<double>(before) + value),
      std::memory_order_relaxed)) {}
  return true;
}

void Histogram::observe(double value) noexcept { count(value, bounds_.bucket_of(value)); }

void Histogram::observe(double value, const TraceId& trace) noexcept {
  const std::size_t bucket = bounds_.bucket_of(value);
  if (count(value, bucket) && trace.is_valid()) remember(slots_[bucket], value, trace);
}

// The data words are stored with release and loaded with acquire: a reader that sees a word of a
// later writer also sees that writer's odd sequence number. No fence, so that ThreadSanitizer
// understands it.
void Histogram::remember(Slot& slot, double value, const TraceId& trace) noexcept {
  std::uint64_t before = slot.sequence.load(std::memory_order_relaxed);
  if (before % 2 != 0) return;
  if (!slot.sequence.compare_exchange_strong(before, before + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
    return;
  }
  slot.value.store(std::bit_cast<std::uint64_t>(value), std::memory_order_release);
  slot.high.store(trace.high, std::memory_order_release);
  slot.low.store(trace.low, std::memory_order_release);
  slot.sequence.store(before + 2, std::memory_order_release);
}

std::optional<Exemplar> Histogram::recall(const Slot& slot) noexcept {
  // A writer holds the slot for four stores. One that lost its CPU in between costs the exemplar
  // for this scrape, not the scrape.
  constexpr int attempts = 64;
  for (int i = 0; i < attempts; ++i) {
    const std::uint64_t before = slot.sequence.load(std::memory_order_acquire);
    if (before == 0) return std::nullopt;
    Exemplar seen;
    seen.value = std::bit_cast<double>(slot.value.load(std::memory_order_acquire));
    seen.trace.high = slot.high.load(std::memory_order_acquire);
    seen.trace.low = slot.low.load(std::memory_order_acquire);
    if (before % 2 == 0 && slot.sequence.load(std::memory_order_relaxed) == before) return seen;
  }
  return std::nullopt;
}

Histogram::Reading Histogram::read() const {
  const std::size_t buckets = bounds_.values().size() + 1;
  Reading reading;
  reading.buckets.resize(buckets);
  for (std::size_t shard = 0; shard < shard_count_; ++shard) {
    reading.sum += std::bit_cast<double>(word(shard, 0).load(std::memory_order_relaxed));
    for (std::size_t i = 0; i < buckets; ++i) {
      reading.buckets[i] += word(shard, 1 + i).load(std::memory_order_relaxed);
    }
  }
  reading.exemplars.reserve(buckets);
  for (std::size_t i = 0; i < buckets; ++i) {
    reading.count += reading.buckets[i];
    reading.exemplars.push_back(recall(slots_[i]));
  }
  return reading;
}

}  // namespace parley::observe
