#include "parley/peer/plugins/ignore_case.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "parley/peer/plugin_steps.h"

namespace parley {
namespace {

bool is_upper(char byte) { return byte >= 'A' && byte <= 'Z'; }

Status find_in_lower_case(ServeStep& step, Next& next) {
  if (std::ranges::any_of(step.method(), is_upper)) {
    std::string lower(step.method());
    for (char& byte : lower) {
      if (is_upper(byte)) byte = static_cast<char>(byte - 'A' + 'a');
    }
    step.set_method(lower);
  }
  return next();
}

Status check(const Registration& registration) {
  if (!std::ranges::any_of(registration.method, is_upper)) return {};
  return {Code::invalid_argument, "the method " + std::string(registration.method) +
                                      " could never be found: register it in lower case"};
}

}  // namespace

Plugin ignore_case() {
  return {.name = "ignore_case",
          .on_register = &check,
          .serve = &find_in_lower_case,
          .serve_stream = &find_in_lower_case};
}

}  // namespace parley
