// What becomes of a message: the members of its struct, and what is said of each beside it.
//
// One thread; a Shaper belongs to one run of the generator.
#pragma once

#include <google/protobuf/descriptor.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "parley/codec/protoc/impl/layout.h"
#include "parley/codec/protoc/impl/names.h"
#include "parley/codec/protoc/impl/options.h"

namespace parley::protoc {

// What a generated header needs of others.
struct Needs {
  std::set<std::string> standard;  // <map>
  std::set<const google::protobuf::FileDescriptor*> files;
};

// One constant for each alternative of a oneof.
struct Alternative {
  std::string name;
  std::string comment;
};

struct Member {
  std::string name;
  std::string type;
  std::string initializer;  // ` = 0`
  std::string proto_name;
  std::string rules;    // `.number(7)`
  std::string comment;  // whole lines
  int number = 0;       // in protobuf; of a oneof the least
  std::string places;   // of a oneof: the struct of its alternatives
  std::vector<Alternative> alternatives;
};

struct Shape {
  std::vector<std::pair<std::string, std::string>> aliases;  // in the struct, outside of it
  std::vector<Member> members;
};

class Shaper {
 public:
  Shaper(const Options& options, Names& names, Layout& layout, Needs& needs)
      : options_(options), names_(names), layout_(layout), needs_(needs) {}

  Shape shape_of(const google::protobuf::Descriptor& message);

  // How a message or an enum is called inside of `place`, a message or a service, where `scope` is
  // around.
  template <class Descriptor, class Place>
  std::string refer_to(const Descriptor& thing, const Place& place, const Scope& scope) {
    const google::protobuf::FileDescriptor& file = *place.file();
    const bool is_itself = static_cast<const void*>(&thing) == &place;
    if (thing.file() == &file && (is_itself || !scope.has(names_.name_of(thing)))) {
      return names_.name_of(thing);
    }
    if (thing.file() != &file) needs_.files.insert(thing.file());
    return "::" + names_.full_name_of(thing);
  }

 private:
  Member member_for(const google::protobuf::FieldDescriptor& field, const Scope& scope);
  Member member_for(const google::protobuf::OneofDescriptor& oneof, const Scope& scope);
  // Of one value: neither of the list nor of the optional around it.
  std::string type_of(const google::protobuf::FieldDescriptor& field, const Scope& scope);
  void set_type(const google::protobuf::FieldDescriptor& field, const Scope& scope, Member& member);
  bool is_time(const google::protobuf::FieldDescriptor& field) const;
  std::string standard(const char* header, std::string type);

  const Options& options_;
  Names& names_;
  Layout& layout_;
  Needs& needs_;
};

}  // namespace parley::protoc
