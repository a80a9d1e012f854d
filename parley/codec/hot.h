// Code of its own for a type on a hot path: encoding it as JSON then takes no walk through a table
// but runs code that the compiler made for this struct, about half of the time. It costs what
// tables save, seconds of compiling and some KB for each type: say it only of what a profile shows.
//
// The struct is one that is reflected (reflect.h): what parley::fields says beside it holds, but
// flattened members, UnknownFields, properties and tables of all fields are refused while
// compiling. Structs inside are hot if they are named too; the rest goes by its table, and so do
// all other formats, decoding, and protobuf's JSON mapping. The text is the same to the byte, and
// errors and max_depth are too. A small struct that lies in itself needs less than 48 KiB of stack
// at the default depth; a wide one more, by its members, where nothing is optimised.
//
// To be said before the type first meets a format, where everybody sees it who encodes it: in the
// header that declares it.
//
//   struct Quote { std::int64_t id = 0; double price = 0; };
//   template <>
//   inline constexpr bool parley::is_hot<Quote> = true;
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/json_output.h"
#include "parley/codec/reflect.h"
#include "parley/codec/type.h"

namespace parley {

template <class T>
inline constexpr bool is_hot = false;

}  // namespace parley

namespace parley::codec::impl {

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> && !is_character<T> &&
                                  !std::is_same_v<T, float> && !std::is_same_v<T, long double>;

// The room that a value needs after the last look at how much there is.
template <class T>
constexpr std::size_t room_of() {
  return is_number<T> ? max_number_chars : short_room;
}

// `"name":` as an array, so that to copy it is a few stores.
template <class T, std::size_t i>
inline constexpr auto hot_key = [] {
  constexpr FieldSource source = reflected_sources<T>[i];
  static_assert(!source.is_flat,
                "parley: a struct with a flattened member cannot be hot: drop one of the two");
  static_assert(!std::is_same_v<std::remove_const_t<FieldType<T, i>>, UnknownFields>,
                "parley: a struct with UnknownFields cannot be hot: drop one of the two");
  std::array<char, source.name.size() + 3> key{};
  std::size_t end = 0;
  key[end++] = '"';
  for (const char c : source.name) key[end++] = c;
  key[end++] = '"';
  key[end] = ':';
  return key;
}();

template <class T>
constexpr bool are_names_plain() {
  for (const FieldSource& source : reflected_sources<T>) {
    for (const char c : source.name) {
      if (static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\') return false;
    }
  }
  return true;
}

template <class T>
char* write_hot(JsonOutput& output, const void* object, char* at);

template <class T>
concept Number = is_number<T>;
template <class T>
concept Hot = is_hot<T>;

// Each writes `value` where there is room_of() it and `rest` more; room for the rest is left.
template <class T>
char* write_hot_value(JsonOutput& output, const T& value, char* at, std::size_t rest) {
  at = output.write_other(type_of<T>(), &value, at);
  return at == nullptr ? nullptr : output.ensure(at, rest);
}
template <Number T>
char* write_hot_value(JsonOutput& output, const T& value, char* at, std::size_t) {
  if constexpr (std::is_same_v<T, bool>) {
    std::memcpy(at, value ? "true " : "false", 5);
    return at + (value ? 4 : 5);
  } else if constexpr (std::is_same_v<T, double>) {
    return output.write_float64(value, at);
  } else if constexpr (std::is_signed_v<T>) {
    return write_int64(at, value);
  } else {
    return write_uint64(at, value);
  }
}
inline char* write_hot_value(JsonOutput& output, const std::string& value, char* at,
                             std::size_t rest) {
  if (char* const end = write_short(value, at)) return end;
  at = output.write_string(value, at);
  return at == nullptr ? nullptr : output.ensure(at, rest);
}
template <Hot T>
char* write_hot_value(JsonOutput& output, const T& value, char* at, std::size_t rest) {
  at = write_hot<T>(output, &value, at);
  return at == nullptr ? nullptr : output.ensure(at, rest);
}
template <class T>
  requires(!std::is_same_v<T, bool> && !std::is_same_v<T, std::byte>)
char* write_hot_value(JsonOutput& output, const std::vector<T>& value, char* at, std::size_t rest) {
  if (!output.go_deeper()) return nullptr;
  *at++ = '[';
  Progress progress{.before = 0, .count = value.size()};
  output.begin_list(progress, at);
  for (const T& element : value) {
    at = output.ensure(at, room_of<T>() + 1);
    at = write_hot_value(output, element, at, 1);
    if (at == nullptr) {
      output.failure().in_index(progress.done);
      return nullptr;
    }
    *at++ = ',';
    ++progress.done;
  }
  output.end_list(progress);
  output.come_up();
  if (!value.empty()) --at;
  *at++ = ']';
  return output.ensure(at, rest);
}

// A member that a struct without it leaves out.
template <class T>
inline constexpr bool is_left_out = may_be_empty<T>;

// What all members of T from the first on need, their values' own checks apart.
template <class T, std::size_t first, std::size_t count>
constexpr std::size_t room_of_members() {
  return []<std::size_t... i>(std::index_sequence<i...>) {
    return ((hot_key<T, first + i>.size() +
             room_of<std::remove_const_t<FieldType<T, first + i>>>() + 1) +
            ... + 1);
  }(std::make_index_sequence<count - first>());
}

template <class T, std::size_t i, class M>
char* write_hot_member(JsonOutput& output, const M& member, char* at) {
  constexpr auto& key = hot_key<T, i>;
  if constexpr (is_left_out<M>) {
    if (!member) return at;
  }
  std::memcpy(at, key.data(), key.size());
  at += key.size();
  constexpr std::size_t rest = room_of_members<T, i + 1, field_count<T>>() + 1;
  if constexpr (is_left_out<M>) {
    at = write_hot_value(output, *member, output.ensure(at, rest + max_number_chars), rest);
  } else {
    at = write_hot_value(output, member, at, rest);
  }
  if (at == nullptr) {
    output.failure().in_field(reflected_sources<T>[i].name);
    return nullptr;
  }
  *at++ = ',';
  return at;
}

template <class T>
char* write_hot(JsonOutput& output, const void* object, char* at) {
  static_assert(!Represented<T>,
                "parley: a struct that travels as another type cannot be hot: drop one of the two");
  static_assert(!has_whole_table<T>(),
                "parley: a struct with a table of all fields cannot be hot: drop one of the two");
  static_assert(are_names_plain<T>(),
                "parley: a struct whose members' names need escapes cannot be hot");
  if (!output.go_deeper()) return nullptr;
  constexpr std::size_t count = field_count<T>;
  at = output.ensure(at, room_of_members<T, 0, count>() + 1);
  *at++ = '{';
  at = with_fields(*static_cast<const T*>(object), [&](const auto&... member) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      char* end = at;
      (void)(((end = write_hot_member<T, i>(output, member, end)) != nullptr) && ...);
      return end;
    }(std::make_index_sequence<count>());
  });
  if (at == nullptr) return nullptr;
  output.come_up();
  // In place of the last comma.
  if (at[-1] == ',') --at;
  *at++ = '}';
  return output.ensure(at);
}

template <Hot T>
inline constexpr HotOperations hot_operations_of{.write_json = &write_hot<T>};
template <Hot T>
inline constexpr const HotOperations* hot_operations<T> = &hot_operations_of<T>;

}  // namespace parley::codec::impl
