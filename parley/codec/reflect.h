// Reflection of plain structs: how many members, of which types, under which names. No macro, no
// registration, no code to generate; all of it at compile time.
//
// What is plain: an aggregate (no constructor, nothing private, nothing virtual) of at most 256
// members, without bases that have members, references, unions and bit-fields. Members may be
// const, C arrays, immovable; the struct may be nested, local to a function or in an anonymous
// namespace. Anything else is refused while compiling, in one sentence (an anonymous struct, which
// is not C++ either, in the compiler's own words).
//
// Pure functions of types: safe everywhere.
//
//   struct Order { int id; std::string tea; };
//   static_assert(codec::field_names<Order>[1] == "tea");
//   codec::for_each_field(order, [](std::string_view name, auto& member) { ... });
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "parley/codec/impl/bind_fields.h"
#include "parley/codec/impl/count_fields.h"
#include "parley/codec/impl/spelling.h"

namespace parley::codec {
namespace impl {

template <class... M>
constexpr bool any_reference(FieldTypes<M...>) {
  return (std::is_reference_v<M> || ...);
}

// The addresses of all members, and how they are declared: a std::tuple would take the compiler
// several times as long.
template <std::size_t i, class P>
struct Numbered {
  P pointer;
};
template <class Indices, class Types, class... P>
struct Addresses;
template <std::size_t... i, class Types_, class... P>
struct Addresses<std::index_sequence<i...>, Types_, P...> : Numbered<i, P>... {
  using Types = Types_;

  // Not a fold, which is an expression as deep as it is long.
  void list(const void** to) const {
    const char done[] = {'\0', (*to++ = Numbered<i, P>::pointer, '\0')...};
    (void)done;
  }
};
template <std::size_t i, class P>
constexpr P address_at(const Numbered<i, P>& numbered) {
  return numbered.pointer;
}

struct TakeAddresses {
  template <class Types, class... M>
  constexpr auto operator()(Types, M&... member) const {
    return Addresses<std::index_sequence_for<M...>, Types, M*...>{{&member}...};
  }
};

template <class T>
constexpr auto addresses_in(T& object) {
  return bind_fields<counted_fields<T>.fields>(object, TakeAddresses());
}

template <class Bound>
struct TypesOf {
  using type = typename Bound::Types;
};
template <>
struct TypesOf<HasBitField> {
  using type = HasBitField;
};
template <class T>
using BoundTypes = typename TypesOf<decltype(addresses_in(std::declval<T&>()))>::type;

// Every reason why a struct cannot be reflected, each with its remedy. True when there is none.
template <class T>
consteval bool check_plain() {
  static_assert(
      std::is_class_v<T> && std::is_aggregate_v<T>,
      "parley: only an aggregate can be reflected: give the type public members only, and "
      "no constructor, virtual function or private base");
  if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    constexpr FieldCount count = counted_fields<T>;
    static_assert(!count.has_reference,
                  "parley: a struct with a reference member cannot be reflected: hold a value");
    static_assert(!count.has_too_many,
                  "parley: a struct of more than 256 members (or with C arrays of more than 1024 "
                  "elements) cannot be reflected: group members into structs, use std::array, or "
                  "list its fields (parley::fields)");
    static_assert(!count.has_base_with_members,
                  "parley: a struct whose base has members cannot be reflected: make the base a "
                  "member");
    static_assert(!count.has_union,
                  "parley: a union has no members that are all there: use std::optional for each");
    static_assert(count.fields > 0 || count.has_reference || count.has_too_many ||
                      count.has_base_with_members || std::is_empty_v<T>,
                  "parley: the members of this struct cannot be found: a member's type takes no "
                  "initialiser");
    if constexpr (!count.has_reference && !count.has_too_many && !count.has_base_with_members &&
                  !count.has_union) {
      constexpr bool has_bit_field = std::is_same_v<BoundTypes<T>, HasBitField>;
      static_assert(!has_bit_field,
                    "parley: a bit-field has no address and cannot be reflected: use a whole "
                    "integer");
      if constexpr (!has_bit_field) {
        static_assert(!any_reference(BoundTypes<T>()),
                      "parley: a struct with a reference member cannot be reflected: hold a value");
        return !any_reference(BoundTypes<T>());
      }
    }
  }
  return false;
}

template <class T>
inline constexpr bool is_plain = check_plain<T>();

// An object that is declared and never made: its members have constant addresses, and a constant
// address as a template argument is spelt out with the member's name.
template <class T>
struct Imagined {
  T object;
  ~Imagined();
};
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
extern const Imagined<T> imagined;
template <class T>
consteval T& imagined_object() {
  return const_cast<T&>(imagined<T>.object);
}

// A function: a constant would be kept in the program, with the address of what is never made.
template <class T>
consteval auto member_addresses() {
  return addresses_in(imagined_object<T>());
}

template <class P>
struct Address {
  P pointer;
};

template <class T, std::size_t i>
inline constexpr std::string_view name_of_field =
    last_identifier(spelling<Address{address_at<i>(member_addresses<T>())}>());
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

template <class T, std::size_t... i>
consteval auto names_of_fields(std::index_sequence<i...>) {
  return std::array<std::string_view, sizeof...(i)>{name_of_field<T, i>...};
}

template <std::size_t i, class Types>
struct TypeAt;
template <std::size_t i, class... M>
struct TypeAt<i, FieldTypes<M...>> {
  using type = std::tuple_element_t<i, std::tuple<M...>>;
};

template <class T, class F, class... M>
constexpr void call_with_names(F& f, M&... member) {
  [[maybe_unused]] std::size_t i = 0;
  [[maybe_unused]] constexpr auto names = names_of_fields<T>(std::index_sequence_for<M...>());
  (f(names[i++], member), ...);
}

}  // namespace impl

// How many members T has.
template <class T>
  requires impl::is_plain<T>
inline constexpr std::size_t field_count = impl::counted_fields<T>.fields;

// Their names, in order, for as long as the program runs.
template <class T>
  requires impl::is_plain<T>
inline constexpr std::array<std::string_view, field_count<T>> field_names =
    impl::names_of_fields<T>(std::make_index_sequence<field_count<T>>());

// The declared type of member i: const and arrays are kept.
template <class T, std::size_t i>
  requires impl::is_plain<T>
using FieldType = typename impl::TypeAt<i, impl::BoundTypes<T>>::type;

// Returns f(member&...), all members at once. f must not return a reference or void.
template <class T, class F>
  requires impl::is_plain<std::remove_const_t<T>>
constexpr auto with_fields(T& object, F f) {
  return impl::bind_fields<field_count<std::remove_const_t<T>>>(
      object, [&f](auto, auto&... member) { return f(member...); });
}

// Calls f(name, member&) for each member in order.
template <class T, class F>
  requires impl::is_plain<std::remove_const_t<T>>
constexpr void for_each_field(T& object, F f) {
  impl::bind_fields<field_count<std::remove_const_t<T>>>(object, [&f](auto, auto&... member) {
    impl::call_with_names<std::remove_const_t<T>>(f, member...);
    return 0;
  });
}

}  // namespace parley::codec
