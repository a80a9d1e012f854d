#include "parley/codec/protoc/testing/run_protoc.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace parley::protoc::testing {
namespace {

// A folder of this process and test, as tests run side by side.
std::string folder() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::to_string(getpid()) + "_" + test->test_suite_name() + "." + test->name();
  std::ranges::replace(name, '/', '_');
  std::string path = ::testing::TempDir() + "parley_protoc_" + name;
  std::filesystem::create_directories(path);
  return path;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << "cannot read " << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

Outcome run_protoc(const std::string& arguments, std::string_view input) {
  const std::string base = folder() + "/run";
  write_file(base + ".in", input);
  const std::string command = std::string(PARLEY_PROTOC_PROGRAM) + " " + arguments + " <'" + base +
                              ".in' >'" + base + ".out' 2>'" + base + ".err'";
  const int status = std::system(command.c_str());
  Outcome outcome{.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                  .out = read_file(base + ".out"),
                  .errors = read_file(base + ".err")};
  std::filesystem::remove_all(folder());
  return outcome;
}

Outcome generate(const std::string& name, std::string_view text, const std::string& options) {
  const std::string place = folder() + "_files";
  std::filesystem::create_directories(place);
  write_file(place + "/" + name + ".proto", text);
  Outcome outcome =
      run_protoc("--plugin=protoc-gen-parley=" PARLEY_PROTOC_PLUGIN " --parley_out='" + place +
                 "' " + options + " -I'" + place +
                 "' -I'" PARLEY_SOURCE_DIR "/parley/codec/protoc/golden' " + name + ".proto");
  const std::string header = place + "/" + name + ".parley.h";
  if (std::filesystem::exists(header)) outcome.out = read_file(header);
  std::filesystem::remove_all(place);
  return outcome;
}

}  // namespace parley::protoc::testing
