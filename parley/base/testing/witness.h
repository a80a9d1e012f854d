// A foreign program as a witness: it is given files and input in a folder of its own, and what it
// prints is looked at. For tests only; one thread at a time.
//
//   Witness witness;
//   if (witness.python_with("json").empty()) GTEST_SKIP() << "there is no python3 to ask";
//   EXPECT_EQ(witness.output_of("python3 -m json.tool --compact", "[1, 2]"), "[1,2]\n");
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::testing {

class Witness {
 public:
  struct Answer {
    int code = -1;     // the exit code; -1 when a signal ended it
    std::string out;   // what it printed
    std::string said;  // and to its standard error
  };

  Witness() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-witness-XXXXXX");
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  ~Witness() { std::filesystem::remove_all(folder_); }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // Debian's packages belong to Debian's Python, which need not be the first one. Empty: nobody
  // has this module.
  [[nodiscard]] std::string python_with(const std::string& module) const {
    for (const char* python : {"python3", "/usr/bin/python3"}) {
      if (ask(std::string(python) + " -c 'import " + module + "'").code == 0) return python;
    }
    return {};
  }

  // The same for a module of node.
  [[nodiscard]] std::string node_with(const std::string& module) const {
    return ask("node -e \"require('" + module + "')\"").code == 0 ? "node" : "";
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Runs a command of the shell in the folder.
  [[nodiscard]] Answer ask(const std::string& command, std::string_view input = {}) const {
    write("witness.in", input);
    const std::string line = "cd '" + folder_.string() + "' && { " + command +
                             "\n} <witness.in >witness.out 2>witness.said";
    const int status = std::system(line.c_str());
    return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = read("witness.out"),
            .said = read("witness.said")};
  }
  // What it prints; that it fails fails the test.
  [[nodiscard]] std::string output_of(const std::string& command,
                                      std::string_view input = {}) const {
    Answer answer = ask(command, input);
    EXPECT_EQ(answer.code, 0) << command << '\n' << answer.said;
    return std::move(answer.out);
  }
  // The same by lines, without their ends.
  [[nodiscard]] std::vector<std::string> lines_of(
      const std::string& command, const std::vector<std::string>& input = {}) const {
    std::string text;
    for (const std::string& line : input) text += line + '\n';
    const std::string output = output_of(command, text);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < output.size();) {
      const std::size_t end = std::min(output.find('\n', at), output.size());
      lines.push_back(output.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace parley::testing
