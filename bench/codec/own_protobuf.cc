#include "own.h"
#include "protobuf_rows.h"

namespace parley::bench {
namespace {

template <Memory memory, class T>
void add_body(Table& table, std::string_view body, Maker<T> make) {
  add_encoding<Protobuf, OwnEncoder<Protobuf>, memory>(table, "own", body, make);
  add_decoding<Protobuf, OwnDecoder<Protobuf>, memory>(table, "own", body, make);
}

template <Memory memory>
void add_bodies(Table& table) {
  add_body<memory>(table, "args", make_args);
  add_body<memory>(table, "order", make_order);
  add_body<memory>(table, "catalogue", make_catalogue);
}

}  // namespace

std::vector<std::string> Protobuf::same_as(const std::string& text) {
  // Field 100, which no body has: four bytes, and a group around one.
  const std::string bytes("\xa2\x06\x04two\xff", 7);
  const std::string group("\xa3\x06\x08\x01\xa4\x06", 6);
  return {bytes + text, text + group};
}

void add_own_protobuf(Table& table) {
  add_bodies<Memory::fresh>(table);
  add_bodies<Memory::reused>(table);
}

}  // namespace parley::bench
