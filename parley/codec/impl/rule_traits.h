// Which rules fit which types, as far as the type alone tells. members.cc looks again at the table,
// where nothing is hidden.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace parley {

class Bytes;
template <class T>
struct Representation;

}  // namespace parley

namespace parley::codec {

struct Json;

}  // namespace parley::codec

namespace parley::codec::impl {

template <class T>
concept TravelsAsAnother = requires(const T& object) { Representation<T>::encode(object); };

template <class T>
concept TextType = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;

template <class T>
concept BytesType = std::is_same_v<T, Bytes> || requires(const T& object) {
  object.size();
  requires std::is_same_v<typename T::value_type, std::byte>;
};

template <class T>
concept MapType = requires { typename T::mapped_type; };

template <class T>
concept FixedArray = std::is_array_v<T> || requires(const T& object) {
  object.fill(object[0]);
  std::tuple_size<T>::value;
};

template <class T>
concept ListType =
    !TextType<T> && !BytesType<T> && !MapType<T> && !FixedArray<T> && requires(const T& object) {
      typename T::value_type;
      object.begin();
      object.size();
    };

template <class T>
concept OptionalType = requires(const T& object) {
  typename T::value_type;
  object.has_value();
};

template <class T>
inline constexpr bool is_unique_ptr = false;
template <class T>
inline constexpr bool is_unique_ptr<std::unique_ptr<T>> = true;

// The type behind optionals, pointers and representations; behind lists too when asked.
template <class T, bool through_lists>
consteval auto find_behind() {
  if constexpr (TravelsAsAnother<T>) {
    using As = std::remove_cvref_t<decltype(Representation<T>::encode(std::declval<const T&>()))>;
    return find_behind<As, through_lists>();
  } else if constexpr (is_unique_ptr<T>) {
    return find_behind<typename T::element_type, through_lists>();
  } else if constexpr (through_lists && std::is_array_v<T>) {
    return find_behind<std::remove_extent_t<T>, through_lists>();
  } else if constexpr (OptionalType<T> || (through_lists && (ListType<T> || FixedArray<T>))) {
    return find_behind<typename T::value_type, through_lists>();
  } else {
    return std::type_identity<T>();
  }
}

template <class T>
using ValueBehind = typename decltype(find_behind<T, false>())::type;
template <class T>
using ElementBehind = typename decltype(find_behind<T, true>())::type;

template <class T>
concept NumberType = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

template <class T>
concept TimeType = requires {
  typename T::rep;
  typename T::period;
};

// A struct, a variant or a tuple: it has members and no value of its own.
template <class T>
concept MembersType = !std::is_scalar_v<T> && !TextType<T> && !BytesType<T> && !MapType<T> &&
                      !ListType<T> && !FixedArray<T> && !TimeType<T>;

}  // namespace parley::codec::impl
