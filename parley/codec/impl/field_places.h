// The fields of a fields<T>, side by side. A std::tuple nests as deep as it is long, which
// compilers do not bear when a generated type has hundreds. Only fields.h includes this file.
#pragma once

#include <cstddef>
#include <utility>

namespace parley::codec::impl {

template <std::size_t i, class Field>
struct FieldPlace {
  Field field;
};

template <class Indices, class... Fields>
struct FieldPlaces;

template <std::size_t... i, class... Fields>
struct FieldPlaces<std::index_sequence<i...>, Fields...> : FieldPlace<i, Fields>... {
  consteval explicit FieldPlaces(Fields... fields) : FieldPlace<i, Fields>{fields}... {}

  template <class Use>
  constexpr decltype(auto) apply(Use& use) const {
    return use(static_cast<const FieldPlace<i, Fields>&>(*this).field...);
  }
};

template <std::size_t i, class Field>
constexpr const Field& field_at(const FieldPlace<i, Field>& place) {
  return place.field;
}

}  // namespace parley::codec::impl
