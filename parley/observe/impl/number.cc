#include "parley/observe/impl/number.h"

#include <array>
#include <charconv>
#include <cmath>

namespace parley::observe::impl {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // The canonical numbers change from digits to exponents here, and readers compare them as text.
  constexpr double first_with_exponent = 1e6;
  constexpr double least_without_exponent = 1e-4;
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= least_without_exponent && size < first_with_exponent);
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  std::string text(buffer.data(), end);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace parley::observe::impl
