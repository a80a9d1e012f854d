#include "parley/codec/protoc/impl/generator.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include <cstdio>
#include <memory>

#include "parley/codec/protoc/impl/header_writer.h"
#include "parley/codec/protoc/impl/names.h"
#include "parley/codec/protoc/impl/options.h"

namespace parley::protoc {

bool Generator::Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                         google::protobuf::compiler::GeneratorContext* context,
                         std::string* error) const {
  Options options;
  if (!parse_options(parameter, options, *error)) return false;
  HeaderWriter writer(*file, options);
  std::string header;
  std::string warnings;
  if (!writer.write(header, *error, warnings)) return false;
  if (!warnings.empty()) {
    // protoc shows what its plugins write there. tidy-allow(printing): a program, no library.
    std::fputs(warnings.c_str(), stderr);
  }
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> out(
      context->Open(Names::file_for(*file)));
  google::protobuf::io::CodedOutputStream(out.get()).WriteString(header);
  return true;
}

}  // namespace parley::protoc
