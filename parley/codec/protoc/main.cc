// protoc-gen-parley: turns .proto files into plain C++ structs. protoc starts it:
//
//   protoc --plugin=protoc-gen-parley --parley_out=DIRECTORY --parley_opt=unknown_fields=keep
//   x.proto
#include <google/protobuf/compiler/plugin.h>

#include "parley/codec/protoc/impl/generator.h"

int main(int argc, char** argv) {
  const parley::protoc::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
