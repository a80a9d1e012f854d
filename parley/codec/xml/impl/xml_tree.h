// A text as pugixml's tree: parsed only after XmlCheck found it well-formed and within limits.
#pragma once

#include <cstddef>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "parley/codec/limits.h"
#include "parley/codec/xml/impl/xml_check.h"

namespace parley::codec::impl {

class XmlTree {
 public:
  XmlTree() = default;
  XmlTree(const XmlTree&) = delete;
  XmlTree& operator=(const XmlTree&) = delete;

  // False with the problem(). `text` must live as long as the tree; once only.
  bool parse(std::string_view text, const Limits& limits);
  [[nodiscard]] const XmlProblem& problem() const { return problem_; }
  [[nodiscard]] pugi::xml_node root() const { return document_.document_element(); }

  // Whether a text stands in the tree: not null, and not in pugixml's own memory, as empty ones do.
  [[nodiscard]] bool holds(const char* shown) const;
  // Where it stands: a byte of the text.
  [[nodiscard]] std::size_t offset_of(const char* shown) const {
    return static_cast<std::size_t>(shown - buffer_.data());
  }
  // The same bytes as they stand in the text itself; nothing when they do not.
  [[nodiscard]] std::optional<std::string_view> in_source(std::string_view shown) const;
  // " (line 3, column 9)"
  [[nodiscard]] std::string place(std::size_t offset) const;

 private:
  std::string_view text_;
  std::string buffer_;  // the text, in which pugixml has put names and values as they are meant
  pugi::xml_document document_;
  XmlProblem problem_;
};

}  // namespace parley::codec::impl
