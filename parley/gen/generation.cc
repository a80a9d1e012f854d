#include "parley/gen/generation.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "parley/base/fd.h"
#include "parley/base/files.h"
#include "parley/gen/client_and_server.h"
#include "parley/gen/read.h"
#include "parley/gen/service.h"

namespace parley::gen {
namespace {

namespace fs = std::filesystem;

// As Files wants a path: whole, and of the file itself where a link leads to it.
Result<std::string> whole_path(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) return errno_status(error.value(), "find " + path);
  return whole.string();
}

// Nothing when there is no such file.
Result<std::optional<std::string>> content_of(const std::string& path) {
  const auto whole = whole_path(path);
  if (!whole) return whole.error();
  RealFiles files;
  auto content = read_file(files, *whole, max_file_bytes);
  if (content) return std::optional<std::string>(*std::move(content));
  if (content.error().code() == Code::not_found) return std::optional<std::string>();
  return content.error();
}

// How many methods a generated file has: each overrides one.
std::size_t methods_in(std::string_view generated) {
  constexpr std::string_view mark = " override {\n";
  std::size_t count = 0;
  for (std::size_t at = generated.find(mark); at != std::string_view::npos;
       at = generated.find(mark, at + mark.size())) {
    ++count;
  }
  return count;
}

Result<FileChange> plan_generated(const GenerationOptions& options, const Header& header,
                                  const std::string& include) {
  const fs::path source(options.header);
  const fs::path folder =
      options.out.empty() ? source.parent_path() / "generated" : fs::path(options.out);
  FileChange change{.path = (folder / (source.stem().string() + ".parley.h")).string(),
                    .content = client_and_server(header, include)};
  const auto before = content_of(change.path);
  if (!before) return before.error();
  const std::string old = before->value_or("");
  const std::size_t methods = methods_in(change.content);
  const std::size_t had = methods_in(old);
  change.added = methods > had ? methods - had : 0;
  if (!before->has_value()) {
    change.action = Action::create;
  } else if (old != change.content) {
    change.action = Action::update;
  }
  return change;
}

Status no_class_for(const Header& header, const std::string& path) {
  const Interface& interface = header.interfaces[0];
  const std::string whole =
      (interface.scope.empty() ? "" : interface.scope + "::") + interface.name;
  return Status(Code::invalid_argument,
                path + ": no class in it derives from " + whole + "; add class " + interface.name +
                    "Service : public " + interface.name +
                    " {}; to it and run again, or name a file that is not there yet");
}

// Where `include` leads to the header, as far as its path tells: what is written includes it so,
// and must be readable again with the same command.
std::vector<std::string> with_folder_of(const std::string& header, const std::string& include,
                                        std::vector<std::string> arguments) {
  if (!header.ends_with(include)) return arguments;
  const std::string folder = header.substr(0, header.size() - include.size());
  if (folder.empty() || folder.ends_with('/')) arguments.push_back("-I" + folder + ".");
  return arguments;
}

// `generated` need not be on the disk yet: the user's file may include it.
Result<FileChange> plan_service(const GenerationOptions& options, const Header& header,
                                const std::string& include, const FileChange& generated) {
  FileChange change{.path = options.implement};
  const auto before = content_of(change.path);
  if (!before) return before.error();
  if (!before->has_value()) {
    change.action = Action::create;
    change.content = new_service(header, include);
    return change;
  }
  const auto generated_path = whole_path(generated.path);
  if (!generated_path) return generated_path.error();
  const std::vector<GivenFile> files = {{.path = *generated_path, .content = generated.content},
                                        {.path = generated.path, .content = generated.content}};
  const auto classes = read_services(
      change.path, header, with_folder_of(options.header, include, options.arguments), files);
  if (!classes) return classes.error();
  if (classes->empty()) return no_class_for(header, change.path);
  Added added = with_missing_methods(**before, *classes, header);
  change.content = std::move(added.content);
  change.added = added.methods;
  change.action = added.methods == 0 ? Action::keep : Action::update;
  return change;
}

// replace_file() writes beside the file and renames. Made before it does, that second file has the
// mode of the first, or for a new file what the user's umask leaves.
Status prepare_mode(const std::string& path) {
  const std::string fresh = path + ".new";
  const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!fd) return errno_status(errno, "open " + fresh);
  struct stat before{};
  if (::stat(path.c_str(), &before) != 0) return {};
  if (::fchmod(fd.get(), before.st_mode & 07777U) == 0) return {};
  return errno_status(errno, "set the mode of " + fresh);
}

}  // namespace

std::string text_of(const FileChange& change) {
  switch (change.action) {
    case Action::create:
      return "CREATE " + change.path;
    case Action::update:
      return "UPDATE (+" + std::to_string(change.added) + ") " + change.path;
    case Action::keep:
      return "KEEP " + change.path;
  }
  return "";
}

Result<std::vector<FileChange>> plan_generation(const GenerationOptions& options) {
  const std::string& include = options.include.empty() ? options.header : options.include;
  if (include.find_first_of("\"\n\r\\") != std::string::npos) {
    return Status(Code::invalid_argument,
                  "\"" + include +
                      "\" cannot be included: it has a quote, a backslash or a line "
                      "feed; say with --include how the header is included");
  }
  const auto header = read_interfaces(options.header, options.arguments);
  if (!header) return header.error();
  std::vector<FileChange> changes;
  auto generated = plan_generated(options, *header, include);
  if (!generated) return generated.error();
  changes.push_back(*std::move(generated));
  if (options.implement.empty()) return changes;
  auto service = plan_service(options, *header, include, changes[0]);
  if (!service) return service.error();
  changes.push_back(*std::move(service));
  return changes;
}

Status write_change(const FileChange& change) {
  if (change.action == Action::keep) return {};
  const auto path = whole_path(change.path);
  if (!path) return path.error();
  std::error_code error;
  fs::create_directories(fs::path(*path).parent_path(), error);
  if (error) return errno_status(error.value(), "make the folder of " + *path);
  if (Status s = prepare_mode(*path); !s.is_ok()) return s;
  RealFiles files;
  return replace_file(files, *path, change.content);
}

}  // namespace parley::gen
