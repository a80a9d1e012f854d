// What is said about a type beside it, where its declaration does not say enough: other names,
// numbers for protobuf, what must be there, defaults, flattening, rules for the values; and whole
// tables for types whose members the language does not give away (private ones, bases with members,
// bit-fields, references). No macro; nothing inside the type unless its members are private.
//
// Compile-time values only: safe everywhere.
//
//   struct Order { int id; std::string tea; Address to; };
//
//   // Some of the members, the others stay as they are:
//   template <>
//   inline constexpr auto parley::fields<Order> = parley::codec::field_rules<Order>(
//       parley::codec::field<&Order::id>().number(7).required(),
//       parley::codec::field<&Order::tea>().named("kind of tea"));
//
//   // All there are; nothing is reflected:
//   template <>
//   inline constexpr auto parley::fields<Flags> = parley::codec::field_table<Flags>(
//       parley::codec::field<&Flags::owner>(),
//       parley::codec::property<[](const Flags& f) { return f.low; },
//                               [](Flags& f, unsigned low) { f.low = low & 7; }>("low"));
//
//   // Inside a class, where its private members can be seen:
//   static constexpr auto parley_fields() {
//     return parley::codec::field_table<Account>(parley::codec::field<&Account::cents_>("cents"));
//   }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/codec/impl/field_access.h"
#include "parley/codec/impl/field_places.h"
#include "parley/codec/impl/spelling.h"
#include "parley/codec/oneof.h"
#include "parley/codec/rule_words.h"
#include "parley/codec/type_table.h"
#include "parley/codec/unknown_fields.h"

namespace parley::codec {

// Where XML has a member of a struct.
enum class XmlPlace : std::uint8_t {
  element,    // inside the struct's element, as one of its own
  attribute,  // of the struct's element; a single value, or an optional one
  text,       // of the struct's element; a single value, and one in a struct
};

struct FieldOptions {
  std::string_view name{};
  std::string_view json_name{};  // empty: fieldName for field_name
  std::uint32_t number = 0;      // 0: by its position, from 1
  Wire wire = Wire::usual;
  Wire key_wire = Wire::usual;
  XmlPlace xml = XmlPlace::element;
  bool is_required = false;
  bool is_flat = false;
  bool is_unpacked = false;
  bool is_oneof = false;
  bool has_default = false;  // there is a default_to()
};

// One field: how to reach it, and what is said about it, the words of rule_words.h included. Each
// function returns the field with that changed. Made by field<>() and property<>().
template <class Access>
class FieldOf : public RuleWords<FieldOf<Access>, typename Access::Value> {
 public:
  using Value = typename Access::Value;
  template <class V>
  struct MakerOf {
    using type = V (*)();
  };
  template <class V, std::size_t n>
  struct MakerOf<V[n]> {
    using type = std::nullptr_t;  // no function returns an array
  };
  using MakeDefault = typename MakerOf<Value>::type;

  constexpr FieldOf(Access access, std::string_view name)
      : access_(access), options_{.name = name} {}

  [[nodiscard]] constexpr FieldOf named(std::string_view name) const {
    FieldOf changed = *this;
    changed.options_.name = name;
    return changed;
  }
  // Its name in JSON as protobuf maps it, in place of fieldName for field_name; a json_name in a
  // .proto.
  [[nodiscard]] constexpr FieldOf json_name(std::string_view name) const {
    FieldOf changed = *this;
    changed.options_.json_name = name;
    return changed;
  }
  // Its number in protobuf: 1 to 2^29 - 1, without 19000 to 19999. Of what is flattened: that of
  // the first inside which has none of its own; the others count on from it.
  [[nodiscard]] constexpr FieldOf number(std::uint32_t number) const {
    FieldOf changed = *this;
    changed.options_.number = number;
    return changed;
  }
  // The integer, those in the optional, list or array, or the values of the map. The program ends
  // where the type is no integer that can be written so.
  [[nodiscard]] constexpr FieldOf encoded_as(Wire wire) const {
    FieldOf changed = *this;
    changed.options_.wire = wire;
    return changed;
  }
  // The same for the keys of a map.
  [[nodiscard]] constexpr FieldOf keys_encoded_as(Wire wire) const {
    FieldOf changed = *this;
    changed.options_.key_wire = wire;
    return changed;
  }
  // Where XML has it; the program ends where a value of this type cannot be there.
  [[nodiscard]] constexpr FieldOf in_xml(XmlPlace place) const {
    FieldOf changed = *this;
    changed.options_.xml = place;
    return changed;
  }
  // Decoding fails when it is absent; of a bound one bind_from() fails.
  [[nodiscard]] constexpr FieldOf required() const {
    FieldOf changed = *this;
    changed.options_.is_required = true;
    changed.require();
    return changed;
  }
  // The members of this struct appear among those of the struct around it. Of a std::variant: the
  // one alternative that is there, under its name; protobuf's oneof.
  [[nodiscard]] constexpr FieldOf flatten() const {
    FieldOf changed = *this;
    changed.options_.is_flat = true;
    return changed;
  }
  // Flattens a std::variant whose alternatives have these names and numbers, in their order. What a
  // std::unique_ptr in it points to is the alternative, so that messages may hold themselves; one
  // that is null counts as nothing.
  template <std::size_t n>
  [[nodiscard]] constexpr FieldOf oneof(const OneofField (&alternatives)[n]) const
    requires(n == impl::alternative_count<Value>)
  {
    FieldOf changed = flatten();
    changed.options_.is_oneof = true;
    for (std::size_t i = 0; i < n; ++i) changed.oneof_[i] = alternatives[i];
    return changed;
  }
  // Each number of a list gets a record of its own in protobuf; both forms are always read.
  [[nodiscard]] constexpr FieldOf unpacked() const {
    FieldOf changed = *this;
    changed.options_.is_unpacked = true;
    return changed;
  }
  // What it is when it is absent, instead of what the struct's own initialisers say; of structs
  // that an outer initialiser puts into a list, a map or an optional they still say.
  [[nodiscard]] constexpr FieldOf default_to(MakeDefault make) const
    requires(!std::is_array_v<Value>)
  {
    FieldOf changed = *this;
    changed.default_ = make;
    changed.options_.has_default = true;
    return changed;
  }

  [[nodiscard]] constexpr const Access& access() const { return access_; }
  [[nodiscard]] constexpr const FieldOptions& options() const { return options_; }
  [[nodiscard]] constexpr MakeDefault default_maker() const { return default_; }
  [[nodiscard]] constexpr std::span<const OneofField> oneof_fields() const { return oneof_; }

 private:
  Access access_;
  FieldOptions options_;
  MakeDefault default_ = nullptr;
  std::array<OneofField, impl::alternative_count<Value>> oneof_{};
};

// A data member, private ones where they can be named; its name is the member's unless given.
template <auto member>
consteval auto field(std::string_view name = impl::last_identifier(impl::spelling<member>())) {
  return FieldOf(impl::MemberAccess{member}, name);
}

// Something that is no member with an address: `get` takes a const T& and returns the value, `set`
// takes a T& and the value. Functions, or lambdas that capture nothing.
template <auto get, auto set>
consteval auto property(std::string_view name) {
  return FieldOf(impl::PropertyAccess<get, set>(), name);
}

// What parley::fields<T> holds. Made by field_rules() and field_table().
template <class T, bool is_whole_, class... Fields>
class FieldList {
 public:
  static constexpr bool is_whole = is_whole_;
  static constexpr std::size_t count = sizeof...(Fields);

  consteval explicit FieldList(Fields... fields) : places_(fields...) {}

  [[nodiscard]] consteval FieldList on_unknown(OnUnknown what) const {
    FieldList changed = *this;
    changed.on_unknown_ = what;
    return changed;
  }

  // What `use` makes of all fields as its arguments.
  template <class Use>
  constexpr decltype(auto) apply(Use use) const {
    return places_.apply(use);
  }
  template <std::size_t i>
  constexpr const auto& at() const {
    return impl::field_at<i>(places_);
  }
  [[nodiscard]] constexpr OnUnknown unknown() const { return on_unknown_; }

 private:
  impl::FieldPlaces<std::index_sequence_for<Fields...>, Fields...> places_;
  OnUnknown on_unknown_ = OnUnknown::as_asked;
};

// Changes some of the reflected members of T; those that are not named stay as they are.
template <class T, class... Access>
consteval auto field_rules(FieldOf<Access>... fields) {
  return FieldList<T, false, FieldOf<Access>...>(fields...);
}

// Exactly these fields, in this order; T is not reflected. Any number of them.
template <class T, class... Access>
consteval auto field_table(FieldOf<Access>... fields) {
  return FieldList<T, true, FieldOf<Access>...>(fields...);
}

namespace impl {

struct NoFields {};

template <class T>
consteval auto fields_inside() {
  if constexpr (requires { T::parley_fields(); }) {
    return T::parley_fields();
  } else {
    return NoFields();
  }
}

}  // namespace impl

// The values of an enum that are looked at for names; those outside travel as numbers.
struct EnumRange {
  std::int64_t least = -16;
  std::int64_t most = 127;
};

// For parley::enum_names<E>, in place of the names in the declaration.
template <class E, std::size_t n>
consteval std::array<EnumValue, n> names_of_enum(const std::pair<E, std::string_view> (&names)[n]) {
  std::array<EnumValue, n> values{};
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = {.value = static_cast<std::int64_t>(names[i].first), .name = names[i].second};
  }
  return values;
}

}  // namespace parley::codec

namespace parley {

// The fields of T, when specialised beside it; see the head of this file.
template <class T>
inline constexpr auto fields = codec::impl::fields_inside<T>();

// The values of E that have a name, when specialised:
//   template <>
//   inline constexpr auto parley::enum_names<Colour> =
//       codec::names_of_enum<Colour>({{Colour::red, "RED"}, {Colour::green, "GREEN"}});
template <class E>
inline constexpr auto enum_names = codec::impl::NoFields();

// Where to look for names, when specialised: at most 1,024 values.
template <class E>
inline constexpr codec::EnumRange enum_range{};

// The names of a variant's alternatives, when specialised as a std::array of std::string_view.
template <class V>
inline constexpr auto alternative_names = codec::impl::NoFields();

// A type's own way to travel: as another type, which every format then treats as usual. What
// decode() takes may be a view, of any text, also with escapes: it lives as long as that call.
//   template <> struct parley::Representation<Money> {
//     static std::string encode(const Money& money) { return money.to_string(); }
//     static Status decode(std::string text, Money& money) { return money.parse(text); }
//   };
template <class T>
struct Representation;

}  // namespace parley
