// Puts the variables of an environment over the nodes of a file: PARLEY_SERVERS__0__PORT=8080
// becomes the node at servers[0].port, so that whoever reads the nodes need not know.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/type_table.h"
#include "parley/codec/yaml/impl/yaml_tree.h"
#include "parley/codec/yaml/yaml.h"

namespace parley::codec::impl {

class YamlOverrides {
 public:
  YamlOverrides(YamlTree& tree, const YamlOptions& options) : tree_(tree), options_(options) {}

  // `type` is what the root of the tree will be read as.
  Status apply(const Type& type);

 private:
  struct Variable {
    const EnvironmentVariable* variable;
    std::vector<std::string> parts;
    std::uint32_t origin;
  };

  Status collect(std::vector<Variable>& found);
  // The node that stands for `id` once part `at` and those behind it are put over it. `id` may be
  // absent (none): nothing was there. Nodes of the text stay as they are: others may share them.
  Status put(const Type& type, YamlId id, const Variable& variable, std::size_t at, YamlId& made);
  Status put_value(const Type& type, const Variable& variable, YamlId& made);
  Status put_member(const Type& type, YamlId id, const Variable& variable, std::size_t at,
                    YamlId& made);
  Status put_entry(const Type& type, YamlId id, const Variable& variable, std::size_t at,
                   YamlId& made);
  Status put_element(const Type& type, YamlId id, const Variable& variable, std::size_t at,
                     YamlId& made);
  Status put_alternative(const Type& type, YamlId id, const Variable& variable, std::size_t at,
                         YamlId& made);
  // Puts the rest of the variable under a key of `map`, which is our own.
  Status put_under(const Type& type, YamlId map, const std::string& key, const Variable& variable,
                   std::size_t at);
  // A node that may be changed: a copy of `id`, itself when it is such a copy, or a new one where
  // nothing is or something of another kind.
  YamlId own(YamlId id, YamlNode::What what, const Variable& variable);
  [[nodiscard]] Status unknown(const Variable& variable, std::size_t at,
                               const std::vector<std::string>& known) const;
  [[nodiscard]] static Status fault(const Variable& variable, const std::string& message);

  static constexpr YamlId none = static_cast<YamlId>(-1);

  YamlTree& tree_;
  const YamlOptions& options_;
};

}  // namespace parley::codec::impl
