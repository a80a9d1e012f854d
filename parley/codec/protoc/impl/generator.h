// The plugin as protoc sees it.
//
// Stateless.
#pragma once

#include <google/protobuf/compiler/code_generator.h>

#include <string>

namespace parley::protoc {

class Generator : public google::protobuf::compiler::CodeGenerator {
 public:
  bool Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                google::protobuf::compiler::GeneratorContext* context,
                std::string* error) const override;
  [[nodiscard]] std::uint64_t GetSupportedFeatures() const override {
    return FEATURE_PROTO3_OPTIONAL;
  }
};

}  // namespace parley::protoc
