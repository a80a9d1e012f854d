#include "parley/gen/service.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "parley/gen/comment.h"
#include "parley/gen/impl/spelling.h"

namespace parley::gen {
namespace {

// Columns of a line; beyond, each parameter has one of its own.
constexpr std::size_t max_line = 100;

struct Style {
  std::string indentation = {};  // of a method
  std::string line_end = "\n";
  impl::Types types = impl::Types::written;
};

// A method that is still to be written: its comment, its declaration, a body.
std::string stub(const Interface& interface, const Method& method, const Style& style) {
  const std::string& in = style.indentation;
  const bool has_tabs = in.find('\t') != std::string::npos;
  std::string text = as_comment(method.comment, in, style.line_end);
  impl::Parameters how{.types = style.types, .with_context = true, .may_be_unused = true};
  std::string declared = in + impl::declaration(method, how) + " override {";
  if (declared.size() > max_line) {
    how.line_break = style.line_end + in + (has_tabs ? "\t\t" : "    ");
    declared = in + impl::declaration(method, how) + " override {";
  }
  text += declared + style.line_end;
  text += in + (has_tabs ? "\t" : "  ") + "return parley::Status(parley::Code::unimplemented, \"" +
          interface.name + "::" + method.name + " is not written yet\");" + style.line_end;
  return text + in + "}" + style.line_end;
}

std::string new_class(const Interface& interface) {
  const std::string name = interface.name + "Service";
  std::string text = as_comment(interface.comment, "", "\n");
  text += "class " + name + " : public " + interface.name + " {\n public:\n";
  bool is_first = true;
  for (const Method& method : interface.methods) {
    if (!std::exchange(is_first, false)) text += "\n";
    text += stub(interface, method, {.indentation = "  "});
  }
  return text + "};\n";
}

// Where the line begins that `position` is in.
std::size_t line_of(std::string_view content, std::size_t position) {
  const std::size_t before = content.substr(0, position).rfind('\n');
  return before == std::string_view::npos ? 0 : before + 1;
}

// The blanks a line begins with.
std::string_view indentation_at(std::string_view content, std::size_t line) {
  const std::string_view rest = content.substr(line);
  return rest.substr(0, std::min(rest.find_first_not_of(" \t"), rest.size()));
}

std::string_view line_end_of(std::string_view content, std::size_t near) {
  std::size_t feed = content.find('\n', near);
  if (feed == std::string_view::npos) feed = content.rfind('\n');
  const bool has_return = feed != std::string_view::npos && feed > 0 && content[feed - 1] == '\r';
  return has_return ? "\r\n" : "\n";
}

Style style_of(std::string_view content, const ServiceClass& service, const Interface& interface) {
  Style style{.line_end = std::string(line_end_of(content, service.closing_brace))};
  // The interface's own names can be seen from its namespace and from those inside it.
  const bool is_inside = service.scope == interface.scope || interface.scope.empty() ||
                         service.scope.starts_with(interface.scope + "::");
  style.types = is_inside ? impl::Types::written : impl::Types::full;
  if (service.has_methods) {
    const std::size_t line = line_of(content, service.first_method);
    style.indentation = indentation_at(content, line);
    if (line + style.indentation.size() == service.first_method) return style;
  }
  const std::size_t line = line_of(content, service.closing_brace);
  style.indentation = std::string(indentation_at(content, line)) + "  ";
  return style;
}

struct Insertion {
  std::size_t at = 0;
  std::size_t brace = 0;  // of the class
  std::string text = {};
  std::size_t methods = 0;
};

Insertion missing_in(std::string_view content, const ServiceClass& service,
                     const Interface& interface) {
  const Style style = style_of(content, service, interface);
  const std::size_t line = line_of(content, service.closing_brace);
  const std::string_view outer = indentation_at(content, line);
  const bool brace_has_own_line = line + outer.size() == service.closing_brace;
  Insertion insertion{.at = brace_has_own_line ? line : service.closing_brace,
                      .brace = service.closing_brace};
  for (const Method& method : interface.methods) {
    const auto& has = service.overrides;
    if (std::find(has.begin(), has.end(), method.id) != has.end()) continue;
    const bool is_first = insertion.methods++ == 0;
    if (is_first && !brace_has_own_line) insertion.text += style.line_end;
    if (is_first && !service.ends_public) {
      insertion.text += service.has_methods ? style.line_end : "";
      insertion.text += std::string(outer) + " public:" + style.line_end;
    } else if (!is_first || service.has_methods) {
      insertion.text += style.line_end;
    }
    insertion.text += stub(interface, method, style);
  }
  if (insertion.methods > 0 && !brace_has_own_line) insertion.text += outer;
  return insertion;
}

}  // namespace

std::string new_service(const Header& header, std::string_view include) {
  std::string text =
      "// Yours to write: `parley gen --implement` made this file, and only ever adds what the\n"
      "// interface has and the class has not.\n#pragma once\n\n#include \"" +
      std::string(include) + "\"\n#include \"parley/base/status.h\"\n";
  for (const Interface& interface : header.interfaces) {
    const std::string& scope = interface.scope;
    if (!scope.empty()) text += "\nnamespace " + scope + " {\n";
    text += "\n" + new_class(interface);
    if (!scope.empty()) text += "\n}  // namespace " + scope + "\n";
  }
  return text;
}

Added with_missing_methods(std::string_view content, std::span<const ServiceClass> classes,
                           const Header& header) {
  std::vector<Insertion> insertions;
  for (ServiceClass service : classes) {
    for (const Insertion& before : insertions) {
      // A class of two interfaces: what the first lacked stands before what the second lacks.
      if (before.methods == 0 || before.brace != service.closing_brace) continue;
      service.ends_public = service.has_methods = true;
    }
    for (const Interface& interface : header.interfaces) {
      if (interface.id != service.interface_id) continue;
      insertions.push_back(missing_in(content, service, interface));
    }
  }
  // Those for one place stay in their order.
  std::multimap<std::size_t, const Insertion*> by_place;
  for (const Insertion& each : insertions) by_place.emplace(each.at, &each);
  Added added;
  std::size_t taken = 0;
  for (const auto& [at, insertion] : by_place) {
    added.content += content.substr(taken, at - taken);
    added.content += insertion->text;
    added.methods += insertion->methods;
    taken = at;
  }
  added.content += content.substr(taken);
  return added;
}

}  // namespace parley::gen
