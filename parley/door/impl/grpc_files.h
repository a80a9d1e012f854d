// GrpcFiles: the methods of a peer as files of protobuf. Never changes: safe on every fiber.
// Private to door.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/proto_file.h"
#include "parley/codec/signature.h"
#include "parley/door/grpc_reflection.h"
#include "parley/peer/name_mapper.h"

namespace parley::door::impl {

class GrpcFiles {
 public:
  // `methods` are those of calls and of streams.
  GrpcFiles(std::span<const codec::MethodShape> methods, NameMapper mapper,
            const GrpcReflectionOptions& options);

  // In full, in order.
  [[nodiscard]] const std::set<std::string>& services() const { return services_; }
  // The file that has it: a message, an enum, a service or a method, by its full name. Empty: none.
  [[nodiscard]] std::string_view file_of(const std::string& symbol) const;
  // The extensions of a message; null where there is no such message.
  using Extensions = std::map<std::int32_t, std::string>;  // number to file
  [[nodiscard]] const Extensions* extensions_of(const std::string& message) const;
  // That file and behind it all it needs, as FileDescriptorProtos; empty where there is none.
  [[nodiscard]] std::vector<std::string> with_needs(std::string_view file) const;

 private:
  struct File {
    std::string bytes;
    std::vector<std::string> needs;
  };
  // By package, and in it by name.
  using Packages = std::map<std::string, std::map<std::string, codec::ProtoService>>;

  void add_known();
  bool drop_described(Packages& packages, const std::vector<codec::ProtoFile>& made);
  void add(const codec::ProtoFile& file, std::string bytes);
  void add_needs();
  void add_message(const std::string& around, const codec::ProtoMessage& message,
                   const std::string& file);
  void add_extensions(std::span<const codec::ProtoField> fields, const std::string& file);

  std::set<std::string> services_;
  std::map<std::string, File, std::less<>> files_;
  std::map<std::string, std::string> symbols_;
  std::set<std::string> messages_;
  std::map<std::string, Extensions> extensions_;
};

// The files of services whose names and messages are given (grpc_known_files.cc): health and
// reflection. Null: it is none of those.
const codec::ProtoFile* known_file(std::string_view service);

}  // namespace parley::door::impl
