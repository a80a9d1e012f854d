// The tables that describe types to formats: what type.h makes and what a format interprets.
//
// A format is a function over a Type and a void*: it looks at the kind, does numbers and strings
// itself and reaches containers through their operations. Tables never change and live as long as
// the program: safe on every thread and fiber.
//
//   bool write(const codec::Type& type, const void* object) {
//     if (type.kind == codec::Kind::structure) {
//       for (const codec::Field& field : type.members().fields) {
//         write(*field.type, static_cast<const char*>(object) + field.offset);
//     ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parley::codec {

// Any JSON value, as text. Decoding checks it and keeps it to the byte (without the white space
// around it); encoding checks it and writes it to the byte.
struct Json {
  std::string text = "null";

  friend bool operator==(const Json&, const Json&) = default;
};

enum class Kind : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  string,
  json,
  optional,   // element, optional
  list,       // element, list: std::vector
  array,      // element, count: `count` elements side by side
  tuple,      // members, without names
  map,        // element, map: std::string to element
  structure,  // members
};

struct Type;

// A member of a struct or an element of a tuple.
struct Field {
  std::string_view key;  // `"name":`, ready to be written as JSON; empty in a tuple
  const Type* type = nullptr;
  std::size_t offset = 0;  // bytes from the start of the object

  [[nodiscard]] std::string_view name() const {
    return key.empty() ? key : key.substr(1, key.size() - 3);
  }
};

struct Members {
  std::span<const Field> fields;
  const void* defaults = nullptr;  // an object as T{} makes it
};

struct OptionalOperations {
  const void* (*get)(const void* optional);  // null when empty
  void* (*ensure)(void* optional);           // the value, default-made when there was none
  void (*reset)(void* optional);
};

struct ListOperations {
  std::size_t (*size)(const void* list);
  void (*truncate)(void* list, std::size_t size);  // to at most what it has
  // Elements lie side by side from data(). Null for a std::vector<bool>, which has bits instead.
  void* (*data)(void* list);
  void* (*append)(void* list);  // a new element at the end; may move the others
  bool (*bit)(const void* list, std::size_t index);
  void (*append_bit)(void* list, bool bit);
};

// Where a walk through a map stands. The map must not change meanwhile.
struct MapCursor {
  const std::string* key = nullptr;
  const void* value = nullptr;
  alignas(void*) unsigned char place[2 * sizeof(void*)] = {};
};

struct MapOperations {
  std::size_t (*size)(const void* map);
  void (*clear)(void* map);
  // A new default-made value under `key`; null when the key is there already.
  void* (*insert)(void* map, std::string&& key);
  // False at the end. first() starts, next() goes on; std::unordered_map has no order to promise.
  bool (*first)(const void* map, MapCursor& cursor);
  bool (*next)(const void* map, MapCursor& cursor);
};

struct Type {
  Kind kind = Kind::boolean;
  std::size_t size = 0;                                  // sizeof the object
  void (*assign)(void* to, const void* from) = nullptr;  // copies a whole object over another
  const Type* element = nullptr;
  std::size_t count = 0;
  const OptionalOperations* optional = nullptr;
  const ListOperations* list = nullptr;
  const MapOperations* map = nullptr;
  const Members& (*members)() = nullptr;
};

// "integer", "array", "object": what errors call a value of this kind.
std::string_view name_of(Kind kind) noexcept;

}  // namespace parley::codec
