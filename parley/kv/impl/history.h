// The latest events, for watchers that ask for the past.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "parley/base/result.h"
#include "parley/kv/event.h"

namespace parley::kv::impl {

class History {
 public:
  History(std::size_t max_events, std::size_t max_bytes)
      : max_events_(max_events), max_bytes_(max_bytes) {}

  // Its index follows that of the last one. The oldest goes where there are too many.
  void add(EventRef event);

  // As Tree::scan(). `index` is what an error says of the store.
  [[nodiscard]] Result<EventRef> scan(std::string_view path, bool recursive, std::uint64_t since,
                                      std::uint64_t index) const;

  [[nodiscard]] const std::deque<EventRef>& events() const { return events_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::size_t max_events_;
  std::size_t max_bytes_;
  std::deque<EventRef> events_;
  std::size_t bytes_ = 0;
};

}  // namespace parley::kv::impl
