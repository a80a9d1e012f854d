#include "parley/gen/impl/spelling.h"

namespace parley::gen::impl {
namespace {

const std::string& spelled(const Spelling& type, Types types) {
  return types == Types::written ? type.written : type.full;
}

}  // namespace

std::string declaration(const Method& method, const Parameters& how) {
  std::string parameters;
  const auto add = [&](const std::string& text) {
    if (!parameters.empty()) parameters += how.line_break.empty() ? ", " : ",";
    parameters += how.line_break + text;
  };
  const std::string mark = how.may_be_unused ? "[[maybe_unused]] " : "";
  if (how.with_context && !method.context.written.empty()) {
    const bool has_name = how.may_be_unused && !method.context_name.empty();
    const std::string& type = spelled(method.context, how.types);
    add(has_name ? mark + type + " " + method.context_name : type);
  }
  for (const Parameter& parameter : method.parameters) {
    const bool has_default = how.with_defaults && !parameter.default_value.empty();
    add(mark + spelled(parameter.type, how.types) + " " + parameter.name +
        (has_default ? " = " + parameter.default_value : ""));
  }
  return spelled(method.returns, how.types) + " " + method.name + "(" + parameters + ")" +
         (method.is_const ? " const" : "") + (method.is_noexcept ? " noexcept" : "");
}

}  // namespace parley::gen::impl
