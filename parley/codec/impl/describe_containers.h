// How the compiler fills in the table of a container. Only type.h includes this file.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parley/codec/impl/describe.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
struct Describe<std::optional<T>> {
  static_assert(!is_optional<T>,
                "parley: an optional of an optional has two ways to be empty and formats have one: "
                "use one std::optional");
  using Optional = std::optional<T>;

  static constexpr OptionalOperations operations = {
      .get = [](const void* optional) -> const void* {
        const auto& self = *static_cast<const Optional*>(optional);
        return self.has_value() ? &*self : nullptr;
      },
      .ensure = [](void* optional) -> void* {
        auto& self = *static_cast<Optional*>(optional);
        return self.has_value() ? &*self : &self.emplace();
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

template <class T, class A>
struct Describe<std::vector<T, A>> {
  using List = std::vector<T, A>;

  static constexpr ListOperations make_operations() {
    ListOperations made{};
    made.size = [](const void* list) { return static_cast<const List*>(list)->size(); };
    made.truncate = [](void* list, std::size_t size) {
      auto& self = *static_cast<List*>(list);
      if (size < self.size())
        self.erase(self.begin() + static_cast<std::ptrdiff_t>(size), self.end());
    };
    if constexpr (std::is_same_v<T, bool>) {
      made.bit = [](const void* list, std::size_t index) -> bool {
        return (*static_cast<const List*>(list))[index];
      };
      made.append_bit = [](void* list, bool bit) { static_cast<List*>(list)->push_back(bit); };
    } else {
      made.data = [](void* list) -> void* { return static_cast<List*>(list)->data(); };
      made.append = [](void* list) -> void* { return &static_cast<List*>(list)->emplace_back(); };
    }
    return made;
  }
  static constexpr ListOperations operations = make_operations();
  static constexpr Type make() {
    Type type = plain_type<List>(Kind::list);
    type.element = member_type<T>();
    type.list = &operations;
    return type;
  }
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

template <class T>
const Members& tuple_members() {
  static const T& defaults = *new T{};
  static const auto fields = []<std::size_t... i>(std::index_sequence<i...>) {
    return std::array<Field, sizeof...(i)>{
        Field{.key = {},
              .type = member_type<std::tuple_element_t<i, T>>(),
              .offset = offset_in(&defaults, std::get<i>(defaults))}...};
  }(std::make_index_sequence<std::tuple_size_v<T>>());
  static const Members members{.fields = fields, .defaults = &defaults};
  return members;
}

template <class T>
constexpr Type tuple_type() {
  Type type = plain_type<T>(Kind::tuple);
  type.members = &tuple_members<T>;
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

template <class Map>
struct DescribeMap {
  static_assert(std::is_same_v<typename Map::key_type, std::string>,
                "parley: the keys of a map are texts in most formats: use std::string keys, or a "
                "std::vector of pairs");
  using Iterator = typename Map::const_iterator;
  static_assert(std::is_trivially_copyable_v<Iterator> && sizeof(Iterator) <= 2 * sizeof(void*));

  static bool show(const void* map, MapCursor& cursor, Iterator at) {
    new (cursor.place) Iterator(at);
    if (at == static_cast<const Map*>(map)->end()) return false;
    cursor.key = &at->first;
    cursor.value = &at->second;
    return true;
  }
  static constexpr MapOperations operations = {
      .size = [](const void* map) { return static_cast<const Map*>(map)->size(); },
      .clear = [](void* map) { static_cast<Map*>(map)->clear(); },
      .insert = [](void* map, std::string&& key) -> void* {
        const auto [at, is_new] = static_cast<Map*>(map)->try_emplace(std::move(key));
        return is_new ? &at->second : nullptr;
      },
      .first =
          [](const void* map, MapCursor& cursor) {
            return show(map, cursor, static_cast<const Map*>(map)->begin());
          },
      .next =
          [](const void* map, MapCursor& cursor) {
            return show(map, cursor,
                        std::next(*std::launder(reinterpret_cast<Iterator*>(cursor.place))));
          },
  };
  static constexpr Type make() {
    Type type = plain_type<Map>(Kind::map);
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
