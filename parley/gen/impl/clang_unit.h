// libclang, held safely: what it gives back has an owner and is plain C++.
#pragma once

#include <clang-c/Index.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "parley/base/result.h"
#include "parley/gen/interface.h"
#include "parley/gen/read.h"

namespace parley::gen::impl {

// The text of it, which is given back.
std::string owned(CXString text);

struct ParseOptions {
  std::span<const std::string> arguments;
  std::span<const GivenFile> files = {};
  // Errors that are none, by their text.
  bool (*is_expected)(std::string_view said) = nullptr;
};

// A parsed file.
class ClangUnit {
 public:
  // clang's first error is the error.
  static Result<ClangUnit> parse(const std::string& path, const ParseOptions& options);

  [[nodiscard]] CXTranslationUnit get() const { return unit_.get(); }
  [[nodiscard]] CXCursor root() const { return clang_getTranslationUnitCursor(get()); }
  // The file itself, without what it includes.
  [[nodiscard]] std::string_view content() const { return content_; }
  // Places name the file as it was given.
  [[nodiscard]] Place place_of(CXCursor cursor) const;

 private:
  struct Release {
    void operator()(CXTranslationUnit unit) const { clang_disposeTranslationUnit(unit); }
    void operator()(CXIndex index) const { clang_disposeIndex(index); }
  };

  // The unit goes first.
  std::unique_ptr<void, Release> index_;
  std::unique_ptr<std::remove_pointer_t<CXTranslationUnit>, Release> unit_;
  std::string_view content_;
};

// Calls `visit` for each direct child, in the order of the source.
void for_each_child(CXCursor parent, const std::function<void(CXCursor)>& visit);

// Where a range begins and ends in its file, in bytes.
struct Extent {
  unsigned begin = 0;
  unsigned end = 0;
};
Extent extent_of(CXSourceRange range);

// Its namespaces, "shop::front"; empty: none.
std::string scope_of(CXCursor declaration);

}  // namespace parley::gen::impl
