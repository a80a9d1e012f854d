// What a google.protobuf.Any may hold: messages in a message, told apart by their names.
//
// In JSON a message in an Any is read and written as itself, and is bytes in between. For Anys in
// each other, at most max_depth of them, that takes a copy of the bytes inside for each level; of
// these two are held at one time, whatever the depth. But a level keeps its copy where its
// message shows parts of it (std::string_view), or has the Any in what travels as another type.
//
// A MessageTypes is filled by one thread, and may then be read on every thread and fiber; the other
// functions are pure.
//
//   codec::MessageTypes types;
//   types.add<Order>("shop.Order");
//   well_known::Any any = codec::pack_any("shop.Order", order).value();
//   codec::encode_json(any, {}, {.protobuf_mapping = true, .message_types = &types});
//   Result<Order> again = codec::unpack_any<Order>(any, "shop.Order");
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/limits.h"
#include "parley/codec/protobuf.h"
#include "parley/codec/type.h"
#include "parley/codec/well_known.h"

namespace parley::codec {

// The messages that an Any may hold, by their full names in protobuf. Those of well_known.h are
// always known.
class MessageTypes {
 public:
  // A later type of the same name takes the place of the earlier.
  template <class T>
  void add(std::string_view full_name) {
    static_assert(std::is_default_constructible_v<T>,
                  "parley: only a message with a default can be read out of an Any");
    add_type(full_name, type_of<T>());
  }

  // Null when there is none.
  [[nodiscard]] const Type* find(std::string_view full_name) const;

 private:
  // Ends the program when the type is no struct: a bug in the program.
  void add_type(std::string_view full_name, const Type& type);

  std::map<std::string, const Type*, std::less<>> types_;
};

// `message` in an Any, under type.googleapis.com. Fails as encode_protobuf() does.
template <class T>
Result<well_known::Any> pack_any(std::string_view full_name, const T& message,
                                 const Limits& limits = {}) {
  well_known::Any any{.type_url = "type.googleapis.com/" + std::string(full_name), .value = {}};
  Result<std::string> bytes = encode_protobuf(message, limits);
  if (!bytes) return bytes.error();
  const auto* const first = reinterpret_cast<const std::byte*>(bytes->data());
  any.value.assign(first, first + bytes->size());
  return any;
}

// Whether the Any holds a message of this name.
bool is_any_of(const well_known::Any& any, std::string_view full_name) noexcept;

// The message in it. invalid_argument when it holds another; fails as decode_protobuf() does.
template <class T>
Result<T> unpack_any(const well_known::Any& any, std::string_view full_name,
                     const Limits& limits = {}) {
  if (!is_any_of(any, full_name)) {
    return Status(Code::invalid_argument,
                  "the Any holds '" + any.type_url + "' and no '" + std::string(full_name) + "'");
  }
  // Nothing that shows a part of the bytes may outlive them.
  return decode_protobuf<T>({reinterpret_cast<const char*>(any.value.data()), any.value.size()},
                            limits, {.refuse_views = true});
}

}  // namespace parley::codec
