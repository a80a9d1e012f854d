// The typed reader: walks a table of types and the bytes side by side. Scalars and texts are read
// in protobuf_reader.cc, what holds other values in protobuf_reader_messages.cc.
//
// A value that is read fresh has nothing of its old content left, though its memory is used again.
// Otherwise what is read is merged into what came before it in the same message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/impl/protobuf_cursor.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"
#include "parley/codec/protobuf.h"

namespace parley::codec::impl {

// Where the elements of a list are decoded: over the old ones, for the memory they hold, then
// behind them, one after the other.
class ElementPlaces {
 public:
  ElementPlaces(const Type& type, void* list, std::size_t old_size)
      : list_(*type.list),
        object_(list),
        size_(type.element->size),
        old_count_(list_.data == nullptr ? 0 : old_size),
        old_(old_count_ == 0 ? nullptr : static_cast<char*>(list_.data(list))) {}

  [[nodiscard]] void* at(std::size_t index) const {
    return index < old_count_ ? old_ + index * size_ : list_.append(object_);
  }

 private:
  const ListOperations& list_;
  void* object_;
  std::size_t size_;
  std::size_t old_count_;
  char* old_;
};

class ProtobufReader : public ProtobufCursor {
 public:
  ProtobufReader(std::string_view bytes, const Limits& limits, const ProtobufOptions& options)
      : ProtobufCursor(bytes, limits, 0), options_(options) {}

  // The whole input, as one message or as what a type travels as.
  bool read_whole(const Type& type, void* object);

 private:
  // What is known of a field besides its type.
  struct Record {
    Tag tag;
    Wires wires;
    bool is_fresh = true;
    bool is_single = false;  // exactly one record, whatever the type
  };
  // A value to be read in a call back.
  struct Target {
    ProtobufReader* reader;
    const Type* type;
    const Record* record;
  };
  // The key of an entry: null where it is absent.
  struct EntryKey {
    ProtobufReader* reader;
    const Type* type;
    const Record* record;
    const char* start;
  };

  // The value behind the tag, and of what may be several records those of the same field that
  // follow at once.
  bool read(const Type& type, void* object, const Record& record);
  static bool read_target(void* target, void* object);
  static bool read_packed_target(void* target, void* object);

  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] bool read_scalar(const Type& type, void* object, const Record& record);
  // Without a tag.
  [[gnu::noinline]] bool take_scalar(const Type& type, void* object, Wire wire);
  [[gnu::noinline]] bool store_varint(const Type& type, void* object, std::uint64_t bits,
                                      Wire wire);
  bool read_text(std::string_view& text, const Record& record);
  [[gnu::noinline]] bool read_string(std::string& text, const Record& record);
  [[gnu::noinline]] bool read_bytes(const BytesOperations& bytes, void* object,
                                    const Record& record);
  [[gnu::noinline]] bool read_json(std::string& text, const Record& record);
  [[gnu::noinline]] bool read_optional(const Type& type, void* object, const Record& record);
  [[gnu::noinline]] bool read_list(const Type& type, void* object, const Record& record);
  [[gnu::noinline]] bool read_packed(const Type& type, void* object, const Record& record);
  [[gnu::noinline]] bool read_element(const Type& type, void* object, const Record& record,
                                      std::size_t index, const ElementPlaces& places,
                                      bool is_packed);
  void reserve_records(const ListOperations& list, void* object, const Tag& tag);
  void reserve_packed(const Type& type, void* object, Wire wire);
  [[gnu::noinline]] bool read_array(const Type& type, void* object, const Record& record);
  [[gnu::noinline]] bool read_map(const Type& type, void* object, const Record& record);
  [[gnu::noinline]] bool read_entry(const Type& type, void* object, MapSpare& spare,
                                    const Record& record);
  bool find_key(Tag& key_tag, const char*& key);
  static bool read_key_target(void* target, void* object);
  [[gnu::noinline]] bool read_value(const Type& type, void* value, Wires wires);
  [[gnu::noinline]] bool read_represented(const Type& type, void* object, const Record& record);
  [[gnu::noinline]] bool read_message(const Type& type, void* object, const Record& record);

  // What stands in a message, up to its end.
  bool read_inside(const Type& type, void* object, bool is_fresh, Wires wires);
  [[gnu::noinline]] bool read_members(const Type& type, void* object, bool is_fresh);
  // Returns the field that is expected to come next.
  [[gnu::noinline]] const Field* read_quick_fields(const Members& members, void* object,
                                                   SeenFields& seen, const Field* expected);
  [[gnu::noinline]] bool read_alone(const Type& type, void* object, Wires wires, bool is_fresh);
  [[gnu::noinline]] bool read_time(const Type& type, void* object, bool is_fresh);
  [[gnu::noinline]] bool read_variant(const Type& type, void* object, bool is_fresh);

  // Whether the same field comes again; then its tag is read.
  bool comes_again(const Tag& tag);
  bool expect(WireType type, const Tag& tag);
  void* emplace_alternative(const Field& field, void* object, bool& is_fresh);
  [[gnu::noinline]] bool read_unknown(const Members* members, void* object, const Tag& tag);
  std::size_t take_part(const void* array, bool is_fresh);
  [[gnu::noinline]] bool finish_arrays(std::size_t base);
  [[gnu::cold]] bool fail_wire_type(WireType expected, const Tag& tag);
  [[gnu::cold]] bool fail_range(const Type& type, std::int64_t value);
  [[gnu::cold]] bool fail_arity(std::size_t expected, std::size_t got);
  [[gnu::cold]] bool fail_elements();
  [[gnu::cold]] bool in_field(const Field& field);
  [[gnu::cold]] bool in_key(const EntryKey& key);

  // An array of which only a part has come so far.
  struct PartOfArray {
    const void* array;
    std::size_t count;
    std::size_t expected;
  };

  const ProtobufOptions& options_;
  bool is_represented_ = false;  // what is read is taken over while the input is there
  std::vector<std::uint64_t> more_seen_;
  std::vector<PartOfArray> parts_;
};

}  // namespace parley::codec::impl
