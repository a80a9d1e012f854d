// JSON as protobuf maps it: proto3's "JSON Mapping". Interpreters of their own, so that plain JSON
// pays nothing for it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "parley/base/status.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/json_name.h"
#include "parley/codec/json.h"
#include "parley/codec/limits.h"
#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

// As encode_json_as() and decode_json_as() with JsonOptions::protobuf_mapping.
Status encode_protobuf_json(std::string& out, const Type& type, const void* object,
                            const Limits& limits, const JsonOptions& options);
Status decode_protobuf_json(std::string_view text, const Type& type, void* object,
                            const Limits& limits, const JsonOptions& options);

// What an Any with this URL holds. Null, with the failure, when nobody knows.
const Type* find_message(const JsonOptions& options, std::string_view type_url, Failure& failure);

// What the field at `index` is called. An element of a tuple as in the .proto that schema.h writes.
inline std::string protobuf_json_name(const Field& field, std::size_t index) {
  if (!field.json_name.empty()) return std::string(field.json_name);
  return field.name.empty() ? "argument" + std::to_string(index + 1)
                            : protobuf_json_name(field.name);
}

}  // namespace parley::codec::impl
