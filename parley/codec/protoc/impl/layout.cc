#include "parley/codec/protoc/impl/layout.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <set>

namespace parley::protoc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

void take_message(const Descriptor& message, std::vector<const Descriptor*>& messages) {
  for (int i = 0; i < message.nested_type_count(); ++i) {
    if (!message.nested_type(i)->options().map_entry()) {
      take_message(*message.nested_type(i), messages);
    }
  }
  messages.push_back(&message);
}

// Messages it has as members, not in lists or maps.
std::vector<const Descriptor*> held_by(const Descriptor& message) {
  std::vector<const Descriptor*> held;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.message_type() != nullptr && !field.is_repeated()) {
      held.push_back(field.message_type());
    }
  }
  return held;
}

// The message of the field; of a map that of its values. Null where there is none.
const Descriptor* message_in(const FieldDescriptor& field) {
  if (!field.is_map()) return field.message_type();
  return field.message_type()->map_value()->message_type();
}

}  // namespace

std::vector<const Descriptor*> messages_of(const FileDescriptor& file) {
  std::vector<const Descriptor*> messages;
  for (int i = 0; i < file.message_type_count(); ++i) take_message(*file.message_type(i), messages);
  return messages;
}

std::vector<const Descriptor*> Layout::ordered(const FileDescriptor& file) {
  const std::vector<const Descriptor*> all = messages_of(file);
  std::vector<const Descriptor*> order;
  std::set<const Descriptor*> done;
  const auto place = [&](const Descriptor* message, const auto& again) -> void {
    if (message->file() != &file || !done.insert(message).second) return;
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor& field = *message->field(i);
      if (field.message_type() == nullptr || field.is_repeated() || is_boxed(field)) continue;
      again(field.message_type(), again);
    }
    order.push_back(message);
  };
  for (const Descriptor* message : all) place(message, place);
  return order;
}

bool Layout::is_boxed(const FieldDescriptor& field) {
  return place_of(*field.containing_type()).knot == place_of(*field.message_type()).knot;
}

bool Layout::leads_on(const Descriptor& message, const std::vector<const Descriptor*>& order) {
  const auto from = std::ranges::find(order, &message);
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (field.is_repeated() && std::find(from, order.end(), message_in(field)) != order.end()) {
      return true;
    }
  }
  return false;
}

bool Layout::holds_pointers(const Descriptor& message) {
  const auto [known, is_new] = holds_pointers_.emplace(&message, false);
  if (!is_new) return known->second;
  std::set<const Descriptor*> seen = {&message};
  std::vector<const Descriptor*> open = {&message};
  while (!open.empty() && !known->second) {
    const Descriptor& next = *open.back();
    open.pop_back();
    for (int i = 0; i < next.field_count(); ++i) {
      const FieldDescriptor& field = *next.field(i);
      const Descriptor* const inner = message_in(field);
      if (inner == nullptr) continue;
      if (!field.is_repeated() && is_boxed(field)) known->second = true;
      if (seen.insert(inner).second) open.push_back(inner);
    }
  }
  return known->second;
}

const Layout::Place& Layout::place_of(const Descriptor& message) {
  if (!places_.contains(&message)) visit(message);
  return places_.at(&message);
}

void Layout::visit(const Descriptor& message) {
  const int index = static_cast<int>(places_.size()) + 1;
  Place& place = places_[&message];
  place = {.index = index, .low = index};
  stack_.push_back(&message);
  for (const Descriptor* held : held_by(message)) {
    if (!places_.contains(held)) visit(*held);
    const Place& other = places_.at(held);
    if (other.knot == 0) place.low = std::min(place.low, other.low);
  }
  if (place.low != place.index) return;
  ++knots_;
  const Descriptor* member = nullptr;
  do {
    member = stack_.back();
    stack_.pop_back();
    places_.at(member).knot = knots_;
  } while (member != &message);
}

}  // namespace parley::protoc
