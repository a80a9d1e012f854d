// How a field is reached: by a pointer to a member or by a pair of functions. Only fields.h
// includes this file.
#pragma once

#include <type_traits>
#include <utility>

namespace parley::codec::impl {

template <class T, class M>
struct MemberAccess {
  using Owner = T;
  using Value = M;
  M T::* pointer;
};
template <class T, class M>
MemberAccess(M T::*) -> MemberAccess<T, M>;

template <auto get, auto set>
struct PropertyAccess {
  template <class O, class V>
  static O owner_of(void (*)(O&, V));
  template <class O, class V>
  static std::remove_cvref_t<V> value_of(void (*)(O&, V));

  using Owner = decltype(owner_of(+set));
  using Value = decltype(value_of(+set));

  static decltype(auto) show(const Owner& object) { return get(object); }
  static void put(Owner& object, Value value) { set(object, std::move(value)); }
};

}  // namespace parley::codec::impl
