// The members of a struct or a tuple, as formats walk them. Made once for each type, when a format
// first meets it, and kept as long as the program runs: safe on every thread and fiber.
//
//   const codec::Members& members = type.members();
//   for (const codec::Field& field : members.fields()) ...
//   std::size_t index = members.find("sku");   // Members::npos when there is none
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/codec/fields.h"
#include "parley/codec/rules.h"
#include "parley/codec/type_table.h"

namespace parley::codec {

namespace impl {
struct RulePlan;
}

// What protobuf's reader and writer do with a field, known without a look at its type.
enum class QuickForm : std::uint8_t {
  none,     // ask the type
  boolean,  // as the four below: a varint
  int32,    // negative ones take ten bytes
  uint32,
  varint64,  // signed or not
  float64,
  string,   // std::string
  message,  // a struct
  list,     // elements side by side
};

constexpr std::uint16_t no_quick_tag = 0x100;  // what no byte is

// A member of a struct or an element of a tuple. What each format needs of every field comes first.
struct Field {
  const Type* type = nullptr;
  std::size_t offset = 0;  // bytes from the start of the object; of the whole object for a property
  std::uint32_t number = 0;  // in protobuf; unique in its struct
  // In the body: never of a bound one, see Rules::is_required. Beside what else protobuf needs.
  bool is_required = false;
  Wire wire = Wire::usual;
  Wire key_wire = Wire::usual;
  bool is_unpacked = false;
  QuickForm quick = QuickForm::none;
  XmlPlace xml = XmlPlace::element;
  bool is_numbered = false;                // its number was given, not counted
  bool is_rare = false;                    // an optional, or an alternative: may be left out
  std::uint16_t quick_tag = no_quick_tag;  // of a plain quick form, when it takes one byte
  // `"name":`, ready to be written as JSON; empty in a tuple. key_padding more bytes may be read.
  std::string_view key{};
  std::string_view msgpack_key{};  // the name as MessagePack, padded like `key`
  std::string_view name{};
  std::string_view json_name{};  // with protobuf_mapping; empty: made of the name
  // One alternative of a flattened variant: it is there when the variant at `offset`, whose
  // operations these are, holds alternative `alternative`; `type` is that of the alternative.
  const VariantOperations* variant = nullptr;
  std::size_t alternative = 0;
};

// A field as the compiler describes it.
struct FieldSource {
  std::string_view name{};
  std::string_view json_name{};
  const Type* type = nullptr;
  const Rules* rules = nullptr;
  std::uint32_t number = 0;  // 0: by position
  Wire wire = Wire::usual;
  Wire key_wire = Wire::usual;
  XmlPlace xml = XmlPlace::element;
  bool is_required = false;
  bool is_flat = false;
  bool is_unpacked = false;
  bool is_property = false;
  std::span<const OneofField> oneof{};  // of a flattened variant, if they are given
};

struct MembersSource {
  std::string_view name{};  // of the type, for messages
  std::span<const FieldSource> fields{};
  const std::uint32_t* offsets = nullptr;
  OnUnknown on_unknown = OnUnknown::as_asked;
  void* defaults = nullptr;                                   // an object as make() makes it
  std::size_t unknown_fields = static_cast<std::size_t>(-1);  // offset of an UnknownFields
  void* (*make)() = nullptr;                                  // as the type's own initialisers say
  void (*destroy)(void* object) = nullptr;
  void (*set_defaults)(void* object) = nullptr;  // what FieldOf::default_to says; null: nothing
  bool are_parameters = false;
};

class Members {
 public:
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  static constexpr std::size_t key_padding = 16;

  // Ends the program when two fields have one name or one number, when one has a number or a Wire
  // that protobuf cannot have, a place that XML cannot give it, a rule that does not fit, or is
  // flattened and cannot be: bugs in the program.
  explicit Members(const MembersSource& source);
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members();

  [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_; }
  // Whether each field of every object is written: none may be left out.
  [[nodiscard]] bool are_all_there() const noexcept { return are_all_there_; }
  // The field of this name, or npos. Constant time.
  [[nodiscard]] std::size_t find(std::string_view name) const noexcept;
  // The field of this number in protobuf, or npos.
  [[nodiscard]] std::size_t find_number(std::uint32_t number) const noexcept {
    return number < numbers_.size() ? std::size_t{numbers_[number]} - 1 : find_high_number(number);
  }
  // What is said about the field of this index; null when nothing is. What is said of a variant
  // that is flattened holds for each of its alternatives.
  [[nodiscard]] const Rules* rules(std::size_t index) const noexcept {
    return rules_.empty() ? nullptr : rules_[index];
  }
  // What validate() and bind_from() have to look at here; made when it is first asked for.
  [[nodiscard]] const impl::RulePlan& rule_plan() const;
  [[nodiscard]] OnUnknown on_unknown() const noexcept { return on_unknown_; }
  // Whether a field has a name of its own in protobuf's JSON, which may be another's name here.
  [[nodiscard]] bool has_json_names() const noexcept { return has_json_names_; }
  // The elements of a tuple that have names: it may be read as an object, and has no defaults then.
  [[nodiscard]] bool are_parameters() const noexcept { return are_parameters_; }
  // Where `object` keeps what the type does not know; null when it does not.
  [[nodiscard]] UnknownFields* unknown_fields(void* object) const noexcept {
    return unknown_fields_ == npos ? nullptr
                                   : static_cast<UnknownFields*>(at(object, unknown_fields_));
  }
  [[nodiscard]] const UnknownFields* unknown_fields(const void* object) const noexcept {
    return unknown_fields(const_cast<void*>(object));
  }
  // The field that is the text of the element in XML; npos when none is.
  [[nodiscard]] std::size_t xml_text() const noexcept { return xml_text_; }
  [[nodiscard]] bool has_xml_attributes() const noexcept { return has_xml_attributes_; }
  // An object of the type as it is without any input; null when the type has no default.
  [[nodiscard]] const void* defaults() const noexcept { return defaults_; }

  // Makes objects of the type, where fields are reset that cannot be copied.
  class Spare {
   public:
    explicit Spare(const Members& members) noexcept : members_(members) {}
    Spare(const Spare&) = delete;
    Spare& operator=(const Spare&) = delete;
    ~Spare() {
      if (object_ != nullptr) members_.destroy_(object_);
    }

    // The same object each time.
    void* object() {
      if (object_ == nullptr) {
        object_ = members_.make_();
        members_.set_defaults(object_);
      }
      return object_;
    }

   private:
    const Members& members_;
    void* object_ = nullptr;
  };

  // Gives a field of `object` back the value it has without any input, each at most once with one
  // `spare`. False when it has none: the type has no default, or cannot be moved.
  bool reset(const Field& field, void* object, Spare& spare) const;

 private:
  static void* at(void* object, std::size_t offset) noexcept {
    return static_cast<char*>(object) + offset;
  }
  void take(const MembersSource& source, std::size_t index);
  void note_inner(const Type& type, std::size_t offset);
  // Of the field that was added last; null: nothing.
  void add_rules(const Rules* rules);
  void take_flat(const MembersSource& source, const FieldSource& field, std::size_t offset);
  void take_alternatives(const FieldSource& field, std::size_t offset);
  void take_inner(const MembersSource& source, const FieldSource& field, std::size_t offset);
  // Of the structs inside first: what is said further out holds.
  void set_defaults(void* object) const;
  void make_keys();
  void make_msgpack_keys();
  void make_slots(std::string_view type_name);
  void check_numbers(std::string_view type_name) const;
  void make_json_names(std::string_view type_name);
  void make_numbers();
  void note_xml_places(std::string_view type_name);
  [[nodiscard]] std::size_t find_high_number(std::uint32_t number) const noexcept;

  std::vector<Field> fields_;
  std::string keys_;                         // of all fields, with padding behind the last
  std::string msgpack_keys_;                 // as keys_
  std::vector<std::uint16_t> slots_;         // field index + 1, by hash of the name; 0 is empty
  std::vector<std::uint16_t> numbers_;       // field index + 1, by number; 0 is none
  std::vector<std::uint16_t> high_numbers_;  // field indices, by number, of those beyond numbers_
  const void* defaults_ = nullptr;
  void* (*make_)() = nullptr;
  void (*destroy_)(void* object) = nullptr;
  void (*set_defaults_)(void* object) = nullptr;
  std::vector<std::pair<const Members*, std::size_t>> inner_;  // structs with defaults, and where
  std::size_t unknown_fields_ = npos;
  std::size_t xml_text_ = npos;
  bool has_xml_attributes_ = false;
  OnUnknown on_unknown_ = OnUnknown::as_asked;
  bool are_parameters_ = false;
  bool has_json_names_ = false;
  bool are_all_there_ = true;
  std::vector<const Rules*> rules_;  // by field; empty when there are none at all
  mutable std::atomic<const impl::RulePlan*> plan_{nullptr};
};

}  // namespace parley::codec
