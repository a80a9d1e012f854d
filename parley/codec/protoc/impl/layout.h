// In which order the structs of a file stand, and where one that holds itself needs a pointer.
//
// One thread; a Layout belongs to one run of the generator.
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <vector>

namespace parley::protoc {

// Every message of the file, also those in messages, but no entries of maps: in the order of the
// declaration, what is inside before what it is in.
std::vector<const google::protobuf::Descriptor*> messages_of(
    const google::protobuf::FileDescriptor& file);

class Layout {
 public:
  // messages_of() the file so that each stands behind those it holds by value.
  std::vector<const google::protobuf::Descriptor*> ordered(
      const google::protobuf::FileDescriptor& file);

  // Whether the message in this field, which is neither repeated nor a map, leads back to the one
  // that has the field.
  bool is_boxed(const google::protobuf::FieldDescriptor& field);

  // Whether it has a list or a map of messages that stand behind it in `order`, or of itself.
  static bool leads_on(const google::protobuf::Descriptor& message,
                       const std::vector<const google::protobuf::Descriptor*>& order);

  // Whether there is a pointer somewhere in it, so that it can be moved only.
  bool holds_pointers(const google::protobuf::Descriptor& message);

 private:
  // Tarjan's numbers of a message, and which messages lead to each other by value.
  struct Place {
    int index = 0;
    int low = 0;
    int knot = 0;  // from 1, 0: not yet known
  };
  void visit(const google::protobuf::Descriptor& message);
  const Place& place_of(const google::protobuf::Descriptor& message);

  std::map<const google::protobuf::Descriptor*, Place> places_;
  std::vector<const google::protobuf::Descriptor*> stack_;
  std::map<const google::protobuf::Descriptor*, bool> holds_pointers_;
  int knots_ = 0;
};

}  // namespace parley::protoc
