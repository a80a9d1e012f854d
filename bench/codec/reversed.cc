#include "reversed.h"

#include <cstddef>

#include "parley/base/assert.h"

namespace parley::bench {
namespace {

class Reverser {
 public:
  explicit Reverser(std::string_view json) : json_(json) {}

  // The value that starts here, reversed; moves past it.
  std::string value() {
    switch (peek()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return std::string(text());
      default:
        return std::string(word());
    }
  }

  [[nodiscard]] bool at_end() const { return at_ == json_.size(); }

 private:
  [[nodiscard]] char peek() const {
    PARLEY_ASSERT(!at_end(), "the JSON to reverse ends too early");
    return json_[at_];
  }

  // Past the comma between two elements, or past what closes them: then false.
  bool next(char closing) {
    const char c = peek();
    ++at_;
    PARLEY_ASSERT(c == ',' || c == closing, "the JSON to reverse is not valid or has blanks");
    return c == ',';
  }

  std::string object() {
    std::string members;
    ++at_;
    if (peek() == '}') return ++at_, "{}";
    do {
      std::string member(text());
      PARLEY_ASSERT(peek() == ':', "a member of the JSON to reverse has no value");
      ++at_;
      member += ':' + value();
      members.insert(0, members.empty() ? member : member + ',');
    } while (next('}'));
    return '{' + members + '}';
  }

  std::string array() {
    std::string elements;
    ++at_;
    if (peek() == ']') return ++at_, "[]";
    do {
      if (!elements.empty()) elements += ',';
      elements += value();
    } while (next(']'));
    return '[' + elements + ']';
  }

  std::string_view text() {
    const std::size_t begin = at_;
    for (++at_; peek() != '"'; ++at_) {
      if (peek() == '\\') ++at_;
    }
    ++at_;
    return json_.substr(begin, at_ - begin);
  }

  // A number, true, false or null.
  std::string_view word() {
    const std::size_t begin = at_;
    at_ = std::min(json_.find_first_of(",]}", at_), json_.size());
    return json_.substr(begin, at_ - begin);
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

}  // namespace

std::string reversed_members(std::string_view json) {
  Reverser reverser(json);
  std::string reversed = reverser.value();
  PARLEY_ASSERT(reverser.at_end(), "the JSON to reverse goes on after its value");
  return reversed;
}

}  // namespace parley::bench
