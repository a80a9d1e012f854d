#include "parley/gen/impl/clang_unit.h"

#include <filesystem>
#include <utility>
#include <vector>

namespace parley::gen::impl {
namespace {

Place place_at(CXSourceLocation location) {
  CXFile file = nullptr;
  Place place;
  clang_getExpansionLocation(location, &file, &place.line, &place.column, nullptr);
  if (file != nullptr) place.file = owned(clang_getFileName(file));
  return place;
}

std::string advice_for(std::string_view said) {
  if (said.find("file not found") == std::string_view::npos) return "";
  return "; give the folders of included files behind --, as to a compiler: -- -Iinclude";
}

// clang's first error, with its place.
Status first_error(CXTranslationUnit unit, const ParseOptions& options) {
  const unsigned count = clang_getNumDiagnostics(unit);
  for (unsigned i = 0; i < count; ++i) {
    const std::unique_ptr<void, void (*)(CXDiagnostic)> diagnostic(clang_getDiagnostic(unit, i),
                                                                   &clang_disposeDiagnostic);
    if (clang_getDiagnosticSeverity(diagnostic.get()) < CXDiagnostic_Error) continue;
    const std::string said = owned(clang_getDiagnosticSpelling(diagnostic.get()));
    if (options.is_expected != nullptr && options.is_expected(said)) continue;
    const Place place = place_at(clang_getDiagnosticLocation(diagnostic.get()));
    // A fault of the arguments has no place.
    const std::string where = place.file.empty() ? "" : text_of(place) + ": ";
    return Status(Code::invalid_argument, where + said + advice_for(said));
  }
  return {};
}

}  // namespace

std::string owned(CXString text) {
  const char* const characters = clang_getCString(text);
  std::string copy = characters == nullptr ? "" : characters;
  clang_disposeString(text);
  return copy;
}

Result<ClangUnit> ClangUnit::parse(const std::string& path, const ParseOptions& options) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Status(Code::not_found, path + ": there is no such file");
  }
  // A header is C++ whatever its name; plain comments count, not only those for doxygen. The user's
  // arguments win: over the standard, and with their folders over ours.
  const std::string own_folder = std::string("-I") + PARLEY_GEN_INCLUDE_ROOT;
  std::vector<const char*> words = {"-xc++", "-std=c++20", "-fparse-all-comments", "-w",
                                    "-ferror-limit=0"};
  for (const std::string& argument : options.arguments) words.push_back(argument.c_str());
  words.push_back(own_folder.c_str());
  std::vector<CXUnsavedFile> files;
  for (const GivenFile& file : options.files) {
    files.push_back({.Filename = file.path.c_str(),
                     .Contents = file.content.data(),
                     .Length = file.content.size()});
  }
  ClangUnit made;
  made.index_.reset(clang_createIndex(0, 0));
  CXTranslationUnit unit = nullptr;
  const CXErrorCode code = clang_parseTranslationUnit2(
      made.index_.get(), path.c_str(), words.data(), static_cast<int>(words.size()), files.data(),
      static_cast<unsigned>(files.size()), CXTranslationUnit_SkipFunctionBodies, &unit);
  made.unit_.reset(unit);
  if (code != CXError_Success || unit == nullptr) {
    return Status(Code::invalid_argument, path + ": clang could not read it (error " +
                                              std::to_string(code) +
                                              "); look at the compiler arguments behind --");
  }
  if (Status s = first_error(unit, options); !s.is_ok()) return s;
  std::size_t size = 0;
  const char* const content = clang_getFileContents(unit, clang_getFile(unit, path.c_str()), &size);
  if (content != nullptr) made.content_ = {content, size};
  return made;
}

Place ClangUnit::place_of(CXCursor cursor) const {
  return place_at(clang_getCursorLocation(cursor));
}

void for_each_child(CXCursor parent, const std::function<void(CXCursor)>& visit) {
  clang_visitChildren(
      parent,
      [](CXCursor child, CXCursor, CXClientData data) {
        (*static_cast<const std::function<void(CXCursor)>*>(data))(child);
        return CXChildVisit_Continue;
      },
      const_cast<std::function<void(CXCursor)>*>(&visit));
}

Extent extent_of(CXSourceRange range) {
  Extent extent;
  clang_getExpansionLocation(clang_getRangeStart(range), nullptr, nullptr, nullptr, &extent.begin);
  clang_getExpansionLocation(clang_getRangeEnd(range), nullptr, nullptr, nullptr, &extent.end);
  return extent;
}

std::string scope_of(CXCursor declaration) {
  std::string scope;
  for (CXCursor parent = clang_getCursorSemanticParent(declaration);
       clang_getCursorKind(parent) == CXCursor_Namespace;
       parent = clang_getCursorSemanticParent(parent)) {
    const std::string name = owned(clang_getCursorSpelling(parent));
    scope = scope.empty() ? name : name + "::" + scope;
  }
  return scope;
}

}  // namespace parley::gen::impl
