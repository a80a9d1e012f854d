// The structs and enums that some types reach, each with a name that no other has.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parley/codec/members.h"
#include "parley/codec/type_table.h"

namespace parley::codec::impl {

class NamedTypes {
 public:
  // Adds what `type` reaches. Each struct stands behind those it was first met in.
  void add(const Type& type);

  [[nodiscard]] std::span<const Type* const> types() const { return order_; }
  // Of a struct or an enum that has been added.
  [[nodiscard]] const std::string& name_of(const Type& type) const { return names_.at(&type); }
  // A name near `wanted` that nobody has yet; taken from now on. Before add(): what no type may be
  // called.
  std::string take_name(std::string_view wanted);

 private:
  std::vector<const Type*> order_;
  std::map<const Type*, std::string> names_;
  std::set<std::string> taken_;
};

// `text` with `start` before each of its lines, and a line break behind; nothing when it is empty.
std::string comment_of(std::string_view text, std::string_view start);

// `text` with everything that is no letter, digit or underscore replaced by one, and never empty.
std::string identifier_of(std::string_view text);

}  // namespace parley::codec::impl
