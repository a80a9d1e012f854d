// How the compiler fills in the table of an optional, an array, a tuple or a map. Only type.h
// includes this file.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "parley/codec/impl/describe.h"
#include "parley/codec/impl/describe_lists.h"
#include "parley/codec/impl/describe_structure.h"
#include "parley/codec/impl/describe_values.h"
#include "parley/codec/impl/members_description.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

template <class T>
inline constexpr bool may_be_empty = false;
template <class T>
inline constexpr bool may_be_empty<std::optional<T>> = true;
template <class T>
inline constexpr bool may_be_empty<std::unique_ptr<T>> = true;

template <class Optional, class T>
struct DescribeOptional {
  static_assert(!may_be_empty<T>,
                "parley: an optional of an optional has two ways to be empty and formats have one: "
                "use one std::optional");

  static constexpr OptionalOperations operations = {
      .get = [](const void* optional) -> const void* {
        const auto& self = *static_cast<const Optional*>(optional);
        return self ? &*self : nullptr;
      },
      .ensure = [](void* optional) -> void* {
        auto& self = *static_cast<Optional*>(optional);
        if (!self) {
          if constexpr (requires { self.emplace(); }) {
            self.emplace();
          } else {
            self = std::make_unique<T>();
          }
        }
        return &*self;
      },
      .reset = [](void* optional) { static_cast<Optional*>(optional)->reset(); },
  };
  static constexpr Type make() {
    Type type = plain_type<Optional>(Kind::optional);
    type.element = member_type<T>();
    type.optional = &operations;
    return type;
  }
};
template <class T>
struct Describe<std::optional<T>> : DescribeOptional<std::optional<T>, T> {};
template <class T>
struct Describe<std::unique_ptr<T>> : DescribeOptional<std::unique_ptr<T>, T> {
  static_assert(!std::is_array_v<T>,
                "parley: an array in a std::unique_ptr does not know its "
                "size: use std::vector");
};

template <class Array, class T, std::size_t n>
constexpr Type array_type() {
  Type type = plain_type<Array>(Kind::array);
  type.element = member_type<T>();
  type.count = n;
  return type;
}
template <class T, std::size_t n>
struct Describe<std::array<T, n>> {
  static constexpr Type make() { return array_type<std::array<T, n>, T, n>(); }
};
template <class T, std::size_t n>
struct Describe<T[n]> {
  static constexpr Type make() { return array_type<T[n], T, n>(); }
};

template <class Tuple, class Indices = std::make_index_sequence<std::tuple_size_v<Tuple>>>
struct TupleElements;
template <class Tuple, std::size_t... i>
struct TupleElements<Tuple, std::index_sequence<i...>> {
  static constexpr std::array<const Type*, sizeof...(i)> types = {
      member_type<std::tuple_element_t<i, Tuple>>()...};

  static void locate(void* object, const void** found) {
    auto& tuple = *static_cast<Tuple*>(object);
    ((*found++ = std::addressof(std::get<i>(tuple))), ...);
  }
  static consteval MembersDescription describe() {
    return {.name = "tuple",
            .types = types,
            .locate = &locate,
            .make = &make_object<Tuple>,
            .destroy = &destroy_object<Tuple>};
  }
};

template <class T>
const MembersDescription& tuple_description() {
  static constexpr MembersDescription description = TupleElements<T>::describe();
  return description;
}
template <class T>
inline constinit LazyMembers tuple_members{&tuple_description<T>};

template <class T>
constexpr Type tuple_type() {
  Type type = plain_type<T>(Kind::tuple);
  type.members_of = &tuple_members<T>;
  return type;
}
template <class A, class B>
struct Describe<std::pair<A, B>> {
  static constexpr Type make() { return tuple_type<std::pair<A, B>>(); }
};
template <class... T>
struct Describe<std::tuple<T...>> {
  static constexpr Type make() { return tuple_type<std::tuple<T...>>(); }
};

template <class K>
inline constexpr bool is_map_key =
    !Represented<K> && (std::is_same_v<K, std::string> || std::is_enum_v<K> ||
                        (std::is_integral_v<K> && !is_character<K>));

template <class Map>
struct DescribeMap {
  static_assert(is_map_key<typename Map::key_type>,
                "parley: the keys of a map are texts in most formats: use std::string, integers, "
                "bool or an enum (without a Representation) for keys, or a std::vector of pairs");

  // A hash map would lose its buckets to the spare.
  static constexpr bool gives_spare = requires {
    typename Map::key_compare;
  } && std::is_nothrow_move_constructible_v<Map> && sizeof(Map) <= sizeof(MapSpare::room);
  static Map& held(MapSpare& spare) { return *std::launder(reinterpret_cast<Map*>(spare.room)); }

  static void clear(void* object, MapSpare* spare) {
    Map& map = *static_cast<Map*>(object);
    if constexpr (gives_spare) {
      if (spare != nullptr && !map.empty()) {
        new (spare->room) Map(std::move(map));
        spare->drop = [](MapSpare& self) { std::destroy_at(&held(self)); };
      }
    }
    map.clear();
  }
  // Has a key filled into any entry, and takes the one that had this key before, if there was one:
  // its value probably has the memory that is needed.
  static auto take(Map& held, Fill fill, void* context) {
    auto entry = held.extract(held.begin());
    if (!fill(context, &entry.key())) return decltype(entry){};
    auto same = held.extract(entry.key());
    if (!same.empty()) {
      std::swap(same.key(), entry.key());  // equal in that order, but perhaps not the same
      held.insert(std::move(entry));
      return same;
    }
    return entry;
  }
  static void* insert(void* object, MapSpare* spare, Fill fill, void* context, bool& is_new) {
    Map& map = *static_cast<Map*>(object);
    if constexpr (gives_spare) {
      if (spare != nullptr && spare->drop != nullptr && !held(*spare).empty()) {
        auto entry = take(held(*spare), fill, context);
        if (entry.empty()) return nullptr;
        const auto [at, inserted, refused] = map.insert(std::move(entry));
        is_new = inserted;
        return &at->second;
      }
    }
    typename Map::key_type key{};
    if (!fill(context, &key)) return nullptr;
    const auto [at, inserted] = map.try_emplace(std::move(key));
    is_new = inserted;
    return &at->second;
  }

  static constexpr MapOperations operations = {
      .size = [](const void* map) { return static_cast<const Map*>(map)->size(); },
      .clear = &clear,
      .insert = &insert,
      .first = &Walk<Map>::first,
      .next = &Walk<Map>::next,
      .swap = &swap<Map>,
  };
  static constexpr Type make() {
    Type type = plain_type<Map>(Kind::map);
    type.key = &Table<typename Map::key_type>::type;
    type.element = member_type<typename Map::mapped_type>();
    type.map = &operations;
    return type;
  }
};
template <class K, class T, class C, class A>
struct Describe<std::map<K, T, C, A>> : DescribeMap<std::map<K, T, C, A>> {};
template <class K, class T, class H, class E, class A>
struct Describe<std::unordered_map<K, T, H, E, A>>
    : DescribeMap<std::unordered_map<K, T, H, E, A>> {};

}  // namespace parley::codec::impl
