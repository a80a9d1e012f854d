#include <algorithm>

#include "parley/gen/impl/clang_unit.h"
#include "parley/gen/impl/refusals.h"
#include "parley/gen/read.h"

namespace parley::gen {
namespace {

using impl::ClangUnit;
using impl::owned;

// Until the missing methods are there, the class cannot be made; that is what they are added for.
bool is_about_what_is_missing(std::string_view said) {
  return said.find("abstract class") != std::string_view::npos;
}

// The interface's function that this one overrides; empty: none.
std::vector<std::string> overridden_by(CXCursor function) {
  CXCursor* cursors = nullptr;
  unsigned count = 0;
  clang_getOverriddenCursors(function, &cursors, &count);
  std::vector<std::string> ids;
  for (unsigned i = 0; i < count; ++i) ids.push_back(owned(clang_getCursorUSR(cursors[i])));
  clang_disposeOverriddenCursors(cursors);
  return ids;
}

class ServiceReader {
 public:
  ServiceReader(const ClangUnit& unit, const Header& header) : unit_(unit), header_(header) {}

  Result<std::vector<ServiceClass>> read() {
    read_scope(unit_.root());
    if (Status s = refusals_.status(); !s.is_ok()) return s;
    return std::move(found_);
  }

 private:
  void read_scope(CXCursor scope) {
    impl::for_each_child(scope, [this](CXCursor child) {
      if (clang_Location_isFromMainFile(clang_getCursorLocation(child)) == 0) return;
      const CXCursorKind kind = clang_getCursorKind(child);
      if (kind == CXCursor_Namespace || kind == CXCursor_LinkageSpec) return read_scope(child);
      const bool is_class = kind == CXCursor_ClassDecl || kind == CXCursor_StructDecl;
      if (is_class && clang_isCursorDefinition(child) != 0) read_class(child, kind);
    });
  }

  // The id of the interface it names as a base; empty: none.
  std::string interface_of(CXCursor base) const {
    const CXCursor type =
        clang_getTypeDeclaration(clang_getCanonicalType(clang_getCursorType(base)));
    const std::string id = owned(clang_getCursorUSR(type));
    const auto& all = header_.interfaces;
    const bool is_one =
        std::any_of(all.begin(), all.end(), [&](const Interface& each) { return each.id == id; });
    return is_one ? id : "";
  }

  void read_class(CXCursor type, CXCursorKind kind) {
    ServiceClass service{.name = owned(clang_getCursorSpelling(type)),
                         .scope = impl::scope_of(type)};
    service.ends_public = kind == CXCursor_StructDecl;
    std::vector<std::string> interfaces;
    impl::for_each_child(type, [&](CXCursor member) {
      switch (clang_getCursorKind(member)) {
        case CXCursor_CXXBaseSpecifier:
          if (std::string id = interface_of(member); !id.empty()) {
            interfaces.push_back(std::move(id));
          }
          break;
        case CXCursor_CXXAccessSpecifier:
          service.ends_public = clang_getCXXAccessSpecifier(member) == CX_CXXPublic;
          break;
        case CXCursor_CXXMethod:
          read_function(member, service);
          break;
        default:
          break;
      }
    });
    if (interfaces.empty()) return;
    const unsigned end = impl::extent_of(clang_getCursorExtent(type)).end;
    if (end == 0 || end > unit_.content().size() || unit_.content()[end - 1] != '}') {
      refusals_.add(unit_.place_of(type), "`" + service.name +
                                              "`: its closing brace comes from a "
                                              "macro; write it out, methods are added before it");
      return;
    }
    service.closing_brace = end - 1;
    for (const std::string& id : interfaces) {
      service.interface_id = id;
      found_.push_back(service);
    }
  }

  static void read_function(CXCursor function, ServiceClass& service) {
    for (std::string& id : overridden_by(function)) service.overrides.push_back(std::move(id));
    if (service.has_methods) return;
    service.has_methods = true;
    service.first_method = impl::extent_of(clang_getCursorExtent(function)).begin;
  }

  const ClangUnit& unit_;
  const Header& header_;
  impl::Refusals refusals_;
  std::vector<ServiceClass> found_;
};

}  // namespace

Result<std::vector<ServiceClass>> read_services(const std::string& path, const Header& header,
                                                std::span<const std::string> arguments,
                                                std::span<const GivenFile> files) {
  auto unit = ClangUnit::parse(
      path, {.arguments = arguments, .files = files, .is_expected = &is_about_what_is_missing});
  if (!unit) return unit.error();
  return ServiceReader(*unit, header).read();
}

}  // namespace parley::gen
