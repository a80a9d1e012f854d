#include "json.h"

namespace parley::bench {
namespace {

class OwnEncoder {
 public:
  template <class T>
  Status encode(const T& value) {
    text_.clear();
    return codec::encode_json_to(text_, value);
  }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

struct OwnDecoder {
  using Input = std::string;

  template <class T>
  Status decode(const std::string& text, T& object) {
    return codec::decode_json_into(text, object);
  }
  template <class T>
  static Result<T> decoded(const std::string& text) {
    return codec::decode_json<T>(text);
  }
};

}  // namespace

std::vector<std::string> Json::same_as(const std::string& text) {
  std::string with_unknown = text;
  // Every body is an object with members.
  with_unknown.insert(1, R"("nobody knows":[{"lines":[-1.5,"\u00e9"]},null,{}],)");
  return {reversed_members(text), std::move(with_unknown)};
}

void add_own_json(Table& table) {
  add_json_encoder<OwnEncoder>(table, "own");
  add_json_decoder<OwnDecoder, OwnDecoder>(table, "own");
  add_decoding<Json, OwnDecoder, Memory::fresh>(table, "own_in_order", "reversed", make_catalogue);
}

}  // namespace parley::bench
