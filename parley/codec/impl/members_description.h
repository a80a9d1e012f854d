// What the compiler says of the members of a struct or a tuple: constants, and the few functions
// that take the type itself. lazy_members.cc makes Members of them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

struct MembersDescription {
  std::string_view name{};  // of the type, for messages
  // Either what is to be said of each field, or only the types of all (null: the keeper of unknown
  // fields) and their names, each with a zero behind it; null: they have none.
  std::span<const FieldSource> fields{};
  std::span<const Type* const> types{};
  const char* names = nullptr;
  // Writes down where `object` has each field, null for a property.
  void (*locate)(void* object, const void** found) = nullptr;
  void* (*make)() = nullptr;  // null: the type has no default
  void (*destroy)(void* object) = nullptr;
  void (*set_defaults)(void* object) = nullptr;  // null: nothing
  std::size_t size = 0;                          // of an object
  std::size_t alignment = 0;
  OnUnknown on_unknown = OnUnknown::as_asked;
  bool are_parameters = false;
};

// The size of the text that has these names, each with a zero behind it.
consteval std::size_t size_of_names(std::span<const std::string_view> names) {
  std::size_t size = 0;
  for (const std::string_view name : names) size += name.size() + 1;
  return size;
}

// A text of at least one character, for what has no names.
template <std::size_t size>
struct JoinedNames {
  char text[size + 1]{};

  consteval explicit JoinedNames(std::span<const std::string_view> names) {
    char* to = text;
    for (const std::string_view name : names) {
      for (const char c : name) *to++ = c;
      ++to;
    }
  }
};

// Few make an object this way, and none in a loop.
template <class T>
[[gnu::cold]] void* make_object() {
  return new T{};
}
template <class T>
[[gnu::cold]] void destroy_object(void* object) {
  delete static_cast<T*>(object);
}

}  // namespace parley::codec::impl
