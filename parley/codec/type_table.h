// The tables that describe types to formats: what type.h makes and what a format interprets.
//
// A format is a function over a Type and a void*: it looks at the kind, does numbers and strings
// itself and reaches everything else through the operations of its kind. Tables never change and
// live as long as the program: safe on every thread and fiber.
//
//   bool write(const codec::Type& type, const void* object) {
//     if (type.kind == codec::Kind::structure) {
//       for (const codec::Field& field : type.members().fields()) {
//         write(*field.type, static_cast<const char*>(object) + field.offset);
//     ...
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "parley/base/status.h"

namespace parley::codec {

class Members;

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
  string,       // std::string
  bytes,        // bytes: std::vector<std::byte>, Bytes, and views of either text or bytes
  json,         // Json
  enumeration,  // enumeration; element: its underlying integer
  duration,     // time
  instant,      // time: a point in time of the system's clock
  optional,     // element, optional: std::optional, std::unique_ptr
  list,         // element, list: std::vector, std::deque, std::set, std::unordered_set
  array,        // element, count: `count` elements side by side
  tuple,        // members(), without names
  map,          // key, element, map
  variant,      // variant
  structure,    // members()
  represented,  // element, represented: a type that travels as another one
};

// What protobuf's own messages (well_known.h) are to JSON as protobuf maps it. To every other
// format they are what their kind says.
enum class WellKnown : std::uint8_t {
  none,
  plain_message,  // google.protobuf.Empty
  timestamp,
  duration,
  any,
  field_mask,
  what_it_holds,  // the value of its only member: the wrappers, Struct and ListValue
  value,
  null_value,  // the enum
};

struct Type;

// A message of protobuf that somebody else describes.
struct DescribedMessage {
  std::string name;  // in full: "shop.v1.Order"
  std::string file;  // the one that declares it
  // That file and all it needs: FileDescriptorProtos as they travel, by name.
  std::map<std::string, std::string> files;
};

// Text or bytes in another container than std::string.
struct BytesOperations {
  bool is_text;             // std::string_view: must be UTF-8 where a format says so
  bool is_view;             // holds nothing itself: shows a part of what is decoded
  bool is_message = false;  // the fields of a protobuf message: as a whole they are that message
  // Valid until the object changes. Bytes in several pieces are put together in `room`.
  std::string_view (*get)(const void* object, std::string& room);
  void (*set)(void* object, std::string_view bytes);  // a view: `bytes` must live on
  // What message that is, where it is known. May be null.
  DescribedMessage (*describe)() = nullptr;
};

struct EnumValue {
  std::int64_t value = 0;  // of an unsigned one: the same bits
  std::string_view name{};
};

struct EnumOperations {
  std::span<const EnumValue> values;  // those with a name, in the order of the declaration
};

// Since 1970 for a point in time. Nanoseconds have the sign of the seconds or are 0; of a point in
// time they are never negative.
struct Seconds {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
};

struct TimeOperations {
  // What is finer than a nanosecond is rounded upwards, so that set() finds the same again. False
  // when it is not finite or does not fit.
  bool (*get)(const void* object, Seconds& time);
  // What is finer than the type's unit is cut off, downwards. False when it does not fit.
  bool (*set)(void* object, Seconds time);
};

struct OptionalOperations {
  const void* (*get)(const void* optional);  // null when empty
  void* (*ensure)(void* optional);           // the value, default-made when there was none
  void (*reset)(void* optional);
};

// Where a walk through a list or a map stands, which must not change meanwhile.
struct Cursor {
  const void* key = nullptr;    // of a map only
  const void* value = nullptr;  // valid until the next step
  alignas(void*) unsigned char place[5 * sizeof(void*)] = {};
};

// Fills a new element or key, default-made; false gives up.
using Fill = bool (*)(void* context, void* object);

struct ListOperations {
  std::size_t (*size)(const void* list);
  void (*truncate)(void* list, std::size_t size);  // to at most what it has
  // Elements that lie side by side, from data(). Null where they do not: walk() then.
  void* (*data)(void* list);
  // A new default-made element at the end; may move the others. Null where an element cannot be
  // changed once it is in (sets, std::vector<bool>): insert() then.
  void* (*append)(void* list);
  // Room for `size` elements in all, where the container can hold some ready. May be null.
  void (*reserve)(void* list, std::size_t size);
  // Has a new element filled and puts it in; a set drops what it has already. False: fill was.
  bool (*insert)(void* list, Fill fill, void* context);
  // Shows element `index`, which must be there, where there is no data() but an order. May be null.
  void (*show)(const void* list, Cursor& cursor, std::size_t index);
  // False at the end. first() starts, next() goes on.
  bool (*first)(const void* list, Cursor& cursor);
  bool (*next)(const void* list, Cursor& cursor);
  void (*swap)(void* list, void* other);
};

// What a std::map held before it is read anew: its entries serve once more, memory and all.
struct MapSpare {
  MapSpare() = default;
  MapSpare(const MapSpare&) = delete;
  MapSpare& operator=(const MapSpare&) = delete;
  ~MapSpare() {
    if (drop != nullptr) drop(*this);
  }

  void (*drop)(MapSpare& spare) = nullptr;  // null: nothing is held
  alignas(std::max_align_t) std::byte room[64];
};

struct MapOperations {
  std::size_t (*size)(const void* map);
  // What it held goes to `spare`, which holds nothing yet, or is freed where that is null.
  void (*clear)(void* map, MapSpare* spare);
  // Has a key filled and makes a value under it, which is to be read over as an element of a list
  // is; `is_new` tells whether the key was not there before. Null: fill gave up.
  void* (*insert)(void* map, MapSpare* spare, Fill fill, void* context, bool& is_new);
  // False at the end. std::unordered_map has no order to promise.
  bool (*first)(const void* map, Cursor& cursor);
  bool (*next)(const void* map, Cursor& cursor);
  void (*swap)(void* map, void* other);
};

struct Alternative {
  std::string_view name{};
  const Type* type = nullptr;  // null for std::monostate: nothing
};

struct VariantOperations {
  std::span<const Alternative> alternatives;
  std::size_t (*index)(const void* variant);
  const void* (*get)(const void* variant);
  void* (*emplace)(void* variant, std::size_t index);  // default-made; keeps it if it is that one
};

// A type that travels as another: its element.
struct RepresentedOperations {
  // Shows what it travels as to `use`, and returns what that returns.
  bool (*show)(const void* object, bool (*use)(void* context, const void* as), void* context);
  // Has one filled and takes it over. Not ok when fill gave up (`filled` is false then) or when
  // the type refuses it.
  Status (*take)(void* object, Fill fill, void* context, bool& filled);
  void (*move)(void* to, void* from);  // null where the type cannot be moved
};

namespace impl {
class JsonOutput;
}

// Code made for one type alone, which formats take in place of its table (hot.h).
struct HotOperations {
  // Null on failure; else where the position is then.
  char* (*write_json)(impl::JsonOutput& output, const void* object, char* at);
};

namespace impl {

struct MembersDescription;

// The members of a type, made when somebody first asks for them, by the library: what the compiler
// says of a type is data nearly all of it. Behind a function, since compilers look into data at
// once and a type may hold itself.
class LazyMembers {
 public:
  constexpr explicit LazyMembers(const MembersDescription& (*describe)()) : describe_(describe) {}
  // Those that are made already, and outlive it.
  explicit LazyMembers(const Members& made) : describe_(nullptr), made_(&made) {}

  [[nodiscard]] const Members& get() const {
    const Members* const made = made_.load(std::memory_order_acquire);
    return made != nullptr ? *made : make();
  }

 private:
  [[nodiscard]] const Members& make() const;

  const MembersDescription& (*describe_)();
  mutable std::atomic<const Members*> made_{nullptr};
};

}  // namespace impl

struct Type {
  Kind kind = Kind::boolean;
  WellKnown well_known = WellKnown::none;
  std::size_t size = 0;  // sizeof the object
  const Type* element = nullptr;
  const Type* key = nullptr;
  std::size_t count = 0;
  std::string_view name{};             // of a struct or an enum, without its namespace
  const HotOperations* hot = nullptr;  // of a struct; null: there is no code for it alone
  union {
    const void* none = nullptr;
    const BytesOperations* bytes;
    const EnumOperations* enumeration;
    const TimeOperations* time;
    const OptionalOperations* optional;
    const ListOperations* list;
    const MapOperations* map;
    const VariantOperations* variant;
    const RepresentedOperations* represented;
    const impl::LazyMembers* members_of;
  };

  // Of a structure or a tuple.
  [[nodiscard]] const Members& members() const { return members_of->get(); }
};

// "integer", "array", "object": what errors call a value of this kind.
std::string_view name_of(Kind kind) noexcept;

namespace impl {

// Said beside the types of well_known.h, and of no others: who reads it counts on their members.
template <class T>
inline constexpr WellKnown well_known_of = WellKnown::none;

// What an alternative of a variant is called when its type has no name of its own.
constexpr std::string_view name_of_alternative(Kind kind) {
  constexpr std::string_view names[] = {
      "bool",   "int8",     "int16",  "int32",  "int64", "uint8", "uint16",  "uint32",
      "uint64", "float",    "double", "string", "bytes", "json",  "enum",    "duration",
      "time",   "optional", "list",   "array",  "tuple", "map",   "variant", "struct"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace impl

}  // namespace parley::codec
