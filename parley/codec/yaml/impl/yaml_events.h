// Makes nodes of yaml-cpp's events.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/yaml/impl/yaml_tree.h"

namespace parley::codec::impl {

// Takes one document. A limit or a rule that is broken ends the parsing by an exception, the only
// way out that yaml-cpp has; status() tells what it was.
class YamlEvents final : public YAML::EventHandler {
 public:
  YamlEvents(YamlTree& tree, std::string_view text, std::uint32_t origin,
             const YamlOptions& options)
      : tree_(tree), text_(text), origin_(origin), options_(options) {}

  // Not ok when this handler stopped the parser.
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] bool has_root() const { return has_root_; }
  [[nodiscard]] YamlId root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override;
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& written) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override;
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;

 private:
  static constexpr YamlId none = static_cast<YamlId>(-1);

  struct Open {
    YamlId id;
    std::size_t nodes_before;
    std::size_t bytes_before;
  };

  [[nodiscard]] YamlNode node_at(const YAML::Mark& mark, YamlNode::What what) const;
  [[noreturn]] void stop(Code code, const YAML::Mark& mark, const std::string& message);
  [[noreturn]] void stop_at(Code code, YamlId id, const std::string& message);
  [[noreturn]] void stop_parser(Status status);
  [[nodiscard]] bool is_written_null(const YAML::Mark& mark) const;
  void check_tag(const YAML::Mark& mark, const std::string& tag, YamlNode::What what);
  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes);
  void name(YAML::anchor_t anchor, YamlId id);
  // Adds a node to what is open, or makes it the root.
  void put(const YAML::Mark& mark, YamlId id);
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::What what);
  void close();
  void merge(YamlId map);
  void merge_from(YamlId map, YamlId source, std::set<std::string_view>& known,
                  std::vector<YamlId>& merged);
  void check_keys(YamlId map);
  void show_source(YamlNode& node, const YAML::Mark& mark) const;

  YamlTree& tree_;
  std::string_view text_;
  std::uint32_t origin_;
  const YamlOptions& options_;
  std::vector<Open> open_;
  std::vector<YamlId> anchors_;  // by anchor
  YAML::Mark last_text_;         // of the last scalar
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  YamlId root_ = 0;
  bool has_root_ = false;
  Status status_;
};

// Notices that a document begins, and no more.
class YamlSecondDocument final : public YAML::EventHandler {
 public:
  [[nodiscard]] bool is_there() const { return is_there_; }
  [[nodiscard]] const YAML::Mark& mark() const { return mark_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  YAML::Mark mark_;
  bool is_there_ = false;
};

}  // namespace parley::codec::impl
