#include "parley/codec/impl/named_types.h"

#include <algorithm>

namespace parley::codec::impl {

void NamedTypes::add(const Type& type) {
  switch (type.kind) {
    case Kind::structure:
    case Kind::enumeration:
      if (names_.contains(&type)) return;
      order_.push_back(&type);
      names_.emplace(&type, take_name(identifier_of(type.name)));
      if (type.kind == Kind::enumeration) return;
      [[fallthrough]];
    case Kind::tuple:
      for (const Field& field : type.members().fields()) add(*field.type);
      return;
    case Kind::variant:
      for (const Alternative& alternative : type.variant->alternatives) {
        if (alternative.type != nullptr) add(*alternative.type);
      }
      return;
    case Kind::map:
      add(*type.key);
      add(*type.element);
      return;
    case Kind::optional:
    case Kind::list:
    case Kind::array:
    case Kind::represented:
      add(*type.element);
      return;
    default:
      return;
  }
}

std::string NamedTypes::take_name(std::string_view wanted) {
  std::string name(wanted);
  for (int number = 2; !taken_.insert(name).second; ++number) {
    name = std::string(wanted) + std::to_string(number);
  }
  return name;
}

std::string comment_of(std::string_view text, std::string_view start) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.append(start).append(text.substr(0, end)) += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string identifier_of(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += fits ? c : '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "_");
  return name;
}

}  // namespace parley::codec::impl
