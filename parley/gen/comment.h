// Comments of C++, taken apart and put together again.
//
// Pure functions: safe everywhere.
//
//   comment_lines("// Places an order.\n  // Once.");   // {"Places an order.", "Once."}
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace parley::gen {

// What a comment says, line by line, whichever of `//`, `///`, `//!`, `/* */` and `/** */` it is
// written in; without empty lines at its ends. Indentation within the comment is kept.
std::vector<std::string> comment_lines(std::string_view raw);

// Takes the line `@name value` out of a comment. Nothing when there is none; "" for one without a
// value. Of several the last counts, and all are taken out.
std::optional<std::string> take_mark(std::vector<std::string>& lines, std::string_view name);

// The lines as `//` comments, each indented and ended by `line_end`.
std::string as_comment(std::span<const std::string> lines, std::string_view indentation,
                       std::string_view line_end);

// The comment as running text: lines are joined by spaces, empty lines stay as line feeds.
std::string as_text(std::span<const std::string> lines);

// A literal of C++ that is `text`; several lines become several literals, one below another,
// indented.
std::string as_literal(std::string_view text, std::string_view indentation);

}  // namespace parley::gen
