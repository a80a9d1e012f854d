// Questions to a YAML text whose shape no type describes: nodes by path, with wildcards and regular
// expressions, each with its path and its place in the file.
//
//   servers[*].name      the name of each server
//   /^db-.*/.port        the port of every top-level key that begins with db-
//   **.timeout           each timeout, however deep
//   teas["earl grey"][0] a key that is no plain word; the first element
//
// Steps: `name` and ["any key"], a key of a map; `*`, every key of a map; /regex/, every key in
// which the expression (RE2's syntax) is found, so ^ and $ anchor it; [2], an element of a list;
// [*], every element; `**`, any number of levels, none included. A name may hold anything but
// . [ ] * / " and white space; in a regular expression \/ stands for /.
//
// Queries and documents never change: safe on every thread and fiber; the stack as for yaml.h.
//
//   auto document = codec::YamlDocument::load(files, "/etc/shop.yaml");
//   auto query = codec::PathQuery::compile("servers[*].port");
//   for (const codec::YamlMatch& match : query->find(*document)) {
//     auto port = match.as<std::uint16_t>();
//     if (!port) return port.error();    // /etc/shop.yaml:4:27: servers[0].port: 70000 does not
//     ... listen(match.place(), *port);
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/type.h"
#include "parley/codec/yaml/yaml.h"

namespace parley::codec {

namespace impl {
struct PathSteps;
}

// A node that a query found. Keeps its document alive.
class YamlMatch {
 public:
  // "servers[0].name"; empty for the top of the document. What is longer than 512 bytes loses its
  // beginning.
  [[nodiscard]] std::string path() const;
  // "shop.yaml:3:7": file, line and column, both from 1, the column in bytes.
  [[nodiscard]] std::string place() const;

  // The value there as any type that can be decoded; errors name place and path. Of `options` what
  // concerns decoding counts, the environment does not. Views are refused.
  Status decode_as(const Type& type, void* object, const YamlOptions& options = {}) const;

  template <class T>
  [[nodiscard]] Result<T> as(const YamlOptions& options = {}) const {
    T value{};
    Status status = decode_as(type_of<T>(), &value, options);
    if (!status.is_ok()) return status;
    return value;
  }

 private:
  friend class PathQuery;
  YamlMatch(std::shared_ptr<const impl::YamlTree> tree, std::vector<std::uint32_t> steps)
      : tree_(std::move(tree)), steps_(std::move(steps)) {}

  std::shared_ptr<const impl::YamlTree> tree_;
  std::vector<std::uint32_t> steps_;
};

class PathQuery {
 public:
  static constexpr std::size_t max_text = 4'096;  // bytes of a query
  static constexpr std::size_t max_steps = 63;
  static constexpr std::size_t max_regex_memory = std::size_t{1}
                                                  << 20;  // bytes, of each expression

  // invalid_argument when `text` is no query; the message tells the position, from 1 in bytes.
  // resource_exhausted beyond a limit.
  static Result<PathQuery> compile(std::string_view text);

  // In the order of the document, each node once for each path to it (aliases make several).
  [[nodiscard]] std::vector<YamlMatch> find(const YamlDocument& document) const;

 private:
  explicit PathQuery(std::shared_ptr<const impl::PathSteps> steps) : steps_(std::move(steps)) {}

  std::shared_ptr<const impl::PathSteps> steps_;
};

}  // namespace parley::codec
