#include "parley/codec/yaml/yaml.h"

#include <unistd.h>

#include "parley/codec/yaml/impl/yaml_overrides.h"
#include "parley/codec/yaml/impl/yaml_reader.h"
#include "parley/codec/yaml/impl/yaml_tree.h"

namespace parley::codec {
namespace {

Status parse_into(impl::YamlTree& tree, std::string_view text, const YamlOptions& options) {
  tree.file = options.file;
  // The parser skips a byte order mark without counting it.
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  return impl::parse_yaml(tree, text, 0, options, tree.root);
}

// `tree` gets the overrides put over it.
Status read_tree(impl::YamlTree& tree, const Type& type, void* object, const YamlOptions& options) {
  if (!options.environment.empty()) {
    impl::YamlOverrides overrides(tree, options);
    if (Status status = overrides.apply(type); !status.is_ok()) return status;
  }
  return impl::YamlReader(tree, options).read_document(type, object);
}

Result<std::string> read_whole(Files& files, const std::string& path, const YamlOptions& options) {
  return read_file(files, path, options.limits.max_bytes);
}

// What is read from a file is gone when the reading ends.
YamlOptions for_file(const std::string& path, const YamlOptions& options) {
  YamlOptions changed = options;
  changed.file = path;
  changed.refuse_views = true;
  return changed;
}

}  // namespace

std::vector<EnvironmentVariable> process_environment(std::string_view prefix) {
  std::vector<EnvironmentVariable> found;
  if (environ == nullptr) return found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t end = text.find('=');
    if (end == std::string_view::npos || !text.substr(0, end).starts_with(prefix)) continue;
    found.push_back(
        {.name = std::string(text.substr(0, end)), .value = std::string(text.substr(end + 1))});
  }
  return found;
}

Result<YamlDocument> YamlDocument::parse(std::string_view text, const YamlOptions& options) {
  auto tree = std::make_shared<impl::YamlTree>();
  if (Status status = parse_into(*tree, text, options); !status.is_ok()) return status;
  return YamlDocument(std::move(tree));
}

Result<YamlDocument> YamlDocument::load(Files& files, const std::string& path,
                                        const YamlOptions& options) {
  const Result<std::string> text = read_whole(files, path, options);
  if (!text) return text.error();
  return parse(*text, for_file(path, options));
}

Status YamlDocument::decode_as(const Type& type, void* object, const YamlOptions& options) const {
  YamlOptions changed = options;
  changed.refuse_views = true;
  if (options.environment.empty()) {
    return impl::YamlReader(*tree_, changed).read_document(type, object);
  }
  impl::YamlTree copy = *tree_;
  return read_tree(copy, type, object, changed);
}

Status decode_yaml_as(std::string_view text, const Type& type, void* object,
                      const YamlOptions& options) {
  impl::YamlTree tree;
  if (Status status = parse_into(tree, text, options); !status.is_ok()) return status;
  return read_tree(tree, type, object, options);
}

Status load_yaml_as(Files& files, const std::string& path, const Type& type, void* object,
                    const YamlOptions& options) {
  const Result<std::string> text = read_whole(files, path, options);
  if (!text) return text.error();
  return decode_yaml_as(*text, type, object, for_file(path, options));
}

}  // namespace parley::codec
