#include "parley/gen/impl/read_method.h"

#include <algorithm>
#include <cctype>

#include "parley/gen/comment.h"
#include "parley/gen/route.h"

namespace parley::gen::impl {
namespace {

// clang writes "const Order &", this house "const Order&".
std::string tidied(std::string text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == '&' || text[i] == '*') && text[i - 1] == ' ') text.erase(--i, 1);
  }
  return text;
}

std::string text_of_type(CXType type) { return tidied(owned(clang_getTypeSpelling(type))); }

Spelling spelling_of(CXType type) {
  return {.written = text_of_type(type), .full = text_of_type(clang_getCanonicalType(type))};
}

// "parley::Result" for any Result<T>; what is no class has none.
std::string class_name_of(CXType type) {
  const CXCursor declaration = clang_getTypeDeclaration(clang_getCanonicalType(type));
  if (clang_isInvalid(clang_getCursorKind(declaration)) != 0) return "";
  const std::string scope = scope_of(declaration);
  return (scope.empty() ? "" : scope + "::") + owned(clang_getCursorSpelling(declaration));
}

CXType without_reference(CXType type) {
  const CXType canonical = clang_getCanonicalType(type);
  const bool is_reference =
      canonical.kind == CXType_LValueReference || canonical.kind == CXType_RValueReference;
  return is_reference ? clang_getPointeeType(canonical) : canonical;
}

// How a value of that type is spelled, without reference and const.
std::string text_of_value(CXType type) {
  const bool is_reference =
      type.kind == CXType_LValueReference || type.kind == CXType_RValueReference;
  return text_of_type(clang_getUnqualifiedType(is_reference ? clang_getPointeeType(type) : type));
}

bool is_view(CXType type) {
  const std::string name = class_name_of(type);
  return name == "std::basic_string_view" || name == "std::span" ||
         name == "std::__cxx11::basic_string_view";
}

bool is_pointer(CXType type) {
  switch (clang_getCanonicalType(type).kind) {
    case CXType_Pointer:
    case CXType_MemberPointer:
    case CXType_FunctionProto:
    case CXType_FunctionNoProto:
    case CXType_ConstantArray:
    case CXType_IncompleteArray:
    case CXType_BlockPointer:
      return true;
    default:
      return false;
  }
}

// Why a value of this type cannot travel as parameter `name`; empty: it can.
std::string refusal_of(CXType type, const std::string& name) {
  const CXType canonical = clang_getCanonicalType(type);
  const CXType value = without_reference(type);
  const std::string quoted = "the parameter `" + name + "`";
  if (class_name_of(value) == "parley::Context") {
    return quoted + " is a Context; it can only be the first, as parley::Context&";
  }
  if (is_pointer(value)) {
    return quoted +
           " is a pointer, which means nothing in another process; write a value or a "
           "const reference, std::optional<T> for what may be absent";
  }
  if (canonical.kind == CXType_LValueReference && clang_isConstQualifiedType(value) == 0) {
    return quoted +
           " is a reference that can be written to, and what is written would stay over "
           "there; write const " +
           text_of_value(type) + "&, and return what changed";
  }
  if (is_view(value)) {
    return quoted +
           " is a view, and nobody would own what it shows; write const std::string& or "
           "const std::vector<T>&";
  }
  return "";
}

std::string default_value_of(const ClangUnit& unit, CXCursor parameter) {
  CXToken* tokens = nullptr;
  unsigned count = 0;
  const CXSourceRange range = clang_getCursorExtent(parameter);
  clang_tokenize(unit.get(), range, &tokens, &count);
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    if (owned(clang_getTokenSpelling(unit.get(), tokens[i])) != "=") continue;
    const unsigned begin = extent_of(clang_getTokenExtent(unit.get(), tokens[i])).end;
    text = unit.content().substr(begin, extent_of(range).end - begin);
    break;
  }
  clang_disposeTokens(unit.get(), tokens, count);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first);
}

bool is_context(CXType type) {
  const CXType value = without_reference(type);
  return clang_getCanonicalType(type).kind == CXType_LValueReference &&
         clang_isConstQualifiedType(value) == 0 && class_name_of(value) == "parley::Context";
}

bool read_parameters(const ClangUnit& unit, CXCursor cursor, Method& method, Refusals& refusals) {
  bool can_travel = true;
  const int count = clang_Cursor_getNumArguments(cursor);
  for (int i = 0; i < count; ++i) {
    const CXCursor parameter = clang_Cursor_getArgument(cursor, static_cast<unsigned>(i));
    const CXType type = clang_getCursorType(parameter);
    const std::string name = owned(clang_getCursorSpelling(parameter));
    if (i == 0 && is_context(type)) {
      method.context = spelling_of(type);
      method.context_name = name;
      continue;
    }
    std::string why = refusal_of(type, name.empty() ? std::to_string(i + 1) : name);
    if (why.empty() && name.empty()) {
      why = "parameter " + std::to_string(i + 1) + " has no name; name it, callers may send " +
            "arguments by name";
    }
    if (!why.empty()) {
      refusals.add(unit.place_of(parameter), why);
      can_travel = false;
    }
    method.parameters.push_back({.name = name,
                                 .type = spelling_of(type),
                                 .default_value = default_value_of(unit, parameter)});
  }
  return can_travel;
}

// T of Result<T>, as the header spells it where it spells it out.
std::string result_of(CXType returns, const std::string& written) {
  const std::size_t open = written.find('<');
  if (open == std::string::npos || !written.ends_with('>')) return written + "::value_type";
  const std::string_view name = std::string_view(written).substr(0, open);
  if (name != "Result" && !name.ends_with("::Result")) return written + "::value_type";
  return text_of_type(clang_Type_getTemplateArgumentAsType(returns, 0));
}

// Why it cannot be what a method returns; empty: it can.
std::string read_return(CXCursor cursor, Method& method) {
  const CXType returns = clang_getCursorResultType(cursor);
  method.returns = spelling_of(returns);
  const std::string name = class_name_of(returns);
  const std::string type = method.returns.written;
  const bool is_plain = clang_isConstQualifiedType(clang_getCanonicalType(returns)) == 0;
  if (name == "parley::Status" && is_plain) return "";
  if (name == "parley::Result" && is_plain) {
    const CXType value = clang_Type_getTemplateArgumentAsType(clang_getCanonicalType(returns), 0);
    if (is_pointer(value) || is_view(value) || value.kind == CXType_LValueReference ||
        value.kind == CXType_RValueReference) {
      return "what it returns is no value of its own; return Result of a std::string, a "
             "std::vector or a struct";
    }
    method.result = result_of(returns, type);
    return "";
  }
  const std::string meant = class_name_of(without_reference(returns));
  if (meant == "parley::Status" || meant == "parley::Result") {
    return "what comes over the wire is nobody else's; return " + text_of_value(returns) +
           " by value, without const";
  }
  if (type == "void") {
    return "a call can fail on its way, and void cannot say so; return parley::Status";
  }
  return "a call can fail on its way, and " + type + " cannot say so; return parley::Result<" +
         text_of_value(returns) + ">";
}

// Why a function of this form cannot travel, whatever its parameters; empty: it can.
std::string refusal_of_form(CXCursor cursor) {
  const CXType type = clang_getCursorType(cursor);
  const std::string spelled = owned(clang_getTypeSpelling(type));
  if (clang_isFunctionTypeVariadic(type) != 0) {
    return "what stands in `...` has no types; take a std::vector";
  }
  if (clang_Type_getCXXRefQualifier(type) != CXRefQualifier_None) {
    return "whoever calls from afar has no object to qualify; leave out the & behind the "
           "parameters";
  }
  if (spelled.find(") volatile") != std::string::npos ||
      spelled.find(") const volatile") != std::string::npos) {
    return "volatile has no meaning for a call; leave it out";
  }
  if (clang_getExceptionSpecificationType(type) ==
      CXCursor_ExceptionSpecificationKind_ComputedNoexcept) {
    return "noexcept with a condition cannot be repeated; write noexcept, or leave it out";
  }
  return "";
}

bool is_noexcept(CXCursor cursor) {
  const int kind = clang_getExceptionSpecificationType(clang_getCursorType(cursor));
  return kind == CXCursor_ExceptionSpecificationKind_BasicNoexcept ||
         kind == CXCursor_ExceptionSpecificationKind_DynamicNone ||
         kind == CXCursor_ExceptionSpecificationKind_NoThrow;
}

}  // namespace

std::vector<std::string> comment_above(const ClangUnit& unit, CXCursor declaration) {
  const std::string raw = owned(clang_Cursor_getRawCommentText(declaration));
  if (raw.empty()) return {};
  const unsigned end = extent_of(clang_Cursor_getCommentRange(declaration)).end;
  const unsigned begin = extent_of(clang_getCursorExtent(declaration)).begin;
  if (end <= begin && begin <= unit.content().size()) {
    const std::string_view between = unit.content().substr(end, begin - end);
    if (std::count(between.begin(), between.end(), '\n') > 1) return {};
  }
  return comment_lines(raw);
}

std::optional<Method> read_method(const ClangUnit& unit, CXCursor cursor, Refusals& refusals) {
  Method method;
  method.name = owned(clang_getCursorSpelling(cursor));
  method.place = unit.place_of(cursor);
  const auto refuse = [&](const std::string& why) {
    refusals.add(method.place, "`" + method.name + "`: " + why);
  };
  const std::string form = refusal_of_form(cursor);
  if (!form.empty()) refuse(form);
  const std::string returned = read_return(cursor, method);
  if (!returned.empty()) refuse(returned);
  const bool can_travel = read_parameters(unit, cursor, method, refusals);
  method.comment = comment_above(unit, cursor);
  const auto route = take_mark(method.comment, "route");
  const Status checked = route ? check_route(*route) : Status();
  if (!checked.is_ok()) refuse("@route: " + checked.message());
  if (!can_travel || !form.empty() || !returned.empty() || !checked.is_ok()) return std::nullopt;
  method.route = route.value_or("");
  if (method.route.empty()) method.route = snake_case(method.name);
  method.is_const = clang_CXXMethod_isConst(cursor) != 0;
  method.is_noexcept = is_noexcept(cursor);
  method.id = owned(clang_getCursorUSR(cursor));
  return method;
}

}  // namespace parley::gen::impl
