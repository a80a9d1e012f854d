// How the compiler fills in the table of a struct: its members by reflection, by the field table
// beside it, or by both. Only type.h includes this file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parley/codec/fields.h"
#include "parley/codec/impl/describe.h"
#include "parley/codec/impl/field_rules.h"
#include "parley/codec/impl/members_description.h"
#include "parley/codec/members.h"
#include "parley/codec/reflect.h"

namespace parley::codec::impl {

// The reflected names in one text, without the long spellings they were cut from.
template <class T>
inline constexpr JoinedNames<size_of_names(field_names<T>)> joined_names(field_names<T>);

template <class T, std::size_t i>
constexpr FieldSource reflected_source() {
  std::size_t start = 0;
  for (std::size_t k = 0; k < i; ++k) start += field_names<T>[k].size() + 1;
  FieldSource source;
  source.name = {joined_names<T>.text + start, field_names<T>[i].size()};
  return source;
}

// `field` stands in a fields<T>, and its rules are shown there.
template <class Access>
constexpr void say(const FieldOf<Access>& field, FieldSource& source) {
  const FieldOptions& options = field.options();
  if (!options.name.empty()) source.name = options.name;
  source.json_name = options.json_name;
  source.number = options.number;
  source.wire = options.wire;
  source.key_wire = options.key_wire;
  source.xml = options.xml;
  source.is_required = options.is_required;
  source.is_flat = options.is_flat;
  source.is_unpacked = options.is_unpacked;
  if (field.rules().says_something) source.rules = &field.rules();
}

// Whether `pointer` is reflected member i of T, which has this name.
template <class T, std::size_t i, class Access>
constexpr bool is_member(const Access& access) {
  if constexpr (requires { access.pointer; }) {
    using Member = FieldType<T, i>;
    if constexpr (std::is_same_v<Member, typename Access::Value> &&
                  std::is_base_of_v<typename Access::Owner, T>) {
      return &(imagined_object<T>().*access.pointer) == address_at<i>(member_addresses<T>());
    }
  }
  return false;
}

constexpr std::size_t no_rule = static_cast<std::size_t>(-1);

// Which of fields<T> speaks of reflected member i.
template <class T, std::size_t i>
consteval std::size_t rule_of() {
  std::size_t found = no_rule;
  std::size_t k = 0;
  for_each_rule<T>([&](const auto& field) {
    if (is_member<T, i>(field.access())) found = k;
    ++k;
  });
  return found;
}

// Field `k` of fields<T>, as far as it is a matter of its type.
template <class T, std::size_t k, class Member>
constexpr void say_type(FieldSource& source) {
  constexpr auto& field = fields<T>.template at<k>();
  if constexpr (field.options().is_oneof) {
    source.type = &OneofTable<T, k>::type;
    source.oneof = field.oneof_fields();
  } else if constexpr (!std::is_same_v<Member, UnknownFields>) {
    // The keeper of unknown fields is no field itself; it has no table.
    source.type = member_type<Member>();
  }
}

template <class T, std::size_t i>
constexpr FieldSource ruled_source() {
  FieldSource source = reflected_source<T, i>();
  using Member = FieldType<T, i>;
  if constexpr (has_no_rules<T>) {
    if constexpr (!std::is_same_v<Member, UnknownFields>) source.type = member_type<Member>();
  } else {
    constexpr std::size_t k = rule_of<T, i>();
    if constexpr (k == no_rule) {
      if constexpr (!std::is_same_v<Member, UnknownFields>) source.type = member_type<Member>();
    } else {
      const std::string_view name = source.name;
      say(fields<T>.template at<k>(), source);
      say_type<T, k, Member>(source);
      // Unless it was renamed, the name kept apart is as good as the one given.
      if (source.name == name) source.name = name;
    }
  }
  return source;
}

// Counts in `rules` the member that `access` reaches; returns how many those are.
template <class T, class Access, std::size_t n, std::size_t... i>
constexpr std::size_t count_rule(const Access& access, std::array<std::size_t, n>& rules,
                                 std::index_sequence<i...>) {
  std::size_t matches = 0;
  const auto count = [&](bool is_this, std::size_t index) {
    if (!is_this) return;
    ++rules[index];
    ++matches;
  };
  (count(is_member<T, i>(access), i), ...);
  return matches;
}

template <class T>
consteval bool every_rule_has_its_member() {
  if constexpr (has_no_rules<T>) {
    return true;
  } else {
    bool is_good = true;
    std::array<std::size_t, field_count<T> + 1> rules{};
    for_each_rule<T>([&](const auto& field) {
      constexpr auto indices = std::make_index_sequence<field_count<T>>();
      is_good = count_rule<T>(field.access(), rules, indices) == 1 && is_good;
    });
    for (const std::size_t count : rules) is_good = is_good && count <= 1;
    return is_good;
  }
}

template <class T>
inline constexpr auto reflected_sources = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array<FieldSource, sizeof...(i)>{ruled_source<T, i>()...};
}(std::make_index_sequence<field_count<T>>());

template <class T, std::size_t k>
constexpr FieldSource table_source() {
  constexpr auto& field = fields<T>.template at<k>();
  using Access = std::remove_cvref_t<decltype(field.access())>;
  FieldSource source;
  say(field, source);
  if constexpr (requires { field.access().pointer; }) {
    say_type<T, k, typename Access::Value>(source);
  } else {
    source.type = &Table<Access>::type;
    source.is_property = true;
  }
  return source;
}

template <class T>
inline constexpr auto table_sources = []<std::size_t... k>(std::index_sequence<k...>) {
  return std::array<FieldSource, sizeof...(k)>{table_source<T, k>()...};
}(std::make_index_sequence<FieldsOf<T>::count>());

template <class T, class Access>
void set_default(T& object, const FieldOf<Access>& field) {
  if constexpr (!std::is_array_v<typename Access::Value>) {
    if (!field.options().has_default) return;
    if constexpr (requires { field.access().pointer; }) {
      object.*field.access().pointer = field.default_maker()();
    } else {
      Access::put(object, field.default_maker()());
    }
  }
}

template <class T>
constexpr bool has_defaults() {
  if constexpr (has_no_rules<T>) {
    return false;
  } else {
    bool has_some = false;
    for_each_rule<T>([&](const auto& field) { has_some |= field.options().has_default; });
    return has_some;
  }
}

// The keeper of unknown fields is no field itself; it has no table.
template <class M>
consteval const Type* reflected_type() {
  if constexpr (std::is_same_v<M, UnknownFields>) {
    return nullptr;
  } else {
    return member_type<M>();
  }
}

template <class... M>
consteval auto list_types(FieldTypes<M...>) {
  return std::array<const Type*, sizeof...(M)>{reflected_type<M>()...};
}
template <class T>
inline constexpr auto reflected_types = list_types(BoundTypes<T>());

template <class T>
void locate_reflected(void* object, const void** found) {
  addresses_in(*static_cast<T*>(object)).list(found);
}

template <class T, class Access>
const void* locate_field(T& object, const FieldOf<Access>& field) {
  if constexpr (requires { field.access().pointer; }) {
    return &(object.*field.access().pointer);
  } else {
    return nullptr;
  }
}

template <class T>
void locate_table(void* object, const void** found) {
  for_each_rule<T>(
      [&](const auto& field) { *found++ = locate_field(*static_cast<T*>(object), field); });
}

template <class T>
void set_defaults(void* made) {
  for_each_rule<T>([&](const auto& field) { set_default(*static_cast<T*>(made), field); });
}

template <class T>
consteval MembersDescription describe_members() {
  MembersDescription description;
  description.name = kept_type_name<T>;
  description.size = sizeof(T);
  description.alignment = alignof(T);
  if constexpr (requires { T{}; }) {
    description.make = &make_object<T>;
    description.destroy = &destroy_object<T>;
    if constexpr (has_defaults<T>()) description.set_defaults = &set_defaults<T>;
  }
  if constexpr (!has_no_rules<T>) description.on_unknown = fields<T>.unknown();
  if constexpr (has_whole_table<T>()) {
    description.fields = table_sources<T>;
    description.locate = &locate_table<T>;
  } else {
    static_assert(every_rule_has_its_member<T>(),
                  "parley: a rule in field_rules speaks of no member of this struct, or two speak "
                  "of one: properties and inherited members belong into a field_table");
    if constexpr (has_no_rules<T>) {
      description.types = reflected_types<T>;
      description.names = joined_names<T>.text;
    } else {
      description.fields = reflected_sources<T>;
    }
    description.locate = &locate_reflected<T>;
  }
  return description;
}

template <class T>
inline constexpr MembersDescription members_description = describe_members<T>();
template <class T>
const MembersDescription& structure_description() {
  return members_description<T>;
}
template <class T>
inline constinit LazyMembers structure_members{&structure_description<T>};

}  // namespace parley::codec::impl
