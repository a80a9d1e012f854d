#include "parley/codec/yaml/impl/path_steps.h"

#include <charconv>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/yaml/path_query.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_text = 64;
constexpr std::string_view not_in_names = ".[]*/\" \t\r\n";

class PathParser {
 public:
  PathParser(std::string_view text, PathSteps& out) : text_(text), out_(out) {}

  bool parse() {
    if (text_.empty()) return fail("an empty query: expected a key, *, ** or /regex/");
    bool is_first = true;
    while (at_ < text_.size()) {
      if (out_.steps.size() == PathQuery::max_steps) {
        return fail("too many steps (max_steps is " + std::to_string(PathQuery::max_steps) + ")",
                    Code::resource_exhausted);
      }
      if (take('[')) {
        if (!parse_brackets()) return false;
      } else {
        if (!is_first && !take('.')) return fail("expected . or [");
        if (!parse_step()) return false;
      }
      is_first = false;
    }
    return true;
  }

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool fail(const std::string& message, Code code = Code::invalid_argument) {
    status_ = Status(code, "query \"" + shortened(escaped_json(text_), max_shown_text) +
                               "\", position " + std::to_string(at_ + 1) + ": " + message);
    return false;
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool add(PathStep step) {
    const bool is_twice = step.what == PathStep::What::any_depth && !out_.steps.empty() &&
                          out_.steps.back().what == PathStep::What::any_depth;
    if (!is_twice) out_.steps.push_back(std::move(step));
    return true;
  }

  bool parse_step() {
    if (take('*')) {
      return add({.what = take('*') ? PathStep::What::any_depth : PathStep::What::any_key});
    }
    if (take('/')) return parse_regex();
    const std::size_t end = std::min(text_.find_first_of(not_in_names, at_), text_.size());
    if (end == at_) return fail("expected a key, *, ** or /regex/");
    PathStep step;
    step.key = text_.substr(at_, end - at_);
    at_ = end;
    return add(std::move(step));
  }

  bool parse_regex() {
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '/') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return fail("expected / at the end of the regular expression");
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(static_cast<std::int64_t>(PathQuery::max_regex_memory));
    const std::string_view expression = text_.substr(start, at_ - start);
    auto regex = std::make_unique<const re2::RE2>(
        re2::StringPiece(expression.data(), expression.size()), options);
    if (!regex->ok()) {
      at_ = start;
      const bool is_limit = regex->error_code() == re2::RE2::ErrorPatternTooLarge;
      return fail(is_limit ? "the regular expression is too large (max_regex_memory is " +
                                 std::to_string(PathQuery::max_regex_memory) + ")"
                           : "not a regular expression: " + regex->error(),
                  is_limit ? Code::resource_exhausted : Code::invalid_argument);
    }
    ++at_;
    PathStep step;
    step.what = PathStep::What::regex;
    step.regex = std::move(regex);
    return add(std::move(step));
  }

  bool parse_brackets() {
    PathStep step;
    if (take('*')) {
      step.what = PathStep::What::any_element;
    } else if (take('"')) {
      if (!parse_quoted(step.key)) return false;
    } else {
      const char* const start = text_.data() + at_;
      const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), step.index);
      if (error != std::errc()) return fail("expected an index, * or a key in double quotes");
      step.what = PathStep::What::element;
      at_ += static_cast<std::size_t>(end - start);
    }
    if (!take(']')) return fail("expected ]");
    return add(std::move(step));
  }

  bool parse_quoted(std::string& key) {
    while (!take('"')) {
      if (at_ == text_.size()) return fail("expected a double quote at the end of the key");
      take('\\');
      if (at_ < text_.size()) key += text_[at_++];
    }
    return true;
  }

  std::string_view text_;
  PathSteps& out_;
  std::size_t at_ = 0;
  Status status_;
};

}  // namespace

Status parse_path(std::string_view text, PathSteps& out) {
  if (text.size() > PathQuery::max_text) {
    return Status(Code::resource_exhausted, "a query of " + std::to_string(text.size()) +
                                                " bytes (max_text is " +
                                                std::to_string(PathQuery::max_text) + ")");
  }
  PathParser parser(text, out);
  if (parser.parse()) return {};
  return parser.status();
}

}  // namespace parley::codec::impl
