// How the compiler fills in the table of a variant. Only type.h includes this file.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
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

// What an alternative of a oneof is: what a std::unique_ptr points to.
template <class T>
struct Unboxed {
  using type = T;
  static constexpr bool is_boxed = false;
};
template <class T>
struct Unboxed<std::unique_ptr<T>> {
  using type = T;
  static constexpr bool is_boxed = true;
};

// How the alternatives of a variant are reached; those of a oneof through what boxes them.
template <bool is_oneof, class Variant>
struct AlternativeAccess;

template <bool is_oneof, class... T>
struct AlternativeAccess<is_oneof, std::variant<T...>> {
  using Variant = std::variant<T...>;

  template <class Value>
  static constexpr bool is_boxed = is_oneof && Unboxed<Value>::is_boxed;

  static std::size_t index(const void* object) {
    const auto& variant = *static_cast<const Variant*>(object);
    if constexpr ((is_boxed<T> || ...)) {
      if (!variant.valueless_by_exception() && get(object) == nullptr) return nothing();
    }
    return variant.index();
  }
  static const void* get(const void* object) {
    return std::visit(
        [](const auto& value) -> const void* {
          if constexpr (is_boxed<std::remove_cvref_t<decltype(value)>>) {
            return value.get();
          } else {
            return &value;
          }
        },
        *static_cast<const Variant*>(object));
  }
  static void* emplace(void* object, std::size_t index) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      using Emplace = void* (*)(Variant&);
      constexpr std::array<Emplace, sizeof...(i)> emplacers = {
          &AlternativeAccess::emplace_at<i>...};
      return emplacers[index](*static_cast<Variant*>(object));
    }(std::index_sequence_for<T...>());
  }

 private:
  static consteval std::size_t nothing() {
    constexpr bool is_nothing[] = {std::is_same_v<T, std::monostate>...};
    for (std::size_t i = 0; i < sizeof...(T); ++i) {
      if (is_nothing[i]) return i;
    }
    return std::variant_npos;
  }
  template <std::size_t i>
  static void* emplace_at(Variant& variant) {
    if (variant.index() != i) variant.template emplace<i>();
    auto* const value = std::get_if<i>(&variant);
    using Value = std::remove_pointer_t<decltype(value)>;
    if constexpr (is_boxed<Value>) {
      if (*value == nullptr) *value = std::make_unique<typename Unboxed<Value>::type>();
      return value->get();
    } else {
      return value;
    }
  }
};

template <bool is_oneof, class Variant>
constexpr VariantOperations variant_operations(std::span<const Alternative> alternatives) {
  using Access = AlternativeAccess<is_oneof, Variant>;
  return {.alternatives = alternatives,
          .index = &Access::index,
          .get = &Access::get,
          .emplace = &Access::emplace};
}

template <class... T>
struct Describe<std::variant<T...>> {
  using Variant = std::variant<T...>;
  static constexpr auto alternatives = list_alternatives<Variant, T...>();
  static_assert(all_differ(alternatives),
                "parley: two alternatives of a variant have the same name: name them beside it "
                "(parley::alternative_names)");

  static constexpr VariantOperations operations = variant_operations<false, Variant>(alternatives);
  static constexpr Type make() {
    Type type = plain_type<Variant>(Kind::variant);
    type.variant = &operations;
    return type;
  }
};

template <class T, std::size_t k>
struct DescribeOneof {
  static constexpr auto& field = fields<T>.template at<k>();
  using Variant = typename std::remove_cvref_t<decltype(field)>::Value;

  template <class... Types>
  static consteval auto list(const std::variant<Types...>*) {
    constexpr bool is_nothing[] = {std::is_same_v<Types, std::monostate>...};
    std::array<Alternative, sizeof...(Types)> list = {
        Alternative{.type = alternative_type<typename Unboxed<Types>::type>()}...};
    bool is_good = true;
    for (std::size_t i = 0; i < sizeof...(Types); ++i) {
      list[i].name = field.oneof_fields()[i].name;
      is_good = is_good && list[i].name.empty() == is_nothing[i];
    }
    return std::pair(list, is_good);
  }
  static constexpr auto listed = list(static_cast<const Variant*>(nullptr));
  static_assert(
      listed.second,
      "parley: every alternative of a oneof has a name, and only std::monostate has none");
  // Else what is absent would be the first alternative, and if that holds itself, without an end.
  template <class... Types>
  static consteval bool may_hold_nothing(const std::variant<Types...>*) {
    return (std::is_same_v<Types, std::monostate> || ...) || !(Unboxed<Types>::is_boxed || ...);
  }
  static_assert(
      may_hold_nothing(static_cast<const Variant*>(nullptr)),
      "parley: a oneof with a std::unique_ptr may hold nothing: give it std::monostate as "
      "its first alternative");
  static constexpr VariantOperations operations = variant_operations<true, Variant>(listed.first);
  static constexpr Type make() {
    Type type = plain_type<Variant>(Kind::variant);
    type.variant = &operations;
    return type;
  }
};

template <class T, std::size_t k>
constinit const Type OneofTable<T, k>::type = DescribeOneof<T, k>::make();

}  // namespace parley::codec::impl
