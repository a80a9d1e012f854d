// Protobuf: the rows it has, and who competes in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bodies.h"
#include "parley/codec/protobuf.h"
#include "tasks.h"

namespace parley::bench {

struct Protobuf {
  static constexpr std::string_view name = "protobuf";
  static constexpr std::string_view nothing{};

  template <class T>
  static Result<std::string> encode(const T& value) {
    return codec::encode_protobuf(value);
  }
  template <class T>
  static Result<T> decode(std::string_view text) {
    return codec::decode_protobuf<T>(text);
  }
  template <class T>
  static Status encode_to(std::string& text, const T& value) {
    return codec::encode_protobuf_to(text, value);
  }
  template <class T>
  static Status decode_into(std::string_view text, T& object) {
    return codec::decode_protobuf_into(text, object);
  }
  // With a field that nobody knows.
  static std::vector<std::string> same_as(const std::string& text);
};

// own_protobuf.cc: Parley's codec.
void add_own_protobuf(Table& table);
// libprotobuf.cc; without_libprotobuf.cc where it is not installed.
void add_libprotobuf(Table& table);

}  // namespace parley::bench
