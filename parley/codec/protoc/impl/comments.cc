#include "parley/codec/protoc/impl/comments.h"

#include <algorithm>

namespace parley::protoc {

std::string comment(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    std::erase(line, '\r');
    line.erase(line.find_last_not_of(" \t") + 1);
    // The line below would belong to the comment.
    if (line.ends_with('\\')) line += " .";
    out += indent;
    out += "//";
    if (!line.empty() && line.front() != ' ' && line.front() != '/') out += ' ';
    out += line + '\n';
  }
  return out;
}

std::string comment(const google::protobuf::SourceLocation& location, std::string_view indent) {
  std::string out;
  for (const std::string& apart : location.leading_detached_comments) {
    out += comment(apart, indent) + '\n';
  }
  out += comment(location.leading_comments, indent);
  if (!location.leading_comments.empty() && !location.trailing_comments.empty()) {
    out += std::string(indent) + "//\n";
  }
  return out + comment(location.trailing_comments, indent);
}

std::string head_comment(const google::protobuf::FileDescriptor& file) {
  using google::protobuf::FileDescriptorProto;
  std::string out;
  for (const int part :
       {FileDescriptorProto::kSyntaxFieldNumber, FileDescriptorProto::kPackageFieldNumber}) {
    google::protobuf::SourceLocation location;
    if (!file.GetSourceLocation({part}, &location)) continue;
    std::string text = comment(location, "");
    if (text.ends_with("\n\n")) text.pop_back();
    if (!text.empty()) out += "//\n" + text;
  }
  return out;
}

}  // namespace parley::protoc
