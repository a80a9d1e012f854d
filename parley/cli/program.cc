#include "parley/cli/program.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>

#include "parley/base/fd.h"

namespace parley::cli {

Status become_program(const std::string& name, const std::vector<std::string>& words) {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return errno_status(error.value(), "find the folder of this program");
  std::string path = (own.parent_path() / name).string();
  std::vector<char*> argv = {path.data()};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  // What is ignored stays ignored in the other program; it is to begin as any program does.
  std::signal(SIGPIPE, SIG_DFL);
  ::execv(path.c_str(), argv.data());
  return errno_status(errno, "run " + path);
}

}  // namespace parley::cli
