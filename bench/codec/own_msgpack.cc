#include "msgpack_rows.h"

namespace parley::bench {
namespace {

class OwnEncoder {
 public:
  template <class T>
  Status encode(const T& value) {
    text_.clear();
    return codec::encode_msgpack_to(text_, value);
  }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

struct OwnDecoder {
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    return codec::decode_msgpack_into(text, object);
  }
  template <class T>
  static Result<T> decoded(const std::string& text) {
    return codec::decode_msgpack<T>(text);
  }
};

}  // namespace

std::vector<std::string> Msgpack::same_as(const std::string& text) {
  // Every body is a map of less than fifteen members: "nobody", [-1.5, nil, {}].
  std::string with_unknown = text;
  ++with_unknown[0];
  with_unknown.insert(1, std::string("\xa6nobody\x93\xcb\xbf\xf8\0\0\0\0\0\0\xc0\x80", 19));
  return {std::move(with_unknown)};
}

void add_own_msgpack(Table& table) { add_msgpack_contestant<OwnEncoder, OwnDecoder>(table, "own"); }

}  // namespace parley::bench
