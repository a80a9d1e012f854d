// What things of a .proto are called in C++. Names stay as they are where C++ lets them; where it
// does not, or where two would clash, an underscore is put behind.
//
// One thread; a Names belongs to one run of the generator.
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "parley/codec/protoc/impl/options.h"

namespace parley::protoc {

bool is_identifier(std::string_view text);

// `name`, with an underscore behind it if C++ has another use for it.
std::string safe_name(std::string_view name);

// The names of one scope.
class Scope {
 public:
  // The first of name, name_, name__ ... that C++ allows and nobody has.
  std::string take(std::string_view name);
  // `name` as it is.
  void reserve(std::string_view name) { taken_.emplace(name); }
  [[nodiscard]] bool has(std::string_view name) const { return taken_.contains(name); }

 private:
  std::set<std::string, std::less<>> taken_;
};

// Names of files, messages, enums and services.
class Names {
 public:
  explicit Names(const Options& options) : options_(options) {}

  // What is made of `shop/order.proto`: `shop/order.parley.h`.
  static std::string file_for(const google::protobuf::FileDescriptor& file);
  // Whether its messages stand in parley/codec/well_known.h.
  static bool is_well_known(const google::protobuf::FileDescriptor& file);
  // What to include for it.
  static std::string header_of(const google::protobuf::FileDescriptor& file);
  // Empty for no package.
  std::string namespace_of(const google::protobuf::FileDescriptor& file) const;
  // Within its namespace; a message in a message is `Outer_Inner`.
  template <class Descriptor>
  const std::string& name_of(const Descriptor& thing) {
    take_file(*thing.file());
    return names_.at(&thing);
  }
  // `shop::Outer_Inner`.
  template <class Descriptor>
  std::string full_name_of(const Descriptor& thing) {
    const std::string outer = namespace_of(*thing.file());
    return outer.empty() ? name_of(thing) : outer + "::" + name_of(thing);
  }

 private:
  void take_file(const google::protobuf::FileDescriptor& file);
  void take_inner(const google::protobuf::Descriptor& message, Scope& scope);

  const Options& options_;
  std::set<const google::protobuf::FileDescriptor*> files_;
  std::map<const void*, std::string> names_;
};

}  // namespace parley::protoc
