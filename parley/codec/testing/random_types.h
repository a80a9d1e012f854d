// Types that nobody chose, and random values of them: lists in maps in optionals in variants, as
// the seed has it. For tests that say something about every type.
//
//   using Any = testing::RandomType<17, 3>;            // the 17th, at most three deep
//   const Any value = testing::random_value<Any>(dice);
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "parley/codec/testing/sample.h"

namespace parley::codec::testing {

enum class Leaf : std::int16_t { oolong, sencha = 7, assam = -3 };

// A std::unique_ptr whose equality is that of what it owns.
template <class T>
struct Owner {
  std::unique_ptr<T> it;
  friend bool operator==(const Owner& a, const Owner& b) {
    return a.it == nullptr || b.it == nullptr ? a.it == b.it : *a.it == *b.it;
  }
};
template <class A>
struct One {
  A sole{};
  friend bool operator==(const One&, const One&) = default;
};
template <class A, class B, class C>
struct Three {
  A first{};
  B second{};
  C third{};
  friend bool operator==(const Three&, const Three&) = default;
};

namespace impl {

// SplitMix64.
constexpr std::uint64_t mixed(std::uint64_t seed) {
  seed += 0x9E3779B97F4A7C15U;
  seed = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9U;
  seed = (seed ^ (seed >> 27)) * 0x94D049BB133111EBU;
  return seed ^ (seed >> 31);
}

using Singles = std::tuple<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t,
                           std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, float, double,
                           std::string, Leaf, std::vector<std::byte>, std::chrono::milliseconds,
                           std::chrono::sys_time<std::chrono::microseconds>>;
using Keys = std::tuple<std::string, std::int32_t, std::uint64_t, bool, Leaf>;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
// There is no optional of an optional, and a std::unique_ptr is one.
template <class T>
using Optional = std::conditional_t<IsOptional<T>::value, T, std::optional<T>>;
template <class T>
using Owned = std::conditional_t<IsOptional<T>::value, One<T>, Owner<T>>;

template <class All, std::uint64_t seed>
using OneOf = std::tuple_element_t<seed % std::tuple_size_v<All>, All>;

template <std::uint64_t seed, int depth>
consteval auto pick() {
  constexpr std::uint64_t roll = mixed(seed);
  if constexpr (depth == 0) {
    return std::type_identity<OneOf<Singles, roll>>();
  } else {
    using A = typename decltype(pick<roll + 1, depth - 1>())::type;
    // Two of three are shallower, or types would grow with the power of three.
    using B = typename decltype(pick<roll + 2, (depth - 1) / 2>())::type;
    using C = typename decltype(pick<roll + 3, 0>())::type;
    using Key = OneOf<Keys, mixed(roll + 4)>;
    // Of single values only: to make room a list moves what it holds unless that may throw, and a
    // std::deque says it may; an Owner cannot be copied then.
    using Deque = std::deque<C>;
    // Two alternatives must not have one name.
    using Inner = std::tuple<std::vector<A>, Deque, Optional<A>, std::array<A, 2>, std::map<Key, A>,
                             std::unordered_map<Key, A>, std::set<OneOf<Keys, mixed(roll + 5)>>,
                             std::pair<B, A>, std::tuple<A, C, B>, One<A>, Three<A, B, C>,
                             Three<C, A, B>, Owned<A>, std::variant<Three<C, B, C>, One<A>, bool>>;
    return std::type_identity<OneOf<Inner, mixed(roll + 6)>>();
  }
}

}  // namespace impl

// Always a struct, so that every format can carry it.
template <std::uint64_t seed, int depth>
using RandomType = Three<typename decltype(impl::pick<impl::mixed(seed), depth>())::type,
                         typename decltype(impl::pick<impl::mixed(seed) + 1, depth - 1>())::type,
                         typename decltype(impl::pick<impl::mixed(seed) + 2, depth - 1>())::type>;

// Fills `value`, whatever it was.
template <class T>
  requires std::is_integral_v<T>
void randomize(T& value, Dice& dice) {
  value = dice.integer<T>();
}
inline void randomize(bool& value, Dice& dice) { value = dice.below(2) == 0; }
inline void randomize(float& value, Dice& dice) { value = dice.real32(); }
inline void randomize(double& value, Dice& dice) { value = dice.real(); }
inline void randomize(std::string& value, Dice& dice) { value = dice.text(); }
inline void randomize(std::byte& value, Dice& dice) {
  value = static_cast<std::byte>(dice.below(256));
}
// Enums are open: a number without a name is one too.
inline void randomize(Leaf& value, Dice& dice) {
  value = static_cast<Leaf>(dice.below(3) == 0 ? dice.integer<std::int16_t>() : 7);
}
// A few thousand years.
inline void randomize(std::chrono::milliseconds& value, Dice& dice) {
  value = std::chrono::milliseconds(dice.integer<std::int64_t>() / 100'000);
}
inline void randomize(std::chrono::sys_time<std::chrono::microseconds>& value, Dice& dice) {
  const std::chrono::microseconds since(dice.integer<std::int64_t>() / 1'000);
  value = std::chrono::sys_time<std::chrono::microseconds>(dice.below(4) == 0 ? since / 1000
                                                                              : since / 100);
}

template <class T>
concept Grows = requires(T& list, typename T::value_type value) { list.push_back(value); };

template <class T>
void randomize(std::optional<T>& value, Dice& dice);
template <class T>
void randomize(Owner<T>& value, Dice& dice);
template <class... T>
void randomize(std::tuple<T...>& value, Dice& dice);
template <class A, class B>
void randomize(std::pair<A, B>& value, Dice& dice);
template <class... T>
void randomize(std::variant<T...>& value, Dice& dice);
template <class T, std::size_t n>
void randomize(std::array<T, n>& value, Dice& dice);
template <class T>
  requires requires { typename T::key_type; }
void randomize(T& value, Dice& dice);
template <class A>
void randomize(One<A>& value, Dice& dice);
template <class A, class B, class C>
void randomize(Three<A, B, C>& value, Dice& dice);

template <class T>
T random_value(Dice& dice) {
  T value{};
  randomize(value, dice);
  return value;
}

template <Grows T>
  requires(!std::is_same_v<T, std::string>)
void randomize(T& value, Dice& dice) {
  for (std::size_t left = dice.below(4); left > 0; --left) {
    value.push_back(random_value<typename T::value_type>(dice));
  }
}
template <class T>
void randomize(std::optional<T>& value, Dice& dice) {
  if (dice.below(2) == 0) value = random_value<T>(dice);
}
template <class T>
void randomize(Owner<T>& value, Dice& dice) {
  if (dice.below(2) == 0) value.it = std::make_unique<T>(random_value<T>(dice));
}
template <class... T>
void randomize(std::tuple<T...>& value, Dice& dice) {
  std::apply([&dice](auto&... each) { (randomize(each, dice), ...); }, value);
}
template <class A, class B>
void randomize(std::pair<A, B>& value, Dice& dice) {
  randomize(value.first, dice);
  randomize(value.second, dice);
}
template <class... T>
void randomize(std::variant<T...>& value, Dice& dice) {
  const std::size_t which = dice.below(sizeof...(T));
  std::size_t at = 0;
  (void)((at++ == which && (value.template emplace<T>(random_value<T>(dice)), true)) || ...);
}
template <class T, std::size_t n>
void randomize(std::array<T, n>& value, Dice& dice) {
  for (T& each : value) randomize(each, dice);
}
template <class T>
  requires requires { typename T::key_type; }
void randomize(T& value, Dice& dice) {
  for (std::size_t left = dice.below(4); left > 0; --left) {
    auto key = random_value<typename T::key_type>(dice);
    if constexpr (requires { typename T::mapped_type; }) {
      value.insert_or_assign(std::move(key), random_value<typename T::mapped_type>(dice));
    } else {
      value.insert(std::move(key));
    }
  }
}
template <class A>
void randomize(One<A>& value, Dice& dice) {
  randomize(value.sole, dice);
}
template <class A, class B, class C>
void randomize(Three<A, B, C>& value, Dice& dice) {
  randomize(value.first, dice);
  randomize(value.second, dice);
  randomize(value.third, dice);
}

}  // namespace parley::codec::testing
