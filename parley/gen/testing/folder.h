// A folder of its own for a test, with a Parley in miniature, so that clang is quick to read what
// the test writes there.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX's

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace parley::gen::testing {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-gen-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no folder " << pattern;
    path_ = pattern;
    write("parley.h",
          "#pragma once\n"
          "namespace parley {\n"
          "enum class Code { unimplemented };\n"
          "class Context;\n"
          "struct Status { Status(); Status(Code, const char*); };\n"
          "template <class T> struct Result { Result(Status); using value_type = T; };\n"
          "}\n");
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(std::string_view name) const { return (path_ / name).string(); }
  // Returns its path.
  std::string write(std::string_view name, std::string_view content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  [[nodiscard]] std::string read(std::string_view name) const {
    std::ifstream file(path(name), std::ios::binary);
    EXPECT_TRUE(file.is_open()) << path(name);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }
  [[nodiscard]] bool has(std::string_view name) const {
    return std::filesystem::exists(path_ / name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace parley::gen::testing
