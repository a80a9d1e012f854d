// How the compiler fills in the table of a list, and how containers are walked. Only type.h
// includes this file.
#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <new>
#include <set>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "parley/codec/impl/describe.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// A walk through a container by its iterator, which is kept in the cursor.
template <class Container>
struct Walk {
  using Iterator = typename Container::const_iterator;
  static_assert(std::is_trivially_destructible_v<Iterator> &&
                sizeof(Iterator) <= sizeof(Cursor::place));

  static const Container& of(const void* container) {
    return *static_cast<const Container*>(container);
  }
  static bool show(const void* container, Cursor& cursor, Iterator at) {
    new (cursor.place) Iterator(at);
    if (at == of(container).end()) return false;
    if constexpr (requires { typename Container::mapped_type; }) {
      cursor.key = &at->first;
      cursor.value = &at->second;
    } else {
      cursor.value = &*at;
    }
    return true;
  }
  static bool first(const void* container, Cursor& cursor) {
    return show(container, cursor, of(container).begin());
  }
  static bool next(const void* container, Cursor& cursor) {
    return show(container, cursor,
                std::next(*std::launder(reinterpret_cast<Iterator*>(cursor.place))));
  }
};

template <class List>
constexpr Type list_type(const ListOperations& operations) {
  Type type = plain_type<List>(Kind::list);
  type.element = member_type<typename List::value_type>();
  type.list = &operations;
  return type;
}

template <class List>
std::size_t size_of_list(const void* list) {
  return static_cast<const List*>(list)->size();
}

// Plain functions, and few that the standard library would make large: vectors are what most types
// are compiled with. Erasing a range would bring in assignment, growing at the end a second copy of
// what moves the elements.
template <class T, class A>
struct Describe<std::vector<T, A>> {
  using List = std::vector<T, A>;

  static List& of(void* list) { return *static_cast<List*>(list); }
  static void truncate(void* list, std::size_t size) {
    List& self = of(list);
    if constexpr (std::is_trivially_destructible_v<T>) {
      if (size < self.size()) {
        self.erase(self.begin() + static_cast<std::ptrdiff_t>(size), self.end());
      }
    } else {
      for (std::size_t has = self.size(); has > size; --has) self.pop_back();
    }
  }
  static void* data(void* list) { return of(list).data(); }
  [[gnu::flatten]] static void* append(void* list) {
    List& self = of(list);
    if (self.size() == self.capacity()) reserve(list, self.empty() ? 1 : 2 * self.size());
    // There is room now, so the compiler may leave out what emplace_back() has for making some.
    if (self.size() == self.capacity()) __builtin_unreachable();
    return &self.emplace_back();
  }
  [[gnu::noinline]] static void reserve(void* list, std::size_t size) { of(list).reserve(size); }
  static constexpr ListOperations operations = {
      .size = &size_of_list<List>,
      .truncate = &truncate,
      .data = &data,
      .append = &append,
      .reserve = &reserve,
      .insert = nullptr,
      .show = nullptr,
      .first = nullptr,
      .next = nullptr,
      .swap = &swap<List>,
  };
  static constexpr Type make() { return list_type<List>(operations); }
};

// Bits have no address: each is shown, and filled, as a bool beside the vector.
template <class A>
struct Describe<std::vector<bool, A>> {
  using List = std::vector<bool, A>;
  struct Place {
    std::size_t index;
    bool bit;
  };

  static bool show(const void* list, Cursor& cursor, std::size_t index) {
    const auto& self = *static_cast<const List*>(list);
    if (index >= self.size()) return false;
    const auto* const place = new (cursor.place) Place{index, self[index]};
    cursor.value = &place->bit;
    return true;
  }
  static constexpr ListOperations operations = {
      .size = &size_of_list<List>,
      .truncate =
          [](void* list, std::size_t size) {
            auto& self = *static_cast<List*>(list);
            if (size < self.size()) self.resize(size);
          },
      .data = nullptr,
      .append = nullptr,
      .reserve = [](void* list, std::size_t size) { static_cast<List*>(list)->reserve(size); },
      .insert =
          [](void* list, Fill fill, void* context) {
            bool bit = false;
            if (!fill(context, &bit)) return false;
            static_cast<List*>(list)->push_back(bit);
            return true;
          },
      .show = [](const void* list, Cursor& cursor,
                 std::size_t index) { show(list, cursor, index); },
      .first = [](const void* list, Cursor& cursor) { return show(list, cursor, 0); },
      .next =
          [](const void* list, Cursor& cursor) {
            return show(list, cursor,
                        std::launder(reinterpret_cast<Place*>(cursor.place))->index + 1);
          },
      .swap = &swap<List>,
  };
  static constexpr Type make() { return list_type<List>(operations); }
};

template <class T, class A>
struct Describe<std::deque<T, A>> {
  using List = std::deque<T, A>;
  static constexpr ListOperations operations = {
      .size = &size_of_list<List>,
      .truncate =
          [](void* list, std::size_t size) {
            auto& self = *static_cast<List*>(list);
            while (self.size() > size) self.pop_back();
          },
      .data = nullptr,
      .append = [](void* list) -> void* { return &static_cast<List*>(list)->emplace_back(); },
      .reserve = nullptr,
      .insert = nullptr,
      .show = [](const void* list, Cursor& cursor,
                 std::size_t index) { cursor.value = &(*static_cast<const List*>(list))[index]; },
      .first = &Walk<List>::first,
      .next = &Walk<List>::next,
      .swap = &swap<List>,
  };
  static constexpr Type make() { return list_type<List>(operations); }
};

template <class Set>
struct DescribeSet {
  static constexpr ListOperations operations = {
      .size = &size_of_list<Set>,
      // Its elements are not decoded over, so it is only ever emptied.
      .truncate = [](void* list, std::size_t) { static_cast<Set*>(list)->clear(); },
      .data = nullptr,
      .append = nullptr,
      .reserve = nullptr,
      .insert =
          [](void* list, Fill fill, void* context) {
            typename Set::value_type value{};
            if (!fill(context, &value)) return false;
            static_cast<Set*>(list)->insert(std::move(value));
            return true;
          },
      .show = nullptr,
      .first = &Walk<Set>::first,
      .next = &Walk<Set>::next,
      .swap = &swap<Set>,
  };
  static constexpr Type make() { return list_type<Set>(operations); }
};
template <class T, class C, class A>
struct Describe<std::set<T, C, A>> : DescribeSet<std::set<T, C, A>> {};
template <class T, class H, class E, class A>
struct Describe<std::unordered_set<T, H, E, A>> : DescribeSet<std::unordered_set<T, H, E, A>> {};

}  // namespace parley::codec::impl
