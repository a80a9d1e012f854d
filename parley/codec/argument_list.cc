#include "parley/codec/argument_list.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "parley/codec/members.h"

namespace parley::codec {
namespace {

bool show_pointed(const void* object, bool (*use)(void* context, const void* as), void* context) {
  return use(context, *static_cast<const void* const*>(object));
}

Status take_nothing(void* /*object*/, Fill /*fill*/, void* /*context*/, bool& filled) {
  filled = true;
  return {Code::internal, "what is made for writing was read into"};
}

// A pointer travels as what it points to.
constexpr RepresentedOperations pointer_operations = {
    .show = &show_pointed, .take = &take_nothing, .move = nullptr};

Type pointer_to(const Type& type) {
  Type pointer;
  pointer.kind = Kind::represented;
  pointer.size = sizeof(const void*);
  pointer.element = &type;
  pointer.represented = &pointer_operations;
  return pointer;
}

std::vector<Type> pointers_to(std::span<const Type* const> types) {
  std::vector<Type> pointers;
  pointers.reserve(types.size());
  for (const Type* const type : types) pointers.push_back(pointer_to(*type));
  return pointers;
}

std::vector<FieldSource> fields_of(const std::vector<Type>& pointers) {
  std::vector<FieldSource> fields(pointers.size());
  for (std::size_t i = 0; i < pointers.size(); ++i) fields[i].type = &pointers[i];
  return fields;
}

std::vector<std::uint32_t> offsets_of(std::size_t count) {
  std::vector<std::uint32_t> offsets(count);
  for (std::size_t i = 0; i < count; ++i) {
    offsets[i] = static_cast<std::uint32_t>(i * sizeof(const void*));
  }
  return offsets;
}

}  // namespace

struct ArgumentList::Made {
  explicit Made(std::span<const Type* const> types)
      : pointers(pointers_to(types)),
        fields(fields_of(pointers)),
        offsets(offsets_of(types.size())),
        members({.fields = fields, .offsets = offsets.data()}) {
    list.kind = Kind::tuple;
    list.size = types.size() * sizeof(const void*);
    list.members_of = &lazy;
  }

  const std::vector<Type> pointers;
  const std::vector<FieldSource> fields;
  const std::vector<std::uint32_t> offsets;
  const Members members;
  const impl::LazyMembers lazy{members};
  Type list;
};

const Type& ArgumentList::type_in(const Made& made) { return made.list; }

const Type& ArgumentList::make() const {
  // Never freed: another thread may still be writing while statics go.
  const auto* const mine = new Made(types_);
  const Made* made = nullptr;
  if (made_.compare_exchange_strong(made, mine, std::memory_order_acq_rel)) return mine->list;
  // Another thread was first.
  delete mine;
  return made->list;
}

}  // namespace parley::codec
