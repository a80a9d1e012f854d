#include "msgpack_rows.h"
#include "own.h"

namespace parley::bench {

std::vector<std::string> Msgpack::same_as(const std::string& text) {
  // Every body is a map of less than fifteen members: "nobody", [-1.5, nil, {}].
  std::string with_unknown = text;
  ++with_unknown[0];
  with_unknown.insert(1, std::string("\xa6nobody\x93\xcb\xbf\xf8\0\0\0\0\0\0\xc0\x80", 19));
  return {std::move(with_unknown)};
}

void add_own_msgpack(Table& table) {
  add_msgpack_contestant<OwnEncoder<Msgpack>, OwnDecoder<Msgpack>>(table, "own");
}

}  // namespace parley::bench
