#include "parley/codec/impl/rule_failure.h"

#include <algorithm>
#include <cmath>

#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/scalar_text.h"
#include "parley/codec/impl/utf8.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown = 64;

template <class Real, class Write>
std::string shown(Real value, Write write) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char digits[max_number_chars];
  return {digits, write(digits, value)};
}

// What escaped_json leaves as it is and a terminal may not: DEL, the second set of control
// characters (U+0080 to U+009F), and marks that turn the direction of writing.
std::string without_controls(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    const auto last = i + 2 < text.size() ? static_cast<unsigned char>(text[i + 2]) : 0U;
    unsigned code = 0;
    std::size_t size = 1;
    if (byte == 0x7F) {
      code = byte;
    } else if (byte == 0xC2 && next < 0xA0) {
      code = next;
      size = 2;
    } else if (byte == 0xE2 && (next == 0x80 || next == 0x81)) {
      const unsigned mark = 0x2000 + ((next & 1U) << 6) + (last & 0x3FU);
      if ((mark >= 0x200E && mark <= 0x200F) || (mark >= 0x2028 && mark <= 0x202E) ||
          (mark >= 0x2066 && mark <= 0x2069)) {
        code = mark;
        size = 3;
      }
    }
    if (code == 0) {
      out += text[i];
      continue;
    }
    out += {'\\',
            'u',
            digits[code >> 12],
            digits[code >> 8 & 15],
            digits[code >> 4 & 15],
            digits[code & 15]};
    i += size - 1;
  }
  return out;
}

}  // namespace

bool RuleFailure::set_broken(const Rules& rules, std::string message) {
  broken_ = &rules;
  return set(rules.code, std::move(message));
}

bool RuleFailure::blame(const Rules& rules, std::string_view more) {
  broken_ = &rules;
  return explain(more);
}

Status RuleFailure::status() const {
  Status status = Failure::status();
  if (broken_ == nullptr) return status;
  if (!broken_->message.empty()) {
    status = Status(broken_->code, std::string(broken_->message)).with_cause(status.message());
  }
  return broken_->business_code == 0 ? status : status.with_business_code(broken_->business_code);
}

bool in_entry(Failure& failure, const Type& key_type, const void* key) {
  std::string text;
  Failure unreadable;
  return failure.in_field(append_scalar(text, key_type, key, {}, unreadable) ? text : "?");
}

std::string quoted(std::string_view value) {
  if (!is_utf8(value)) return "a text that is not UTF-8";
  return '"' + without_controls(escaped_json(shortened(value, max_shown))) + '"';
}

std::string shown_pattern(std::string_view pattern) { return shortened(pattern, 2 * max_shown); }

std::string shown_real(double value) { return shown(value, &write_float64); }
std::string shown_real(float value) { return shown(value, &write_float32); }

std::string to_text(const Bound& bound) {
  switch (bound.what) {
    case Bound::What::integer:
      return std::to_string(bound.integer);
    case Bound::What::natural:
      return std::to_string(bound.natural);
    case Bound::What::real:
      return shown_real(bound.real);
    case Bound::What::none:
      break;
  }
  return "nothing";
}

std::string wrong_length(std::string_view what, std::size_t length, std::string_view unit,
                         std::size_t least, std::size_t most) {
  const auto count = [&](std::size_t many) {
    return std::to_string(many) + ' ' + std::string(unit.substr(0, unit.size() - (many == 1)));
  };
  const std::string has = std::string(what) + " has " + count(length);
  if (least == most) return has + ", not " + std::to_string(least);
  return length < least ? has + ", fewer than " + std::to_string(least)
                        : has + ", more than " + std::to_string(most);
}

std::string nobody_matches(std::string_view pattern) {
  return "there is nobody to match the pattern " + shown_pattern(pattern) +
         ": give ValidateOptions::patterns a RegexPatterns (parley/codec/regex/regex.h)";
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace parley::codec::impl
