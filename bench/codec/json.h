// JSON: the rows it has, and who competes in them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bodies.h"
#include "parley/codec/json.h"
#include "reversed.h"
#include "tasks.h"

namespace parley::bench {

struct Json {
  static constexpr std::string_view name = "json";
  static constexpr std::string_view nothing = "{}";

  template <class T>
  static Result<std::string> encode(const T& value) {
    return codec::encode_json(value);
  }
  template <class T>
  static Result<T> decode(std::string_view text) {
    return codec::decode_json<T>(text);
  }
  template <class T>
  static Status encode_to(std::string& text, const T& value) {
    return codec::encode_json_to(text, value);
  }
  template <class T>
  static Status decode_into(std::string_view text, T& object) {
    return codec::decode_json_into(text, object);
  }
  // `text` with its members in reverse order, and with one that nobody knows.
  static std::vector<std::string> same_as(const std::string& text);
};

// The rows in which `Encoder` competes under that name.
template <class Encoder>
void add_json_encoder(Table& table, std::string_view contestant) {
  add_encoding<Json, Encoder, Memory::fresh>(table, contestant, "args", make_args);
  add_encoding<Json, Encoder, Memory::fresh>(table, contestant, "order", make_order);
  add_encoding<Json, Encoder, Memory::fresh>(table, contestant, "catalogue", make_catalogue);
  add_encoding<Json, Encoder, Memory::reused>(table, contestant, "args", make_args);
  add_encoding<Json, Encoder, Memory::reused>(table, contestant, "order", make_order);
  add_encoding<Json, Encoder, Memory::reused>(table, contestant, "catalogue", make_catalogue);
  add_encoding<Json, Encoder, Memory::fresh>(table, contestant, "doubles", make_doubles);
  add_encoding<Json, Encoder, Memory::fresh>(table, contestant, "escapes", make_escapes);
}

// The smallest body a decoder is meant for.
enum class Smallest { args, order };

// The rows in which two decoders compete under one name: `Fresh` where an object is made for each
// text, `Reused` where one object serves all.
template <class Fresh, class Reused, Smallest smallest = Smallest::args>
void add_json_decoder(Table& table, std::string_view contestant) {
  if constexpr (smallest == Smallest::args) {
    add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "args", make_args);
    add_decoding<Json, Reused, Memory::reused>(table, contestant, "args", make_args);
  }
  add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "order", make_order);
  add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "catalogue", make_catalogue);
  add_decoding<Json, Reused, Memory::reused>(table, contestant, "order", make_order);
  add_decoding<Json, Reused, Memory::reused>(table, contestant, "catalogue", make_catalogue);
  add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "doubles", make_doubles);
  add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "escapes", make_escapes);
  add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "non_ascii", make_non_ascii);
  add_decoding<Json, Fresh, Memory::fresh>(table, contestant, "reversed", make_catalogue,
                                           reversed_members);
}

// own_json.cc: Parley's codec; own_in_order, in the bench `reversed`, reads what is not reversed.
void add_own_json(Table& table);
// own_hot_json.cc: Parley's code of its own for each body.
void add_own_hot_json(Table& table);
// rapidjson_writer.cc, rapidjson_dom.cc, rapidjson_sax.cc; without_rapidjson.cc where it is not
// installed.
void add_rapidjson(Table& table);
// simdjson_peer.cc
void add_simdjson(Table& table);
// simdjson_peer.cc: for a contestant that does not check this itself.
bool is_utf8(std::string_view text);

}  // namespace parley::bench
