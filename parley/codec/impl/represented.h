// How every reader reads a type that travels as another.
#pragma once

#include "parley/base/status.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// Whether all that is read for `type` is taken over while the text is there: then a view may show
// any text, also one that lies in the reader's own memory. A view deeper inside might be kept.
inline bool is_taken_over(const Type& type) {
  return type.kind == Kind::represented && type.element->kind == Kind::bytes;
}

// Has `fill` read what the type travels as, with `is_represented` saying whether that is taken
// over, and hands it to the type, whose refusal goes to `fail`.
template <class Fail>
bool take_represented(const Type& type, void* object, Fill fill, void* context,
                      bool& is_represented, const Fail& fail) {
  bool filled = false;
  is_represented = is_taken_over(type);
  const Status status = type.represented->take(object, fill, context, filled);
  is_represented = false;
  if (!filled) return false;
  return status.is_ok() || fail(status);
}
inline bool take_represented(const Type& type, void* object, Fill fill, void* context,
                             bool& is_represented, Failure& failure) {
  return take_represented(type, object, fill, context, is_represented, [&](const Status& status) {
    return failure.set(status.code(), status.message());
  });
}

}  // namespace parley::codec::impl
