#include <algorithm>
#include <map>
#include <set>

#include "parley/gen/comment.h"
#include "parley/gen/impl/clang_unit.h"
#include "parley/gen/impl/read_method.h"
#include "parley/gen/impl/refusals.h"
#include "parley/gen/read.h"
#include "parley/gen/route.h"

namespace parley::gen {
namespace {

using impl::ClangUnit;
using impl::owned;
using impl::Refusals;

bool is_public(CXCursor member) { return clang_getCXXAccessSpecifier(member) == CX_CXXPublic; }

bool is_assignment(CXCursor function) {
  return clang_CXXMethod_isCopyAssignmentOperator(function) != 0 ||
         clang_CXXMethod_isMoveAssignmentOperator(function) != 0;
}

bool is_class(CXCursorKind kind) {
  return kind == CXCursor_ClassDecl || kind == CXCursor_StructDecl ||
         kind == CXCursor_ClassTemplate || kind == CXCursor_ClassTemplatePartialSpecialization;
}

bool has_pure_functions(CXCursor type) {
  bool has = false;
  impl::for_each_child(type, [&](CXCursor member) {
    has = has || (clang_getCursorKind(member) == CXCursor_CXXMethod &&
                  clang_CXXMethod_isPureVirtual(member) != 0);
  });
  return has;
}

// Marked so in its comment.
bool is_local(const ClangUnit& unit, CXCursor type) {
  std::vector<std::string> comment = impl::comment_above(unit, type);
  return take_mark(comment, "local").has_value();
}

// Why a function that is to be a method is none, by its kind; empty: it may be one.
std::string refusal_of_kind(CXCursor member) {
  const std::string name = "`" + owned(clang_getCursorSpelling(member)) + "`";
  if (owned(clang_getCursorSpelling(member)).starts_with("operator") &&
      clang_Cursor_getNumArguments(member) >= 0 &&
      owned(clang_getCursorSpelling(member))
              .find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") !=
          std::string::npos) {
    return name + ": an operator has no name to be called by; write a function";
  }
  if (clang_CXXMethod_isStatic(member) != 0) {
    return name + ": a static function belongs to no service; write it outside the interface";
  }
  if (clang_CXXMethod_isPureVirtual(member) == 0) {
    return name +
           ": every public function of an interface is pure virtual; end it with `= 0`, or "
           "write it outside";
  }
  if (!is_public(member)) {
    return name + ": nobody could call it from afar; make it public, or write it outside";
  }
  return "";
}

// What reads one class.
class ClassReader {
 public:
  ClassReader(const ClangUnit& unit, Refusals& refusals) : unit_(unit), refusals_(refusals) {}

  Interface read(CXCursor type) {
    interface_.name = owned(clang_getCursorSpelling(type));
    interface_.scope = impl::scope_of(type);
    interface_.id = owned(clang_getCursorUSR(type));
    interface_.place = unit_.place_of(type);
    interface_.comment = impl::comment_above(unit_, type);
    prefix_ = "/" + snake_case(interface_.name);
    if (const auto route = take_mark(interface_.comment, "route")) {
      const Status checked = check_route(*route);
      if (!checked.is_ok()) refuse(type, "@route: " + checked.message());
      prefix_ = *route;
    }
    impl::for_each_child(type, [this](CXCursor member) { read_member(member); });
    return std::move(interface_);
  }

 private:
  void refuse(CXCursor where, const std::string& why) { refusals_.add(unit_.place_of(where), why); }

  void read_member(CXCursor member) {
    const std::string name = "`" + owned(clang_getCursorSpelling(member)) + "`";
    switch (const CXCursorKind kind = clang_getCursorKind(member)) {
      case CXCursor_CXXMethod:
        return read_function(member);
      case CXCursor_FunctionTemplate:
        if (!is_public(member)) return;
        return refuse(member, name +
                                  ": a template is any number of functions; write one for each "
                                  "type, with a name of its own");
      case CXCursor_ConversionFunction:
        if (!is_public(member)) return;
        return refuse(member, name + ": an operator has no name to be called by; write a function");
      case CXCursor_FieldDecl:
        return refuse(member, name +
                                  ": an interface has no data; keep it in the class that "
                                  "implements it");
      case CXCursor_CXXBaseSpecifier:
        return refuse(member, "`" + interface_.name +
                                  "` has a base, whose functions would not be "
                                  "its own; declare them here, or serve two interfaces");
      default:
        if (is_class(kind) && has_pure_functions(member) && !is_local(unit_, member)) {
          refuse(member, name +
                             ": an interface inside another has no name for a route; move it "
                             "out, or mark it @local");
        }
    }
  }

  void read_function(CXCursor member) {
    if (is_assignment(member) && clang_CXXMethod_isPureVirtual(member) == 0) return;
    if (!is_public(member) && clang_CXXMethod_isPureVirtual(member) == 0) return;
    if (const std::string why = refusal_of_kind(member); !why.empty()) return refuse(member, why);
    const std::string name = owned(clang_getCursorSpelling(member));
    if (!names_.insert(name).second) {
      return refuse(member, "`" + name +
                                "`: there is another of this name, and a call tells them "
                                "apart by nothing else; give it a name of its own");
    }
    auto method = impl::read_method(unit_, member, refusals_);
    if (!method) return;
    if (!method->route.starts_with('/')) method->route = prefix_ + "/" + method->route;
    interface_.methods.push_back(*std::move(method));
  }

  const ClangUnit& unit_;
  Refusals& refusals_;
  Interface interface_;
  std::string prefix_;
  std::set<std::string> names_;
};

// What goes through the file.
class FileReader {
 public:
  explicit FileReader(const ClangUnit& unit) : unit_(unit) {}

  Result<Header> read(const std::string& path) {
    header_.path = path;
    read_scope(unit_.root());
    refuse_same_routes();
    if (Status s = refusals_.status(); !s.is_ok()) return s;
    if (header_.interfaces.empty()) {
      return Status(Code::not_found,
                    path +
                        ": there is no interface in it; write a class whose functions are all "
                        "pure virtual: virtual parley::Result<T> name(...) = 0;");
    }
    return std::move(header_);
  }

 private:
  void read_scope(CXCursor scope) {
    impl::for_each_child(scope, [this](CXCursor child) {
      if (clang_Location_isFromMainFile(clang_getCursorLocation(child)) == 0) return;
      const CXCursorKind kind = clang_getCursorKind(child);
      if (kind == CXCursor_Namespace || kind == CXCursor_LinkageSpec) return read_scope(child);
      if (!is_class(kind) || clang_isCursorDefinition(child) == 0) return;
      if (has_pure_functions(child)) read_class(child, kind);
    });
  }

  void read_class(CXCursor type, CXCursorKind kind) {
    if (is_local(unit_, type)) return;
    const std::string name = "`" + owned(clang_getCursorSpelling(type)) + "`";
    const std::string local = ", or mark it @local in its comment";
    if (kind == CXCursor_ClassTemplate || kind == CXCursor_ClassTemplatePartialSpecialization) {
      refusals_.add(unit_.place_of(type), name +
                                              ": a template is no one interface; write a class "
                                              "for each type" +
                                              local);
      return;
    }
    if (is_hidden(type)) {
      refusals_.add(unit_.place_of(type), name +
                                              ": nobody outside sees into a namespace without "
                                              "a name; give it one" +
                                              local);
      return;
    }
    header_.interfaces.push_back(ClassReader(unit_, refusals_).read(type));
  }

  static bool is_hidden(CXCursor type) {
    for (CXCursor parent = clang_getCursorSemanticParent(type);
         clang_getCursorKind(parent) == CXCursor_Namespace;
         parent = clang_getCursorSemanticParent(parent)) {
      if (clang_Cursor_isAnonymous(parent) != 0) return true;
    }
    return false;
  }

  void refuse_same_routes() {
    std::map<std::string, Place> places;
    for (const Interface& interface : header_.interfaces) {
      for (const Method& method : interface.methods) {
        const auto [first, is_new] = places.try_emplace(method.route, method.place);
        if (is_new) continue;
        refusals_.add(method.place, "\"" + method.route + "\" is also the route of " +
                                        text_of(first->second) +
                                        "; give one of them another, as "
                                        "in `// @route /shop/place_order`");
      }
    }
  }

  const ClangUnit& unit_;
  Refusals refusals_;
  Header header_;
};

}  // namespace

Result<Header> read_interfaces(const std::string& path, std::span<const std::string> arguments) {
  auto unit = ClangUnit::parse(path, {.arguments = arguments});
  if (!unit) return unit.error();
  return FileReader(*unit).read(path);
}

}  // namespace parley::gen
