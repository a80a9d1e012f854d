// The typed reader: walks a table of types and the nodes of a YAML text side by side. Scalars are
// read in yaml_reader.cc, what holds other values in yaml_reader_containers.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"
#include "parley/codec/yaml/impl/yaml_scalars.h"
#include "parley/codec/yaml/impl/yaml_tree.h"
#include "parley/codec/yaml/yaml.h"

namespace parley::codec::impl {

class YamlReader {
 public:
  YamlReader(const YamlTree& tree, const YamlOptions& options) : tree_(tree), options_(options) {}

  // The whole document. An empty one is an empty map for a type that is read from maps.
  Status read_document(const Type& type, void* object);
  // The value that `steps` lead to from the top: places among the elements of a list or the pairs
  // of a map.
  Status read_at(const Type& type, std::span<const std::uint32_t> steps, void* object);

 private:
  // A value to be read in a call back.
  struct Target {
    YamlReader* reader;
    const Type* type;
    YamlId id;
  };

  bool read(const Type& type, YamlId id, void* object);
  static bool read_target(void* target, void* object);
  static bool read_key_target(void* target, void* key);

  // Each stands alone: inlined into read(), which calls itself, all their locals would lie on the
  // stack once per level.
  [[gnu::noinline]] bool read_boolean(YamlId id, bool& value);
  [[gnu::noinline]] bool read_integer(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_real(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_string(YamlId id, std::string& value);
  [[gnu::noinline]] bool read_bytes(const BytesOperations& bytes, YamlId id, void* object);
  [[gnu::noinline]] bool read_json(YamlId id, std::string& text);
  [[gnu::noinline]] bool read_enumeration(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_time(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_optional(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_list(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_array(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_tuple(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_map(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_variant(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_represented(const Type& type, YamlId id, void* object);
  [[gnu::noinline]] bool read_structure(const Type& type, YamlId id, void* object);

  bool read_member(const Members& members, YamlId map, std::size_t at, SeenFields& seen,
                   void* object);
  bool read_unknown_member(const Members& members, YamlId map, std::size_t at, void* object);

  // Whether the node is a document without content.
  [[nodiscard]] bool is_empty_document(YamlId id) const {
    return is_document_ && id == document_ && tree_.at(id).what == YamlNode::What::null;
  }
  // Whether the node is a scalar that is not in quotes (but for keys, where they change nothing).
  bool expect_plain(YamlId id, std::string_view expected);
  bool expect(YamlId id, YamlNode::What what, std::string_view expected);
  bool fail(YamlId id, std::string message, Code code = Code::invalid_argument);
  [[gnu::cold]] bool fail_type(YamlId id, std::string_view expected);
  [[gnu::cold]] bool fail_real(YamlId id, std::string_view type);
  [[gnu::cold]] bool fail_leading_zero(YamlId id);
  [[gnu::cold]] bool fail_unknown(const Members& members, YamlId key);
  [[gnu::cold]] bool fail_arity(YamlId id, std::size_t expected);

  // Appends the value at a node as JSON, texts in quotes as such and the others as they look.
  bool append_json(YamlId id, std::string& out);
  bool append_json_scalar(YamlId id, std::string& out);

  const YamlTree& tree_;
  const YamlOptions& options_;
  Failure failure_;
  YamlId failed_ = 0;
  YamlId document_ = 0;
  bool is_document_ = false;  // whether what is read begins at the top
  bool in_key_ = false;
  bool is_represented_ = false;  // what is read is taken over while the text is there
  std::string taken_;            // what bytes mean
  std::vector<std::uint64_t> more_seen_;
};

// "servers[0].port", as errors show it; empty at the top.
std::string yaml_path(const YamlTree& tree, std::span<const std::uint32_t> steps);
// The node that `steps` lead to.
YamlId yaml_node_at(const YamlTree& tree, std::span<const std::uint32_t> steps);

}  // namespace parley::codec::impl
