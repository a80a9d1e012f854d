// How the compiler fills in the table of a variant. Only type.h includes this file.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "parley/codec/fields.h"
#include "parley/codec/impl/describe.h"
#include "parley/codec/impl/describe_values.h"
#include "parley/codec/impl/spelling.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// What an alternative of a variant is called: a struct or an enum by its own name.
template <class T>
consteval std::string_view alternative_name() {
  constexpr Kind kind = Describe<T>::make().kind;
  if constexpr (kind == Kind::structure || kind == Kind::enumeration || kind == Kind::represented) {
    return kept_type_name<T>;
  } else {
    return name_of_alternative(kind);
  }
}
template <>
consteval std::string_view alternative_name<std::monostate>() {
  return {};
}

template <class T>
consteval const Type* alternative_type() {
  if constexpr (std::is_same_v<T, std::monostate>) {
    return nullptr;
  } else {
    return member_type<T>();
  }
}

template <class V, class... T>
consteval auto list_alternatives() {
  std::array<Alternative, sizeof...(T)> list;
  using Given = std::remove_const_t<decltype(alternative_names<V>)>;
  if constexpr (std::is_same_v<Given, NoFields>) {
    list = {Alternative{.name = alternative_name<T>(), .type = alternative_type<T>()}...};
  } else {
    static_assert(std::tuple_size_v<Given> == sizeof...(T),
                  "parley: alternative_names has not as many names as the variant alternatives");
    std::size_t i = 0;
    list = {Alternative{.name = alternative_names<V>[i++], .type = alternative_type<T>()}...};
  }
  return list;
}

consteval bool all_differ(std::span<const Alternative> list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (list[i].name == list[k].name) return false;
    }
  }
  return true;
}

template <class... T>
struct Describe<std::variant<T...>> {
  using Variant = std::variant<T...>;
  static constexpr auto alternatives = list_alternatives<Variant, T...>();
  static_assert(all_differ(alternatives),
                "parley: two alternatives of a variant have the same name: name them beside it "
                "(parley::alternative_names)");

  template <std::size_t i>
  static void* emplace(Variant& variant) {
    if (variant.index() != i) variant.template emplace<i>();
    return std::get_if<i>(&variant);
  }
  static constexpr VariantOperations operations = {
      .alternatives = alternatives,
      .index = [](const void* variant) { return static_cast<const Variant*>(variant)->index(); },
      .get = [](const void* variant) -> const void* {
        return std::visit([](const auto& value) -> const void* { return &value; },
                          *static_cast<const Variant*>(variant));
      },
      .emplace = [](void* variant, std::size_t index) -> void* {
        return [&]<std::size_t... i>(std::index_sequence<i...>) {
          using Emplace = void* (*)(Variant&);
          constexpr std::array<Emplace, sizeof...(i)> emplacers = {&Describe::emplace<i>...};
          return emplacers[index](*static_cast<Variant*>(variant));
        }(std::index_sequence_for<T...>());
      },
  };
  static constexpr Type make() {
    Type type = plain_type<Variant>(Kind::variant);
    type.variant = &operations;
    return type;
  }
};

}  // namespace parley::codec::impl
