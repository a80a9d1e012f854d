// How the compiler fills in the table of a number, an enum, a text or bytes, and which of all
// tables a type gets. Only type.h includes this file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/codec/fields.h"
#include "parley/codec/impl/describe.h"
#include "parley/codec/impl/describe_structure.h"
#include "parley/codec/impl/describe_times.h"
#include "parley/codec/impl/enum_names.h"

namespace parley::codec::impl {

template <>
struct Describe<std::string> {
  static constexpr Type make() { return plain_type<std::string>(Kind::string); }
};

template <>
struct Describe<Json> {
  static constexpr Type make() { return plain_type<Json>(Kind::json); }
};

template <class T>
constexpr Type bytes_type(const BytesOperations& operations) {
  Type type = plain_type<T>(Kind::bytes);
  type.bytes = &operations;
  return type;
}

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

template <>
struct Describe<std::string_view> {
  static constexpr BytesOperations operations = {
      .is_text = true,
      .is_view = true,
      .get = [](const void* object,
                std::string&) { return *static_cast<const std::string_view*>(object); },
      .set = [](void* object,
                std::string_view text) { *static_cast<std::string_view*>(object) = text; },
  };
  static constexpr Type make() { return bytes_type<std::string_view>(operations); }
};

template <>
struct Describe<std::span<const std::byte>> {
  using Span = std::span<const std::byte>;
  static constexpr BytesOperations operations = {
      .is_text = false,
      .is_view = true,
      .get = [](const void* object,
                std::string&) { return text_of(*static_cast<const Span*>(object)); },
      .set = [](void* object,
                std::string_view text) { *static_cast<Span*>(object) = bytes_of(text); },
  };
  static constexpr Type make() { return bytes_type<Span>(operations); }
};

template <class A>
struct Describe<std::vector<std::byte, A>> {
  using Vector = std::vector<std::byte, A>;
  static constexpr BytesOperations operations = {
      .is_text = false,
      .is_view = false,
      .get = [](const void* object,
                std::string&) { return text_of(*static_cast<const Vector*>(object)); },
      .set =
          [](void* object, std::string_view text) {
            const auto bytes = bytes_of(text);
            static_cast<Vector*>(object)->assign(bytes.begin(), bytes.end());
          },
  };
  static constexpr Type make() { return bytes_type<Vector>(operations); }
};

template <>
struct Describe<Bytes> {
  static constexpr BytesOperations operations = {
      .is_text = false,
      .is_view = false,
      .get = [](const void* object, std::string& room) -> std::string_view {
        const auto& bytes = *static_cast<const Bytes*>(object);
        if (bytes.piece_count() == 1) return bytes.piece(0);
        room = bytes.to_string();
        return room;
      },
      .set = [](void* object,
                std::string_view text) { *static_cast<Bytes*>(object) = Bytes::copy_of(text); },
  };
  static constexpr Type make() { return bytes_type<Bytes>(operations); }
};

template <class E>
struct DescribeEnum {
  static constexpr EnumOperations operations = {.values = values_of_enum<E>};
  static constexpr Type make() {
    static_assert(!std::is_same_v<std::underlying_type_t<E>, bool>,
                  "parley: an enum of bool has no numbers to send: use bool, or another underlying "
                  "type");
    Type type = plain_type<E>(Kind::enumeration);
    type.element = &Table<std::underlying_type_t<E>>::type;
    type.name = kept_type_name<E>;
    type.enumeration = &operations;
    return type;
  }
};

// A type that travels as another: Access shows and puts.
template <class T, class As, class Access>
struct DescribeRepresented {
  static constexpr RepresentedOperations operations = {
      .show =
          [](const void* object, bool (*use)(void*, const void*), void* context) {
            const auto& as = Access::show(*static_cast<const T*>(object));
            return use(context, &as);
          },
      .take =
          [](void* object, Fill fill, void* context, bool& filled) {
            As as{};
            filled = fill(context, &as);
            return filled ? Access::put(*static_cast<T*>(object), std::move(as)) : Status();
          },
      .move = Access::move,
  };
};

template <class T>
struct RepresentationAccess {
  static decltype(auto) show(const T& object) { return Representation<T>::encode(object); }
  template <class As>
  static Status put(T& object, As as) {
    return Representation<T>::decode(std::move(as), object);
  }
  static constexpr auto move = [] {
    void (*mover)(void* to, void* from) = nullptr;
    if constexpr (std::is_move_assignable_v<T>) {
      mover = [](void* to, void* from) {
        *static_cast<T*>(to) = std::move(*static_cast<T*>(from));
      };
    }
    return mover;
  }();
};

template <class T>
concept Represented = requires(const T& object) { Representation<T>::encode(object); };

template <class T>
constexpr Type represented_type() {
  using As = std::remove_cvref_t<decltype(Representation<T>::encode(std::declval<const T&>()))>;
  Type type = plain_type<T>(Kind::represented);
  type.element = &Table<As>::type;
  type.represented = &DescribeRepresented<T, As, RepresentationAccess<T>>::operations;
  return type;
}

template <class Access>
struct PropertyPut {
  static decltype(auto) show(const typename Access::Owner& object) { return Access::show(object); }
  static Status put(typename Access::Owner& object, typename Access::Value value) {
    Access::put(object, std::move(value));
    return {};
  }
  static void move(void* to, void* from) {
    using Owner = typename Access::Owner;
    Access::put(*static_cast<Owner*>(to), Access::show(*static_cast<const Owner*>(from)));
  }
};

template <auto get, auto set>
struct Describe<PropertyAccess<get, set>> {
  using Access = PropertyAccess<get, set>;
  using Owner = typename Access::Owner;
  using Shown = std::remove_cvref_t<decltype(Access::show(std::declval<const Owner&>()))>;
  static_assert(std::is_same_v<Shown, typename Access::Value>,
                "parley: the functions of a property differ in its type: let `get` return what "
                "`set` takes");
  static constexpr Type make() {
    Type type;
    type.kind = Kind::represented;
    type.size = sizeof(Owner);
    type.element = &Table<typename Access::Value>::type;
    type.represented =
        &DescribeRepresented<Owner, typename Access::Value, PropertyPut<Access>>::operations;
    return type;
  }
};

template <class T>
struct Describe {
  static constexpr Type make() {
    if constexpr (Represented<T>) {
      return represented_type<T>();
    } else if constexpr (std::is_same_v<T, bool>) {
      return plain_type<T>(Kind::boolean);
    } else if constexpr (std::is_same_v<T, float>) {
      return plain_type<T>(Kind::float32);
    } else if constexpr (std::is_same_v<T, double>) {
      return plain_type<T>(Kind::float64);
    } else if constexpr (std::is_enum_v<T>) {
      return DescribeEnum<T>::make();
    } else if constexpr (check_scalar() && std::is_integral_v<T>) {
      return plain_type<T>(integer_kind<T>());
    } else if constexpr (DurationLike<T>) {
      return DescribeDuration<T>::make();
    } else if constexpr (PointLike<T>) {
      return DescribePoint<T>::make();
    } else if constexpr (std::is_class_v<T>) {
      return structure();
    } else {
      // Those have sentences of their own, above.
      static_assert(is_character<T> || std::is_pointer_v<T> || std::is_same_v<T, long double>,
                    "parley: this type cannot be encoded: use a type that parley/codec/type.h "
                    "lists, or a plain struct of them");
      return {};
    }
  }

 private:
  static consteval bool check_scalar() {
    static_assert(!is_character<T>,
                  "parley: a character type is neither a number nor a text: use std::string, or "
                  "std::int8_t or std::uint8_t");
    static_assert(!std::is_pointer_v<T>,
                  "parley: a pointer has no value to send: use std::optional or std::unique_ptr "
                  "for what may be absent, std::vector for many, std::string for text");
    static_assert(!std::is_same_v<T, long double>,
                  "parley: long double is not portable: use double");
    return true;
  }

  static constexpr Type structure() {
    static_assert(has_whole_table<T>() || std::is_aggregate_v<T>,
                  "parley: this class cannot be encoded: use a type that parley/codec/type.h "
                  "lists, a struct with public members and no constructor, or list its fields "
                  "beside it (parley::fields)");
    if constexpr (can_be_listed()) {
      Type type = plain_type<T>(Kind::structure);
      type.name = kept_type_name<T>;
      type.members_of = &structure_members<T>;
      type.hot = hot_operations<T>;
      return type;
    } else {
      return {};
    }
  }
  static consteval bool can_be_listed() {
    if constexpr (has_whole_table<T>()) {
      return true;
    } else if constexpr (std::is_aggregate_v<T>) {
      return is_plain<T>;
    } else {
      return false;
    }
  }
};

}  // namespace parley::codec::impl
