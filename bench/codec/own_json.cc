#include "json.h"
#include "own.h"

namespace parley::bench {

std::vector<std::string> Json::same_as(const std::string& text) {
  std::string with_unknown = text;
  // Every body is an object with members.
  with_unknown.insert(1, R"("nobody knows":[{"lines":[-1.5,"\u00e9"]},null,{}],)");
  return {reversed_members(text), std::move(with_unknown)};
}

void add_own_json(Table& table) {
  add_json_encoder<OwnEncoder<Json>>(table, "own");
  add_json_decoder<OwnDecoder<Json>, OwnDecoder<Json>>(table, "own");
  add_decoding<Json, OwnDecoder<Json>, Memory::fresh>(table, "own_in_order", "reversed",
                                                      make_catalogue);
}

}  // namespace parley::bench
