#include "parley/cli/body.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "parley/base/fd.h"
#include "parley/cli/text.h"
#include "parley/codec/json.h"

namespace parley::cli {
namespace {

// What to write instead. A bare word was meant as a string; anything else lost its quotes to the
// shell or never had them.
std::string quoting_advice(const std::string& argument) {
  const bool is_structure = argument.find_first_of("{}[]\":") != std::string::npos;
  if (is_structure || argument.size() > max_excerpt) {
    return "put the whole argument in single quotes, and names and strings in double quotes: "
           "'{\"sku\":\"tea\",\"quantity\":2}'";
  }
  const auto text = codec::encode_json(argument);
  return "a string needs quotes of its own, inside those of the shell: " +
         shell_quoted(text ? *text : "\"\"");
}

Status not_json(std::size_t number, const std::string& argument, const Status& why) {
  return Status(Code::invalid_argument, "argument " + std::to_string(number) +
                                            " is not JSON: " + excerpt(argument) + "\n  " +
                                            why.message() + "\n  " + quoting_advice(argument));
}

Status too_large(std::string_view what) {
  return Status(Code::resource_exhausted, std::string(what) + " is larger than " +
                                              std::to_string(max_body_bytes) +
                                              " bytes, the most a message carries");
}

Result<std::string> read_all(int fd, const std::string& name) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_status(errno, "cannot read " + name);
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > max_body_bytes) return too_large(name);
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> body_of(std::span<const std::string> arguments) {
  std::string body;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Status status = codec::validate_json(arguments[i]);
    if (status.code() == Code::invalid_argument) return not_json(i + 1, arguments[i], status);
    if (!status.is_ok()) return status.with_context("argument " + std::to_string(i + 1));
    if (i > 0) body += ',';
    body += arguments[i];
  }
  if (arguments.size() > 1) body = "[" + body + "]";
  if (body.size() > max_body_bytes) return too_large("the body");
  return body;
}

Result<std::string> body_from_file(const std::string& path) {
  const bool is_input = path == "-";
  const std::string name = is_input ? "standard input" : excerpt(path);
  Fd file;
  if (!is_input) {
    file.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return errno_status(errno, "cannot open " + name);
  }
  auto text = read_all(is_input ? 0 : file.get(), name);
  if (!text || text->empty()) return text;
  const Status status = codec::validate_json(*text);
  if (status.code() == Code::invalid_argument) {
    return Status(Code::invalid_argument, name + " is not JSON: " + status.message());
  }
  if (!status.is_ok()) return status.with_context(name);
  return text;
}

}  // namespace parley::cli
