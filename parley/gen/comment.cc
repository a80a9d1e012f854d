#include "parley/gen/comment.h"

#include <array>
#include <cstdint>

namespace parley::gen {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view without_blanks_before(std::string_view line) {
  const std::size_t first = line.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view() : line.substr(first);
}

std::string_view without_blanks_behind(std::string_view line) {
  const std::size_t last = line.find_last_not_of(blanks);
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

// The text behind the mark a line of a comment begins with.
std::string_view without_mark(std::string_view line, bool in_block) {
  line = without_blanks_behind(line);
  std::string_view rest = without_blanks_before(line);
  if (in_block) {
    if (!rest.starts_with('*')) return line;
    rest.remove_prefix(1);
  } else {
    if (!rest.starts_with("//")) return line;
    rest.remove_prefix(2);
    if (rest.starts_with('/') || rest.starts_with('!')) rest.remove_prefix(1);
    if (rest.starts_with('<')) rest.remove_prefix(1);
  }
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  return rest;
}

void drop_empty_ends(std::vector<std::string>& lines) {
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  while (!lines.empty() && lines.front().empty()) lines.erase(lines.begin());
}

std::string escaped(char c) {
  constexpr std::array<char, 8> digits = {'0', '1', '2', '3', '4', '5', '6', '7'};
  if (c == '"' || c == '\\') return {'\\', c};
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  const auto byte = static_cast<std::uint8_t>(c);
  if (byte >= 0x20U && byte != 0x7fU) return {c};
  // Three digits: a digit that follows is not taken for a fourth.
  return {'\\', digits.at(byte / 64U), digits.at(byte / 8U % 8U), digits.at(byte % 8U)};
}

}  // namespace

std::vector<std::string> comment_lines(std::string_view raw) {
  std::vector<std::string> lines;
  bool in_block = false;
  while (!raw.empty()) {
    const std::size_t end = raw.find('\n');
    std::string_view line = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view() : raw.substr(end + 1);
    bool opens = false;
    if (const auto rest = without_blanks_before(line); !in_block && rest.starts_with("/*")) {
      in_block = opens = true;
      line = rest.substr(2);
      while (line.starts_with('*') && !line.starts_with("*/")) line.remove_prefix(1);
      if (line.starts_with('!')) line.remove_prefix(1);
      if (line.starts_with(' ')) line.remove_prefix(1);
    }
    if (const std::size_t close = in_block ? line.find("*/") : std::string_view::npos;
        close != std::string_view::npos) {
      line = without_blanks_behind(line.substr(0, close));
      while (line.ends_with('*')) line.remove_suffix(1);
      lines.emplace_back(opens ? without_blanks_behind(line)
                               : without_blanks_behind(without_mark(line, true)));
      in_block = false;
      continue;
    }
    lines.emplace_back(opens ? without_blanks_behind(line) : without_mark(line, in_block));
  }
  drop_empty_ends(lines);
  return lines;
}

std::optional<std::string> take_mark(std::vector<std::string>& lines, std::string_view name) {
  const std::string mark = "@" + std::string(name);
  std::optional<std::string> found;
  std::erase_if(lines, [&](const std::string& line) {
    const std::string_view text = without_blanks_before(line);
    if (!text.starts_with(mark)) return false;
    const std::string_view rest = text.substr(mark.size());
    if (!rest.empty() && blanks.find(rest[0]) == std::string_view::npos) return false;
    found = std::string(without_blanks_before(rest));
    return true;
  });
  drop_empty_ends(lines);
  return found;
}

std::string as_comment(std::span<const std::string> lines, std::string_view indentation,
                       std::string_view line_end) {
  std::string text;
  for (std::string_view line : lines) {
    // A backslash at the end would draw the next line, which is code, into the comment.
    while (line.ends_with('\\')) line = without_blanks_behind(line.substr(0, line.size() - 1));
    text += std::string(indentation) + "//";
    if (!line.empty()) text += " " + std::string(line);
    text += line_end;
  }
  return text;
}

std::string as_text(std::span<const std::string> lines) {
  std::string text;
  for (const std::string& line : lines) {
    const std::string_view said = without_blanks_before(line);
    if (said.empty()) {
      text += '\n';
    } else {
      if (!text.empty() && !text.ends_with('\n')) text += ' ';
      text += said;
    }
  }
  return text;
}

std::string as_literal(std::string_view text, std::string_view indentation) {
  // What fits beside the indentation; a word more is taken than would be exact.
  constexpr std::size_t width = 72;
  std::string literal = "\"";
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string piece = escaped(text[i]);
    literal += piece;
    length += piece.size();
    const bool may_break = text[i] == '\n' || (text[i] == ' ' && length >= width);
    if (may_break && i + 1 < text.size()) {
      literal += "\"\n" + std::string(indentation) + "\"";
      length = 0;
    }
  }
  return literal + "\"";
}

}  // namespace parley::gen
