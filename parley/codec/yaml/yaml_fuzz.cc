// Feeds arbitrary text to the reader of configuration, to its overrides and to path queries. What
// must hold, whatever the text:
// * what was read as JSON is valid JSON, and reads, being YAML, as the same JSON again;
// * what was read into a type is the same over a used object, and through a document;
// * the query for everything finds the top and, for each place it finds, a path, a line and a
//   value;
// * any text may be a query or a variable: an error or an answer, nothing else.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/codec/json.h"
#include "parley/codec/testing/sample.h"
#include "parley/codec/yaml/path_query.h"
#include "parley/codec/yaml/yaml.h"

namespace {

using namespace parley;
using codec::testing::Sample;

codec::YamlOptions small_options() {
  codec::YamlOptions options;
  options.limits = {
      .max_depth = 12, .max_bytes = 8192, .max_elements = 100, .max_string_bytes = 200};
  options.max_nodes = 1'000;
  return options;
}

void check_untyped(std::string_view text, const codec::YamlOptions& options) {
  const auto first = codec::decode_yaml<codec::Json>(text, options);
  if (!first) return;
  PARLEY_ASSERT(codec::validate_json(first->text).is_ok(), "a value became broken JSON");
  const auto second = codec::decode_yaml<codec::Json>(first->text);
  PARLEY_ASSERT(second && *second == *first, "a value changed on its way through JSON");
}

void check_typed(std::string_view text, const codec::YamlOptions& options) {
  const auto first = codec::decode_yaml<Sample>(text, options);
  const auto document = codec::YamlDocument::parse(text, options);
  if (!document) {
    PARLEY_ASSERT(!first, "a value came from a text that is no document");
    return;
  }
  const auto through = document->as<Sample>(options);
  PARLEY_ASSERT(through.error() == first.error(), "a document and a text differ");
  if (!first) return;
  // .nan is no number that equals itself: what JSON can say is compared.
  const auto written = codec::encode_json(*first);
  if (!written) return;
  Sample used = codec::testing::Dice(text.size()).sample();
  PARLEY_ASSERT(codec::decode_yaml_into(text, used, options).is_ok() && used == *first,
                "something of the old content was left");
}

void check_queries(std::string_view text, const codec::YamlOptions& options) {
  static const codec::PathQuery everything = codec::PathQuery::compile("**").value();
  if (const auto document = codec::YamlDocument::parse(text, options)) {
    const std::vector<codec::YamlMatch> found = everything.find(*document);
    PARLEY_ASSERT(!found.empty() && found.size() <= options.max_nodes, "not everything was found");
    for (std::size_t i = 0; i < found.size() && i < 32; ++i) {
      PARLEY_ASSERT(found[i].path().empty() == (i == 0), "a path is missing");
      PARLEY_ASSERT(found[i].place().starts_with("yaml:"), "a place is missing");
      if (const auto string = found[i].as<std::string>(options)) {
        PARLEY_ASSERT(string->size() <= options.limits.max_string_bytes, "a text beyond its limit");
      }
    }
  }
  static const codec::YamlDocument tree =
      codec::YamlDocument::parse("a: [1, {b: 2}]\nc: {a: {b: 3}}\ndb-x: ~").value();
  if (const auto query = codec::PathQuery::compile(text.substr(0, text.find('\n')))) {
    PARLEY_ASSERT(query->find(tree).size() <= 9, "more nodes than there are");
  }
}

// "NAME=value" in the first line, the file in the others.
void check_overrides(std::string_view text, codec::YamlOptions options) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::size_t sign = line.find('=');
  if (sign == std::string_view::npos) return;
  const std::vector<codec::EnvironmentVariable> environment = {
      {.name = std::string(line.substr(0, sign)), .value = std::string(line.substr(sign + 1))}};
  options.environment = environment;
  options.environment_prefix = "";
  const std::string_view file = text.substr(std::min(line.size() + 1, text.size()));
  const auto value = codec::decode_yaml<Sample>(file, options);
  PARLEY_ASSERT(value || !value.error().message().empty(), "an error without a message");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const codec::YamlOptions options = small_options();
  check_untyped(text, options);
  check_typed(text, options);
  check_queries(text, options);
  check_overrides(text, options);
  return 0;
}
