// Runs protoc as a user does.
#pragma once

#include <string>
#include <string_view>

namespace parley::protoc::testing {

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view text);

struct Outcome {
  int code = 0;
  std::string out;
  std::string errors;
};

// `arguments` go through the shell; `input` is what it reads.
Outcome run_protoc(const std::string& arguments, std::string_view input = {});

// protoc with our plugin over `name`, a file with this text in a folder of its own, which also has
// the files of golden/. The header is in `out`.
Outcome generate(const std::string& name, std::string_view text, const std::string& options);

}  // namespace parley::protoc::testing
