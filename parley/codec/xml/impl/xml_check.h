// Whether a text is well-formed XML 1.0 as Parley takes it, within limits. pugixml reads much that
// is not; nothing reaches it that has not been looked at here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/limits.h"

namespace parley::codec::impl {

// What is wrong, and at which byte.
struct XmlProblem {
  Code code = Code::invalid_argument;
  std::string message;
  std::size_t offset = 0;
};

// "line 3, column 7": both from 1, in bytes.
std::string xml_place(std::string_view text, std::size_t offset);

// UTF-8 without a byte order mark; one root; a declaration, comments, instructions and CDATA where
// they may stand; no DOCTYPE, hence no entities but the five and characters by number.
class XmlCheck {
 public:
  XmlCheck(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  bool run();
  [[nodiscard]] const XmlProblem& problem() const { return problem_; }

 private:
  struct Open {
    std::string_view name;
    std::size_t children = 0;
  };

  bool check_characters();
  bool check_encoding();
  bool read_declaration();
  bool read_pseudo_attribute(std::string_view name, std::string_view& value);
  bool read_characters();
  bool read_markup();
  bool read_comment();
  bool read_cdata();
  bool read_instruction();
  bool read_start();
  bool read_attribute();
  bool read_attribute_value();
  bool read_end();
  bool read_reference(std::size_t at, std::size_t end);
  bool check_attribute_names(std::size_t tag);
  bool enter(std::string_view name, std::size_t tag);

  [[nodiscard]] bool stands(std::string_view what) const {
    return text_.substr(at_).starts_with(what);
  }
  bool skip_space();  // false when there was none
  bool take_name(std::string_view& name, const char* expected);
  // `what` of `size` bytes at `at` is within max_string_bytes.
  bool check_size(std::size_t at, std::size_t size);
  [[gnu::cold]] bool fail(std::size_t at, std::string message);
  [[gnu::cold]] bool fail_limit(std::size_t at, std::string message);

  std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  bool has_root_ = false;
  std::vector<Open> open_;
  std::vector<std::string_view> attributes_;  // names of the tag that is read
  XmlProblem problem_;
};

}  // namespace parley::codec::impl
