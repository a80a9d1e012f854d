#include "parley/peer/session_values.h"

#include <mutex>

namespace parley {

SessionValues::Value SessionValues::find(std::string_view name) const {
  const std::lock_guard lock(lock_);
  const auto at = values_.find(name);
  return at == values_.end() ? Value() : at->second;
}

// What was there ends outside the lock: it may look at the values itself.
Result<SessionValues::Value> SessionValues::put(std::string_view name, Value value) {
  const std::lock_guard lock(lock_);
  if (has_ended_) {
    return Status(Code::failed_precondition, "the session has ended, and its values with it");
  }
  const auto at = values_.find(name);
  if (at != values_.end()) return std::exchange(at->second, std::move(value));
  if (values_.size() >= most_) {
    return Status(Code::resource_exhausted, "max_session_values: this session has " +
                                                std::to_string(most_) + " values already");
  }
  values_.emplace(name, std::move(value));
  return Value();
}

SessionValues::Value SessionValues::take(std::string_view name) {
  const std::lock_guard lock(lock_);
  const auto at = values_.find(name);
  if (at == values_.end()) return {};
  Value value = std::move(at->second);
  values_.erase(at);
  return value;
}

void SessionValues::end() {
  std::map<std::string, Value, std::less<>> values;
  const std::lock_guard lock(lock_);
  has_ended_ = true;
  values.swap(values_);
}

}  // namespace parley
