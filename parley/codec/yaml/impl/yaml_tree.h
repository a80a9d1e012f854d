// What a YAML text says, as nodes that know their place. yaml-cpp parses; the nodes are made from
// its events, so that limits hold while it parses, merge keys are merged before anybody looks, and
// an alias is a second way to the same node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/yaml/yaml.h"

namespace parley::codec::impl {

using YamlId = std::uint32_t;

struct YamlNode {
  enum class What : std::uint8_t { null, scalar, list, map };

  What what = What::null;
  bool is_text = false;      // in quotes, a block or tagged so: a text whatever it looks like
  bool is_verbatim = false;  // a variable's value: text or number, as the field wants
  bool is_own = false;       // made by an override, and only in one place
  std::uint32_t origin = 0;  // 0: the text; else the variable of that number, from 1
  std::uint32_t line = 0;    // from 1, in bytes as the column
  std::uint32_t column = 0;
  std::uint32_t height = 0;        // lists and maps inside this one, and itself
  std::string text{};              // of a scalar
  const char* source = nullptr;    // where the input has the same text, or null
  std::vector<YamlId> children{};  // of a map: key, value, key, value
  std::size_t nodes = 1;           // with all below, each as often as it can be reached
  std::size_t bytes = 0;           // of texts, counted the same way
};

struct YamlTree {
  std::string file{};
  std::vector<YamlNode> nodes{};
  std::vector<std::string> variables{};  // names, by origin - 1
  YamlId root = 0;

  [[nodiscard]] const YamlNode& at(YamlId id) const { return nodes[id]; }
  YamlId add(YamlNode node);
  // "shop.yaml:3:7", or the name of a variable.
  [[nodiscard]] std::string place_of(YamlId id) const;
};

// "a list", "text in quotes", "\"abc\"": what errors call a node.
std::string shown(const YamlNode& node);

// Parses `text`, one document, into nodes of `tree`; `root` is its top, a null when the text is
// empty. `origin` is that of all its nodes. `text` is what their `source` points into.
Status parse_yaml(YamlTree& tree, std::string_view text, std::uint32_t origin,
                  const YamlOptions& options, YamlId& root);

}  // namespace parley::codec::impl
