// MessagePack: the rows it has, and who competes in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bodies.h"
#include "parley/codec/msgpack.h"
#include "tasks.h"

namespace parley::bench {

struct Msgpack {
  static constexpr std::string_view name = "msgpack";
  static constexpr std::string_view nothing = "\x80";

  template <class T>
  static Result<std::string> encode(const T& value) {
    return codec::encode_msgpack(value);
  }
  template <class T>
  static Result<T> decode(std::string_view text) {
    return codec::decode_msgpack<T>(text);
  }
  template <class T>
  static Status encode_to(std::string& text, const T& value) {
    return codec::encode_msgpack_to(text, value);
  }
  template <class T>
  static Status decode_into(std::string_view text, T& object) {
    return codec::decode_msgpack_into(text, object);
  }
  // With a member that nobody knows.
  static std::vector<std::string> same_as(const std::string& text);
};

// The rows in which `Encoder` and `Decoder` compete under that name.
template <class Encoder, class Decoder, Memory memory>
void add_msgpack_rows(Table& table, std::string_view contestant) {
  add_encoding<Msgpack, Encoder, memory>(table, contestant, "args", make_args);
  add_encoding<Msgpack, Encoder, memory>(table, contestant, "order", make_order);
  add_encoding<Msgpack, Encoder, memory>(table, contestant, "catalogue", make_catalogue);
  add_decoding<Msgpack, Decoder, memory>(table, contestant, "args", make_args);
  add_decoding<Msgpack, Decoder, memory>(table, contestant, "order", make_order);
  add_decoding<Msgpack, Decoder, memory>(table, contestant, "catalogue", make_catalogue);
}

template <class Encoder, class Decoder>
void add_msgpack_contestant(Table& table, std::string_view contestant) {
  add_msgpack_rows<Encoder, Decoder, Memory::fresh>(table, contestant);
  add_msgpack_rows<Encoder, Decoder, Memory::reused>(table, contestant);
}

// own_msgpack.cc: Parley's codec.
void add_own_msgpack(Table& table);
// msgpack_cxx.cc; without_msgpack_cxx.cc where it is not installed.
void add_msgpack_cxx(Table& table);

}  // namespace parley::bench
