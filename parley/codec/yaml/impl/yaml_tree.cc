#include "parley/codec/yaml/impl/yaml_tree.h"

#include <yaml-cpp/parser.h>

#include <charconv>
#include <istream>
#include <streambuf>
#include <utility>

#include "parley/base/guard.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/yaml/impl/yaml_events.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_text = 64;

// Reads a text where it lies.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* const start = const_cast<char*>(text.data());  // only read
    setg(start, start, start + text.size());
  }
};

std::string place(const YamlTree& tree, std::uint32_t origin, std::size_t line,
                  std::size_t column) {
  if (origin != 0) return tree.variables[origin - 1];
  return tree.file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

// Where the first character that is not UTF-8 begins.
std::size_t first_broken(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size()) {
    const auto byte = static_cast<unsigned char>(line[at]);
    const std::size_t size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (!is_utf8(line.substr(at, size))) return at;
    at += size;
  }
  return at;
}

// yaml-cpp guesses UTF-16 from zeros and lets control characters pass, which YAML does not.
Status check_characters(const YamlTree& tree, std::string_view text, std::uint32_t origin) {
  std::size_t line = 1;
  for (std::size_t start = 0; start < text.size(); ++line) {
    const std::string_view rest = text.substr(start, text.find('\n', start) - start);
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const auto byte = static_cast<unsigned char>(rest[i]);
      if (byte >= 0x20 || byte == '\t' || byte == '\r') continue;
      return Status(Code::invalid_argument, place(tree, origin, line, i + 1) +
                                                ": the control character " + std::to_string(byte) +
                                                " cannot stand in YAML: write it in double quotes" +
                                                " as \\x and two hexadecimal digits");
    }
    if (!is_utf8(rest)) {
      return Status(Code::invalid_argument, place(tree, origin, line, first_broken(rest) + 1) +
                                                ": this is not UTF-8: save the text as UTF-8");
    }
    start += rest.size() + 1;
  }
  return {};
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_number(std::string_view& text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// yaml-cpp's own words, "yaml-cpp: error at line 3, column 1: illegal ...", as errors look here.
Status parser_error(const YamlTree& tree, std::uint32_t origin, const std::string& words) {
  std::string_view rest = words;
  std::size_t line = 0;
  std::size_t column = 0;
  const bool has_place = take(rest, "yaml-cpp: error at line ") && take_number(rest, line) &&
                         take(rest, ", column ") && take_number(rest, column) && take(rest, ": ");
  const std::string where = has_place ? place(tree, origin, line, column)
                                      : (origin != 0 ? tree.variables[origin - 1] : tree.file);
  return Status(Code::invalid_argument,
                where + ": not YAML: " + shortened(has_place ? rest : words, 200));
}

}  // namespace

YamlId YamlTree::add(YamlNode node) {
  nodes.push_back(std::move(node));
  return static_cast<YamlId>(nodes.size() - 1);
}

std::string YamlTree::place_of(YamlId id) const {
  const YamlNode& node = at(id);
  return place(*this, node.origin, node.line, node.column);
}

std::string shown(const YamlNode& node) {
  switch (node.what) {
    case YamlNode::What::null:
      return "nothing (null)";
    case YamlNode::What::list:
      return "a list";
    case YamlNode::What::map:
      return "a map";
    case YamlNode::What::scalar:
      break;
  }
  return '"' + shortened(escaped_json(node.text), max_shown_text) + '"' +
         (node.is_text ? " in quotes" : "");
}

Status parse_yaml(YamlTree& tree, std::string_view text, std::uint32_t origin,
                  const YamlOptions& options, YamlId& root) {
  if (text.size() > options.limits.max_bytes) {
    return Status(Code::resource_exhausted, (origin != 0 ? tree.variables[origin - 1] : tree.file) +
                                                ": " + std::to_string(text.size()) +
                                                " bytes (max_bytes is " +
                                                std::to_string(options.limits.max_bytes) + ")");
  }
  if (Status status = check_characters(tree, text, origin); !status.is_ok()) return status;
  TextBuffer buffer(text);
  YamlEvents events(tree, text, origin, options);
  YamlSecondDocument second;
  const Status parsed = guarded([&] {
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(events)) parser.HandleNextDocument(second);
  });
  if (!events.status().is_ok()) return events.status();
  if (second.is_there()) {
    return Status(Code::invalid_argument,
                  place(tree, origin, static_cast<std::size_t>(second.mark().line) + 1,
                        static_cast<std::size_t>(second.mark().column) + 1) +
                      ": a second document begins here: a configuration is one document");
  }
  if (!parsed.is_ok()) return parser_error(tree, origin, parsed.cause());
  if (events.has_root()) {
    root = events.root();
  } else {
    root = tree.add({.origin = origin, .line = 1, .column = 1});
  }
  return {};
}

}  // namespace parley::codec::impl
