// The comments of a .proto, as those of C++.
//
// Pure functions.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <string>
#include <string_view>

namespace parley::protoc {

// Each line behind `indent` and two slashes. Empty for an empty text.
std::string comment(std::string_view text, std::string_view indent);

// All that stands around a declaration: before it, also apart from it, and behind it.
std::string comment(const google::protobuf::SourceLocation& location, std::string_view indent);

template <class Descriptor>
std::string comment_of(const Descriptor& thing, std::string_view indent) {
  google::protobuf::SourceLocation location;
  std::string text;
  if (thing.GetSourceLocation(&location)) text = comment(location, indent);
  if constexpr (requires { thing.options().deprecated(); }) {
    if (thing.options().deprecated()) text += comment("Deprecated.", indent);
  }
  return text;
}

// What stands at the head of a file.
std::string head_comment(const google::protobuf::FileDescriptor& file);

}  // namespace parley::protoc
