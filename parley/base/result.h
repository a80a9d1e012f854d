// Result<T>: a T, or the Status that says why there is none. Member names are std::expected's
// (C++23, [expected]), so the type can become an alias one day.
//
// Not thread-safe beyond what T is. Never ok without a value: an ok Status as error is a bug.
//
//   Result<Receipt> place(const Order& order);
//   auto receipt = place(order);
//   if (!receipt) return receipt.error();
//   total += receipt->price;
#pragma once

#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "parley/base/assert.h"
#include "parley/base/status.h"

namespace parley {

template <class T>
class Result;

namespace impl {
template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;

[[noreturn]] inline void no_value(const Status& status,
                                  std::source_location where = std::source_location::current()) {
  assertion_failed("", "a Result without a value was asked for it: " + status.to_string(), where);
}
}  // namespace impl

template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_same_v<std::remove_cv_t<T>, Status>,
                "Result<T> holds a value: for a reference use a pointer, for a Status use Status");

 public:
  using value_type = T;
  using error_type = Status;

  // NOLINTBEGIN(google-explicit-constructor): `return value;` and `return status;` are the point.
  template <class U = T>
    requires(std::is_constructible_v<T, U> && !std::is_same_v<std::remove_cvref_t<U>, Status> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Status error) : state_(std::in_place_index<1>, std::move(error)) {
    PARLEY_ASSERT(!std::get<1>(state_).is_ok(), "a Result was made from an ok Status");
  }
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // The value; without one the program ends with the error's text, as for any bug. value() also
  // names the line that asked; the operators below cannot.
  [[nodiscard]] T& value(std::source_location where = std::source_location::current()) & {
    return checked(*this, where);
  }
  [[nodiscard]] const T& value(
      std::source_location where = std::source_location::current()) const& {
    return checked(*this, where);
  }
  [[nodiscard]] T&& value(std::source_location where = std::source_location::current()) && {
    return std::move(checked(*this, where));
  }

  T& operator*() & { return checked(*this); }
  const T& operator*() const& { return checked(*this); }
  T&& operator*() && { return std::move(checked(*this)); }
  T* operator->() { return &checked(*this); }
  const T* operator->() const { return &checked(*this); }

  // The error; the ok Status when there is a value (so `return result.error();` always compiles to
  // something true).
  [[nodiscard]] Status error() const { return has_value() ? Status() : std::get<1>(state_); }

  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? std::get<0>(state_) : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& other) && {
    return has_value() ? std::move(std::get<0>(state_)) : static_cast<T>(std::forward<U>(other));
  }

  // f(value) must return a Result; an error passes by.
  template <class F>
  auto and_then(F&& f) && {
    using Returned = std::remove_cvref_t<std::invoke_result_t<F, T&&>>;
    static_assert(impl::is_result<Returned>, "and_then: the function must return a Result");
    if (has_value()) return std::invoke(std::forward<F>(f), std::move(std::get<0>(state_)));
    return Returned(std::get<1>(std::move(state_)));
  }

  // Result of f(value); an error passes by.
  template <class F>
  auto transform(F&& f) && -> Result<std::remove_cvref_t<std::invoke_result_t<F, T&&>>> {
    if (has_value()) return std::invoke(std::forward<F>(f), std::move(std::get<0>(state_)));
    return std::get<1>(std::move(state_));
  }

  // f(status) must return a Result<T>; a value passes by.
  template <class F>
  Result or_else(F&& f) && {
    if (has_value()) return std::move(*this);
    return std::invoke(std::forward<F>(f), std::get<1>(std::move(state_)));
  }

  // The error replaced by f(status); a value passes by.
  template <class F>
  Result transform_error(F&& f) && {
    if (has_value()) return std::move(*this);
    return Status(std::invoke(std::forward<F>(f), std::get<1>(std::move(state_))));
  }

 private:
  template <class Self>
  static auto& checked(Self& self, std::source_location where = std::source_location::current()) {
    if (!self.has_value()) impl::no_value(std::get<1>(self.state_), where);
    return *std::get_if<0>(&self.state_);
  }

  std::variant<T, Status> state_;
};

// Result<void> is what Status is, with Result's member names: for generic code.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  using error_type = Status;

  Result() = default;
  Result(Status error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return error_.is_ok(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) impl::no_value(error_);
  }
  void operator*() const { value(); }
  [[nodiscard]] Status error() const { return error_; }

 private:
  Status error_;
};

}  // namespace parley
