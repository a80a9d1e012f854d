// How many members an aggregate has, found by asking how many initialisers it takes. Only reflect.h
// includes this file.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "parley/codec/impl/bind_fields.h"

namespace parley::codec::impl {

// NOLINTBEGIN(google-explicit-constructor): converting unasked is what these are for

// Initialises a member of any type. One conversion to a prvalue: with a pair of T& and T&& a member
// that cannot be moved would be miscounted. Never called; there is a body since
// clang wants one wherever a constructor of a member could call it.
struct Any {
  template <class M>
  operator M() const {
    __builtin_unreachable();
  }
};

// As Any, but for no union, so that it finds anonymous ones too.
struct AnyButUnion {
  template <class M>
    requires(!std::is_union_v<M>)
  operator M() const {
    __builtin_unreachable();
  }
};

struct AnyUnion {
  template <class M>
    requires std::is_union_v<M>
  operator M() const {
    __builtin_unreachable();
  }
};

template <class T>
struct AnyBaseOf {
  template <class B>
    requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>)
  operator B() const {
    __builtin_unreachable();
  }
};

template <class T>
struct AnyEmptyBaseOf {
  template <class B>
    requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T> && std::is_empty_v<B>)
  operator B() const {
    __builtin_unreachable();
  }
};

// NOLINTEND(google-explicit-constructor)

template <class A, std::size_t>
using Repeat = A;

template <class T, std::size_t... i>
consteval bool takes_all(std::index_sequence<i...>) {
  return requires { T{Repeat<Any, i>()...}; };
}

// T{any, ...} of n.
template <class T, std::size_t n>
inline constexpr bool takes = takes_all<T>(std::make_index_sequence<n>());

template <class T, std::size_t... i>
consteval bool takes_all_in_parentheses(std::index_sequence<i...>) {
  return requires { T(Repeat<AnyButUnion, i>()...); };
}

// T(any, ...) of n. Parentheses know no brace elision, so no initialiser ends up inside an array.
template <class T, std::size_t n>
inline constexpr bool takes_in_parentheses =
    takes_all_in_parentheses<T>(std::make_index_sequence<n>());

template <class T, class At, std::size_t... i, std::size_t... k>
consteval bool takes_one(std::index_sequence<i...>, std::index_sequence<k...>) {
  return requires { T{Repeat<Any, i>()..., At(), Repeat<Any, k>()...}; };
}

// T{any, ..., At(), any, ...} with `before` and `after` of them.
template <class T, class At, std::size_t before, std::size_t after>
inline constexpr bool takes_at =
    takes_one<T, At>(std::make_index_sequence<before>(), std::make_index_sequence<after>());

template <class T, std::size_t... i, std::size_t... k>
consteval bool takes_empty(std::index_sequence<i...>, std::index_sequence<k...>) {
  return requires { T{Repeat<Any, i>()..., {}, Repeat<Any, k>()...}; };
}

// T{any, ..., {}, any, ...} with `before` and `after` of them.
template <class T, std::size_t before, std::size_t after>
inline constexpr bool takes_braces =
    takes_empty<T>(std::make_index_sequence<before>(), std::make_index_sequence<after>());

// An array of n elements takes up to n initialisers (brace elision), so there may be more of them
// than members.
inline constexpr std::size_t max_initialisers = 1024;
inline constexpr std::size_t none = static_cast<std::size_t>(-1);

// The fewest initialisers T takes: none when no number will do, which a reference member causes.
// More than 0 only where a member has no default constructor.
template <class T, std::size_t n = 0>
consteval std::size_t fewest_initialisers() {
  if constexpr (takes<T, n>) {
    return n;
  } else if constexpr (n < max_fields) {
    return fewest_initialisers<T, n + 1>();
  } else {
    return none;
  }
}

// The most, given that T takes `low` and does not take `high`.
template <class T, std::size_t low, std::size_t high>
consteval std::size_t most_between() {
  if constexpr (high - low == 1) {
    return low;
  } else if constexpr (constexpr std::size_t middle = low + (high - low) / 2; takes<T, middle>) {
    return most_between<T, middle, high>();
  } else {
    return most_between<T, low, middle>();
  }
}

template <class T, std::size_t fewest, std::size_t step = 1>
consteval std::size_t most_initialisers() {
  if constexpr (!takes<T, fewest + step>) {
    return most_between<T, fewest + step / 2, fewest + step>();
  } else if constexpr (step < max_initialisers) {
    return most_initialisers<T, fewest, step * 2>();
  } else {
    return none;
  }
}

// The largest number (at most `after`) of initialisers that fit behind {} at `at`. Fewer fit too,
// unless a later member has no default constructor.
template <class T, std::size_t at, std::size_t low, std::size_t high>
consteval std::size_t behind_braces() {
  if constexpr (low == high) {
    return low;
  } else if constexpr (!takes_braces<T, at, 0>) {
    if constexpr (takes_braces<T, at, high>) {
      return high;
    } else {
      return behind_braces<T, at, low, high - 1>();
    }
  } else if constexpr (constexpr std::size_t middle = low + (high - low + 1) / 2;
                       takes_braces<T, at, middle>) {
    return behind_braces<T, at, middle, high>();
  } else {
    return behind_braces<T, at, low, middle - 1>();
  }
}

struct FieldCount {
  std::size_t fields = 0;
  std::size_t bases = 0;
  bool has_base_with_members = false;
  bool has_union = false;
  bool has_reference = false;
  bool has_too_many = false;
};

// Steps from member to member: an array takes several initialisers at once.
template <class T, std::size_t most, std::size_t at, FieldCount so_far>
consteval FieldCount walk_fields() {
  if constexpr (at == most) {
    return so_far;
  } else if constexpr (constexpr std::size_t after = most - at - 1;
                       takes_at<T, AnyBaseOf<T>, at, after>) {
    constexpr FieldCount next = [] {
      FieldCount count = so_far;
      ++count.bases;
      if (!takes_at<T, AnyEmptyBaseOf<T>, at, after>) count.has_base_with_members = true;
      return count;
    }();
    return walk_fields<T, most, at + 1, next>();
  } else {
    constexpr FieldCount next = [] {
      FieldCount count = so_far;
      ++count.fields;
      if (takes_at<T, AnyUnion, at, after>) count.has_union = true;
      return count;
    }();
    if constexpr (takes_braces<T, at, after>) {
      return walk_fields<T, most, at + 1, next>();
    } else {
      // Nothing at all behind the braces: a member without default constructor, hence no array.
      constexpr std::size_t behind = behind_braces<T, at, 0, after>();
      constexpr bool is_array = behind > 0 || takes_braces<T, at, 0>;
      return walk_fields<T, most, is_array ? most - behind : at + 1, next>();
    }
  }
}

// The usual struct: no array, no union, no base. The walk would find the same, slower.
template <class T, std::size_t most>
consteval bool is_usual() {
  if constexpr (most > 1) {
    return takes_in_parentheses<T, most> && !takes_at<T, AnyBaseOf<T>, 0, most - 1>;
  }
  return false;
}

template <class T>
consteval FieldCount count_fields() {
  constexpr std::size_t fewest = fewest_initialisers<T>();
  if constexpr (fewest == none) {
    return {.has_reference = true};
  } else if constexpr (constexpr std::size_t most = most_initialisers<T, fewest>(); most == none) {
    return {.has_too_many = true};
  } else if constexpr (is_usual<T, most>()) {
    return {.fields = most, .has_too_many = most > max_fields};
  } else {
    FieldCount count = walk_fields<T, most, 0, FieldCount{}>();
    count.has_too_many = count.fields > max_fields;
    return count;
  }
}

template <class T>
inline constexpr FieldCount counted_fields = count_fields<T>();

}  // namespace parley::codec::impl
