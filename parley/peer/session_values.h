// SessionValues: what a program keeps with a session: who has logged in, what was agreed upon.
// Typed values under names, found by both.
//
// Fiber-safe, inside a fiber only. A value is shared, never changed: put another one in its place.
// All of them go when the session has ended and its on_closed callbacks have returned.
//
//   session.values().set("user", User{"ann"});
//   if (auto user = session.values().get<User>("user")) greet(user->name);
//   auto before = session.values().swap("room", std::string("kitchen"));
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/base/result.h"
#include "parley/rt/mutex.h"

namespace parley {

class SessionValues {
 public:
  // What is put in is found as: texts of any kind are std::string.
  template <class T>
  using Stored = std::conditional_t<std::is_convertible_v<const std::decay_t<T>&, std::string_view>,
                                    std::string, std::decay_t<T>>;

  // `most`: see PeerOptions::max_session_values.
  explicit SessionValues(std::size_t most) : most_(most) {}
  SessionValues(const SessionValues&) = delete;
  SessionValues& operator=(const SessionValues&) = delete;

  // The value of that name; null when there is none, or it is not a T.
  template <class T>
  [[nodiscard]] std::shared_ptr<const T> get(std::string_view name) const {
    return as<T>(find(name));
  }

  // Puts it in the place of what has that name, of whatever type. resource_exhausted when there are
  // max_session_values others; failed_precondition when the session has ended.
  template <class T>
  Status set(std::string_view name, T&& value) {
    return put(name, make(std::forward<T>(value))).error();
  }

  // The same, and returns what was there before; null when that was nothing, or not of this type.
  template <class T>
  Result<std::shared_ptr<const Stored<T>>> swap(std::string_view name, T&& value) {
    auto before = put(name, make(std::forward<T>(value)));
    if (!before) return before.error();
    return as<Stored<T>>(*before);
  }

  // False when there was none.
  bool remove(std::string_view name) { return take(name).value != nullptr; }

  // Internal: from here on there are none.
  void end();

 private:
  struct Value {
    const void* type = nullptr;
    std::shared_ptr<const void> value;
  };
  // The address of a variable there is once for each T.
  template <class T>
  static const void* type_of() {
    static constexpr char type = 0;
    return &type;
  }
  template <class T>
  static Value make(T&& value) {
    return {type_of<Stored<T>>(), std::make_shared<const Stored<T>>(std::forward<T>(value))};
  }
  template <class T>
  static std::shared_ptr<const T> as(const Value& value) {
    if (value.type != type_of<T>()) return nullptr;
    return std::static_pointer_cast<const T>(value.value);
  }
  [[nodiscard]] Value find(std::string_view name) const;
  Result<Value> put(std::string_view name, Value value);
  Value take(std::string_view name);

  const std::size_t most_;
  mutable rt::Mutex lock_;  // of what follows
  std::map<std::string, Value, std::less<>> values_;
  bool has_ended_ = false;
};

}  // namespace parley
