#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "parley/codec/impl/members_description.h"
#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {
namespace {

std::vector<FieldSource> fields_of(const MembersDescription& description) {
  std::vector<FieldSource> fields(description.fields.begin(), description.fields.end());
  const char* at = description.names;
  for (const Type* const type : description.types) {
    FieldSource& field = fields.emplace_back();
    field.type = type;
    if (at == nullptr) continue;
    field.name = at;
    at += field.name.size() + 1;
  }
  return fields;
}

// Where an object has each field. Of a type without a default none is made: its room will do.
std::vector<std::uint32_t> offsets_in(const MembersDescription& description, void* object,
                                      std::size_t count) {
  struct Room {
    std::align_val_t alignment;
    void operator()(void* room) const { ::operator delete(room, alignment); }
  };
  std::unique_ptr<void, Room> room(nullptr, Room{std::align_val_t{description.alignment}});
  if (object == nullptr) {
    room.reset(::operator new(description.size, room.get_deleter().alignment));
    object = room.get();
  }
  std::vector<const void*> found(count);
  description.locate(object, found.data());
  std::vector<std::uint32_t> offsets;
  for (const void* const member : found) {
    offsets.push_back(member == nullptr
                          ? 0
                          : static_cast<std::uint32_t>(static_cast<const char*>(member) -
                                                       static_cast<const char*>(object)));
  }
  return offsets;
}

}  // namespace

const Members& LazyMembers::make() const {
  const MembersDescription& description = describe_();
  // Never freed: another thread may still be decoding while statics go.
  void* const defaults = description.make == nullptr ? nullptr : description.make();
  const std::vector<FieldSource> fields = fields_of(description);
  const std::vector<std::uint32_t> offsets = offsets_in(description, defaults, fields.size());
  MembersSource source;
  source.name = description.name;
  source.fields = fields;
  source.offsets = offsets.data();
  source.on_unknown = description.on_unknown;
  source.defaults = defaults;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].type == nullptr) source.unknown_fields = offsets[i];
  }
  source.make = description.make;
  source.destroy = description.destroy;
  source.set_defaults = description.set_defaults;
  source.are_parameters = description.are_parameters;
  const auto* const members = new Members(source);
  const Members* made = nullptr;
  if (made_.compare_exchange_strong(made, members, std::memory_order_acq_rel)) return *members;
  // Another thread was first.
  delete members;
  if (defaults != nullptr) description.destroy(defaults);
  return *made;
}

}  // namespace parley::codec::impl
