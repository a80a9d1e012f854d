// Kept: what those who serve requests keep with the connection that they come by, a session of a
// peer say. One object, made by whoever asks first and gone with the connection.
//
// Fiber-safe: the exchanges of one connection may ask at once.
//
//   auto session = exchange.kept()->get<Session>([&] { return std::make_shared<Session>(...); });
#pragma once

#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "parley/rt/mutex.h"

namespace parley::http {

class Kept {
 public:
  // The T that is kept; what make(), a shared_ptr<T>, returns when there is none yet, or when
  // is_good(T&) is false of it. Null when another type is kept, or make() gave none, which is not
  // kept. Others who ask wait for make().
  template <class T, class Make, class IsGood>
  std::shared_ptr<T> get(Make make, IsGood is_good) {
    const void* const key = key_of<T>();
    const std::lock_guard lock(lock_);
    if (key_ != nullptr && key_ != key) return nullptr;
    auto there = std::static_pointer_cast<T>(object_);
    if (there != nullptr && is_good(*there)) return there;
    there = make();
    object_ = there;
    key_ = there == nullptr ? nullptr : key;
    return there;
  }
  template <class T, class Make>
  std::shared_ptr<T> get(Make make) {
    return get<T>(std::move(make), [](const T&) { return true; });
  }

 private:
  // The address of a variable there is once for each T.
  template <class T>
  static const void* key_of() {
    static constexpr char key = 0;
    return &key;
  }

  rt::Mutex lock_;
  const void* key_ = nullptr;  // of its type
  std::shared_ptr<void> object_;
};

}  // namespace parley::http
