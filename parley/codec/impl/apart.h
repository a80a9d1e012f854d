// What is written to must not be a part of what is written: growing it would move the value.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "parley/base/assert.h"

namespace parley::codec::impl {

inline bool lies_in(const void* part, const void* whole, std::size_t size) {
  const auto* const at = static_cast<const char*>(part);
  const auto* const start = static_cast<const char*>(whole);
  return !std::less<>()(at, start) && std::less<>()(at, start + size);
}

// Sees what lies in the value itself, not what it owns elsewhere.
template <class T>
void assert_apart(const std::string& out, const T& value) {
  PARLEY_ASSERT(!lies_in(&out, std::addressof(value), sizeof(T)),
                "a value cannot be written to a string that is a part of it");
}

}  // namespace parley::codec::impl
