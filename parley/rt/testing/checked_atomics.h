// What code under test is given in place of real atomics, variables and locks, so that
// interleavings.h can walk through what it does. For tests only.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <source_location>
#include <type_traits>

#include "parley/rt/testing/interleavings.h"

namespace parley::rt::testing {

namespace interleaved {

template <class T>
std::uint64_t bits_of(const T& value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  return value;
}

}  // namespace interleaved

// A std::atomic whose every access is a step.
template <class T>
class CheckedAtomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  using Where = std::source_location;
  using Order = std::memory_order;

 public:
  CheckedAtomic() : CheckedAtomic(T{}) {}
  CheckedAtomic(T value)  // NOLINT(google-explicit-constructor): as that of std::atomic
      : place_(interleaved::add_atomic(interleaved::bits_of(value))) {}
  ~CheckedAtomic() { interleaved::remove_atomic(place_, Where::current()); }
  CheckedAtomic(const CheckedAtomic&) = delete;
  CheckedAtomic& operator=(const CheckedAtomic&) = delete;

  T load(Order order = Order::seq_cst, Where where = Where::current()) const {
    return interleaved::from_bits<T>(interleaved::load(place_, order, where));
  }
  void store(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    interleaved::store(place_, interleaved::bits_of(value), order, where);
  }
  T exchange(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    return change("exchange", order, where, [value](T) { return value; });
  }
  T fetch_add(T by, Order order = Order::seq_cst, Where where = Where::current()) {
    return change("fetch_add", order, where, [by](T was) { return static_cast<T>(was + by); });
  }
  T fetch_sub(T by, Order order = Order::seq_cst, Where where = Where::current()) {
    return change("fetch_sub", order, where, [by](T was) { return static_cast<T>(was - by); });
  }
  T fetch_or(T by, Order order = Order::seq_cst, Where where = Where::current()) {
    return change("fetch_or", order, where, [by](T was) { return static_cast<T>(was | by); });
  }
  T fetch_and(T by, Order order = Order::seq_cst, Where where = Where::current()) {
    return change("fetch_and", order, where, [by](T was) { return static_cast<T>(was & by); });
  }
  bool compare_exchange_strong(T& expected, T value, Order success, Order failure,
                               Where where = Where::current()) {
    return compare_exchange(expected, value, {"compare_exchange", success, failure, false}, where);
  }
  bool compare_exchange_strong(T& expected, T value, Order order = Order::seq_cst,
                               Where where = Where::current()) {
    return compare_exchange_strong(expected, value, order, failure_order(order), where);
  }
  bool compare_exchange_weak(T& expected, T value, Order success, Order failure,
                             Where where = Where::current()) {
    return compare_exchange(expected, value, {"compare_exchange", success, failure, true}, where);
  }
  bool compare_exchange_weak(T& expected, T value, Order order = Order::seq_cst,
                             Where where = Where::current()) {
    return compare_exchange_weak(expected, value, order, failure_order(order), where);
  }

 private:
  static Order failure_order(Order order) {
    if (order == Order::acq_rel) return Order::acquire;
    return order == Order::release ? Order::relaxed : order;
  }
  template <class F>
  T change(const char* operation, Order order, Where where, F next) {
    return interleaved::from_bits<T>(interleaved::read_modify_write(
        place_, {operation, order, order, false},
        [&next](std::uint64_t was) -> std::optional<std::uint64_t> {
          return interleaved::bits_of(next(interleaved::from_bits<T>(was)));
        },
        where));
  }
  bool compare_exchange(T& expected, T value, const interleaved::Exchange& how, Where where) {
    bool changed = false;
    const std::uint64_t hoped = interleaved::bits_of(expected);
    const auto was = interleaved::read_modify_write(
        place_, how,
        [&](std::uint64_t here) -> std::optional<std::uint64_t> {
          if (here != hoped) return std::nullopt;
          changed = true;
          return interleaved::bits_of(value);
        },
        where);
    if (!changed) expected = interleaved::from_bits<T>(was);
    return changed;
  }

  interleaved::Place place_;
};

// A variable that is not atomic: who reads or writes it must come after the last write, and who
// writes or destroys it after every read too; otherwise the run fails with a data race.
template <class T>
class CheckedVar {
  using Where = std::source_location;

 public:
  CheckedVar(Where where = Where::current())  // NOLINT(google-explicit-constructor): as a T
      : value_(), place_(interleaved::add_cell(where)) {}
  CheckedVar(T value, Where where = Where::current())  // NOLINT(google-explicit-constructor): same
      : value_(value), place_(interleaved::add_cell(where)) {}
  CheckedVar(const CheckedVar& other, Where where = Where::current())
      : value_(other.read(where)), place_(interleaved::add_cell(where)) {}
  ~CheckedVar() { interleaved::write_cell(place_, Where::current(), true); }
  CheckedVar& operator=(const CheckedVar& other) {
    if (this != &other) write(other.read());
    return *this;
  }
  CheckedVar& operator=(T value) {
    write(value);
    return *this;
  }

  T read(Where where = Where::current()) const {
    interleaved::read_cell(place_, where);
    return value_;
  }
  void write(T value, Where where = Where::current()) {
    interleaved::write_cell(place_, where);
    value_ = value;
  }
  operator T() const { return read(); }  // NOLINT(google-explicit-constructor): as a T

 private:
  T value_;
  interleaved::Place place_;
};

// A lock in one step, for what is guarded by a SpinLock: that one is walked through on its own.
class CheckedLock {
  using Where = std::source_location;

 public:
  CheckedLock() : place_(interleaved::add_atomic(0)) {}
  ~CheckedLock() { interleaved::remove_atomic(place_, Where::current()); }
  CheckedLock(const CheckedLock&) = delete;
  CheckedLock& operator=(const CheckedLock&) = delete;

  void lock(Where where = Where::current()) { interleaved::lock(place_, where); }
  void unlock(Where where = Where::current()) { interleaved::unlock(place_, where); }

 private:
  interleaved::Place place_;
};

// For the `Atomics` of the code under test: see impl/atomics.h.
struct CheckedAtomics {
  using Where = std::source_location;

  template <class T>
  using Atomic = CheckedAtomic<T>;

  static void relax() { interleaved::relax(); }
  static void give_way() { interleaved::relax(); }
  // The calling thread counts as the only worker of its runtime from here on.
  static void become_lone() { interleaved::become_lone(); }
  [[nodiscard]] static bool is_lone() { return interleaved::is_lone(); }
  static void full_fence(Where where = Where::current()) { interleaved::fence(where); }
  static void light_fence(Where where = Where::current()) { interleaved::light_fence(where); }
  static void heavy_fence(Where where = Where::current()) { interleaved::heavy_fence(where); }
};

}  // namespace parley::rt::testing
