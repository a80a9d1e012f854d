// The typed writer: walks a table of types and appends elements.
#include <limits>
#include <string>
#include <utility>

#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/scalar_text.h"
#include "parley/codec/impl/utf8.h"
#include "parley/codec/members.h"
#include "parley/codec/xml/impl/xml_characters.h"
#include "parley/codec/xml/impl/xml_reader.h"
#include "parley/codec/xml/impl/xml_text.h"
#include "parley/codec/xml/impl/xml_tree.h"
#include "parley/codec/xml/xml.h"

namespace parley::codec {
namespace impl {
namespace {

// What the root of a value of this type is called.
std::string_view root_name(const Type& type) {
  const Type& shape = shape_of(type);
  return shape.name.empty() ? name_of_alternative(shape.kind) : shape.name;
}

class XmlWriter {
 public:
  XmlWriter(std::string& out, const Limits& limits, const XmlOptions& options)
      : out_(out),
        start_(out.size()),
        limits_(limits),
        options_(options),
        style_{.enums_as_numbers = options.enums_as_numbers,
               .bytes_as_base64 = true,
               .limits = limits} {}

  bool write_root(const Type& type, const void* object);
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  struct Target {
    XmlWriter* writer;
    std::string_view name;
    const Type* type;
  };

  // The value as an element of this name.
  bool write(std::string_view name, const Type& type, const void* object);
  // Each stands alone, as in the reader: write() calls itself.
  [[gnu::noinline]] bool write_single(std::string_view name, const Type& type, const void* object);
  [[gnu::noinline]] bool write_optional(std::string_view name, const Type& type,
                                        const void* object);
  [[gnu::noinline]] bool write_items(std::string_view name, const Type& type, const void* object);
  [[gnu::noinline]] bool write_tuple(std::string_view name, const Type& type, const void* object);
  [[gnu::noinline]] bool write_map(std::string_view name, const Type& type, const void* object);
  [[gnu::noinline]] bool write_variant(std::string_view name, const Type& type, const void* object);
  [[gnu::noinline]] bool write_represented(std::string_view name, const Type& type,
                                           const void* object);
  [[gnu::noinline]] bool write_structure(std::string_view name, const Type& type,
                                         const void* object);

  // Each element of a list or an array as an element of this name.
  [[gnu::noinline]] bool write_elements(std::string_view name, const Type& type,
                                        const void* object);
  [[gnu::noinline]] bool write_attributes(const Members& members, const void* object,
                                          bool is_entry);
  [[gnu::noinline]] bool write_attribute(std::string_view name, const Type& type,
                                         const void* object);
  [[gnu::noinline]] bool write_own_text(const Type& type, const void* object);
  [[gnu::noinline]] bool write_unknown(const Members& members, const std::string& xml,
                                       bool attributes);
  // Appends the escaped text of a single value.
  [[gnu::noinline]] bool append_single(const Type& type, const void* object);
  [[gnu::noinline]] bool append_checked(std::string_view text);
  [[gnu::noinline]] bool set_key(const Type& type, const void* key);

  // "<name", with the key of the entry that it is. The tag is still open.
  bool open(std::string_view name);
  bool close(std::string_view name);

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  const XmlOptions& options_;
  ScalarStyle style_;
  std::string value_;
  std::string key_;  // of the entry that is opened next
  bool is_entry_ = false;
  std::size_t depth_ = 0;
  Failure failure_;
};

bool XmlWriter::write_root(const Type& type, const void* object) {
  if (options_.declaration) out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  return write(options_.root.empty() ? root_name(type) : options_.root, type, object);
}

bool XmlWriter::write(std::string_view name, const Type& type, const void* object) {
  switch (type.kind) {
    case Kind::boolean:
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
    case Kind::float32:
    case Kind::float64:
    case Kind::string:
    case Kind::bytes:
    case Kind::json:
    case Kind::enumeration:
    case Kind::duration:
    case Kind::instant:
      return write_single(name, type, object);
    case Kind::optional:
      return write_optional(name, type, object);
    case Kind::list:
    case Kind::array:
      return write_items(name, type, object);
    case Kind::tuple:
      return write_tuple(name, type, object);
    case Kind::map:
      return write_map(name, type, object);
    case Kind::variant:
      return write_variant(name, type, object);
    case Kind::structure:
      return write_structure(name, type, object);
    case Kind::represented:
      return write_represented(name, type, object);
  }
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool XmlWriter::open(std::string_view name) {
  if (!is_xml_name(name)) {
    return failure_.set(Code::invalid_argument,
                        name.empty() ? "a type without a name: say XmlOptions::root"
                                     : "this is no name of an element in XML: see parley::fields");
  }
  if (depth_ >= limits_.max_depth) {
    return failure_.set_depth(limits_.max_depth);
  }
  ++depth_;
  out_ += '<';
  out_ += name;
  if (!is_entry_) return true;
  out_.append(" ").append(xml_key).append("=\"").append(key_).append("\"");
  is_entry_ = false;
  return true;
}

bool XmlWriter::close(std::string_view name) {
  --depth_;
  out_ += "</";
  out_ += name;
  out_ += '>';
  return true;
}

bool XmlWriter::append_checked(std::string_view text) {
  if (!is_short_utf8(text)) {
    return failure_.set(Code::invalid_argument,
                        "a string that is not UTF-8 cannot be written as XML: use bytes");
  }
  if (const std::size_t bad = find_forbidden(text); bad != std::string_view::npos) {
    return failure_.set(Code::invalid_argument,
                        point_name(first_character(text.substr(bad)).point) +
                            " is no character of XML 1.0 and cannot be written: use bytes");
  }
  append_xml_text(out_, text);
  return true;
}

bool XmlWriter::append_single(const Type& type, const void* object) {
  if (type.kind == Kind::string) return append_checked(*static_cast<const std::string*>(object));
  value_.clear();
  return append_scalar(value_, type, object, style_, failure_) && append_checked(value_);
}

bool XmlWriter::write_single(std::string_view name, const Type& type, const void* object) {
  if (!open(name)) return false;
  out_ += '>';
  return append_single(type, object) && close(name);
}

bool XmlWriter::write_optional(std::string_view name, const Type& type, const void* object) {
  const void* const value = type.optional->get(object);
  if (value != nullptr) return write(name, *type.element, value);
  if (!open(name)) return false;
  out_ += xml_nil;
  out_ += '>';
  return close(name);
}

bool XmlWriter::write_represented(std::string_view name, const Type& type, const void* object) {
  Target target{.writer = this, .name = name, .type = type.element};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.writer->write(self.name, *self.type, as);
      },
      &target);
}

bool XmlWriter::write_elements(std::string_view name, const Type& type, const void* object) {
  std::size_t count = 0;
  if (type.kind == Kind::list && type.list->data == nullptr) {
    Cursor cursor;
    for (bool some = type.list->first(object, cursor); some;
         some = type.list->next(object, cursor)) {
      if (!write(name, *type.element, cursor.value)) return failure_.in_index(count);
      ++count;
    }
    return true;
  }
  // Only to be read from: data() serves readers and writers alike.
  const bool is_list = type.kind == Kind::list;
  const void* const elements = is_list ? type.list->data(const_cast<void*>(object)) : object;
  const std::size_t size = is_list ? type.list->size(object) : type.count;
  const auto* at = static_cast<const char*>(elements);
  for (; count < size; ++count, at += type.element->size) {
    if (!write(name, *type.element, at)) return failure_.in_index(count);
  }
  return true;
}

bool XmlWriter::write_items(std::string_view name, const Type& type, const void* object) {
  if (!open(name)) return false;
  out_ += '>';
  return write_elements(xml_item, type, object) && close(name);
}

bool XmlWriter::write_tuple(std::string_view name, const Type& type, const void* object) {
  if (!open(name)) return false;
  out_ += '>';
  std::size_t index = 0;
  for (const Field& field : type.members().fields()) {
    if (!write(xml_item, *field.type, static_cast<const char*>(object) + field.offset)) {
      return failure_.in_index(index);
    }
    ++index;
  }
  return close(name);
}

// Leaves the escaped text in key_.
bool XmlWriter::set_key(const Type& type, const void* key) {
  const std::size_t size = out_.size();
  const bool is_good = append_single(type, key);
  if (is_good) key_.assign(out_, size);
  out_.resize(size);
  return is_good;
}

bool XmlWriter::write_map(std::string_view name, const Type& type, const void* object) {
  if (!open(name)) return false;
  out_ += '>';
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    if (!set_key(*type.key, cursor.key)) return failure_.in_key_number(count);
    ++count;
    is_entry_ = true;
    if (write(xml_entry, *type.element, cursor.value)) continue;
    value_.clear();
    append_scalar(value_, *type.key, cursor.key, style_, failure_);  // which it could before
    return failure_.in_field(value_);
  }
  return close(name);
}

bool XmlWriter::write_variant(std::string_view name, const Type& type, const void* object) {
  const VariantOperations& variant = *type.variant;
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return failure_.set(Code::invalid_argument, "a variant without a value cannot be written");
  }
  if (!open(name)) return false;
  out_ += '>';
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type != nullptr &&
      !write(alternative.name, *alternative.type, variant.get(object))) {
    return failure_.in_field(alternative.name);
  }
  return close(name);
}

bool XmlWriter::write_attribute(std::string_view name, const Type& type, const void* object) {
  if (type.kind == Kind::optional) {
    const void* const value = type.optional->get(object);
    return value == nullptr || write_attribute(name, *type.element, value);
  }
  if (type.kind == Kind::represented) {
    Target target{.writer = this, .name = name, .type = type.element};
    return type.represented->show(
        object,
        [](void* context, const void* as) {
          const auto& self = *static_cast<Target*>(context);
          return self.writer->write_attribute(self.name, *self.type, as);
        },
        &target);
  }
  if (!is_xml_name(name)) {
    return failure_.set(Code::invalid_argument,
                        "this is no name of an attribute in XML: see parley::fields");
  }
  out_.append(" ").append(name).append("=\"");
  if (!append_single(type, object)) return false;
  out_ += '"';
  return true;
}

bool XmlWriter::write_attributes(const Members& members, const void* object, bool is_entry) {
  for (const Field& field : members.fields()) {
    if (field.xml != XmlPlace::attribute) continue;
    if (is_entry && field.name == xml_key) {
      failure_.set(Code::invalid_argument,
                   "the entry of a map has an attribute 'key' already: give this one another name");
      return failure_.in_field(field.name);
    }
    if (!write_attribute(field.name, *field.type,
                         static_cast<const char*>(object) + field.offset)) {
      return failure_.in_field(field.name);
    }
  }
  return true;
}

bool XmlWriter::write_own_text(const Type& type, const void* object) {
  if (type.kind != Kind::represented) return append_single(type, object);
  Target target{.writer = this, .name = {}, .type = type.element};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.writer->write_own_text(*self.type, as);
      },
      &target);
}

// The attributes, or the elements, of what UnknownFields keeps.
bool XmlWriter::write_unknown(const Members& members, const std::string& xml, bool attributes) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  const Limits limits{.max_depth = limits_.max_depth - depth_ + 1,
                      .max_bytes = any,
                      .max_elements = any,
                      .max_string_bytes = any};
  XmlTree tree;
  if (!tree.parse(xml, limits)) {
    const XmlProblem& problem = tree.problem();
    return failure_.set(problem.code, "what UnknownFields holds cannot be written: " +
                                          problem.message + tree.place(problem.offset));
  }
  const auto is_free = [&](const char* name) {
    if (members.find(name) == Members::npos) return true;
    failure_.set(Code::invalid_argument, "UnknownFields holds a member that there is");
    return failure_.in_field(name);
  };
  if (attributes) {
    for (const pugi::xml_attribute attribute : tree.root().attributes()) {
      if (!is_free(attribute.name())) return false;
      append_xml_attribute(out_, attribute.name(), attribute.value());
    }
    return true;
  }
  for (const pugi::xml_node child : tree.root().children()) {
    if (child.type() != pugi::node_element) continue;
    if (!is_free(child.name())) return false;
    append_xml_element(out_, child);
  }
  return true;
}

bool XmlWriter::write_structure(std::string_view name, const Type& type, const void* object) {
  const bool is_entry = is_entry_;
  if (!open(name)) return false;
  const Members& members = type.members();
  const UnknownFields* const unknown = members.unknown_fields(object);
  const bool has_unknown = unknown != nullptr && !unknown->xml.empty();
  if (members.has_xml_attributes() && !write_attributes(members, object, is_entry)) return false;
  if (has_unknown && !write_unknown(members, unknown->xml, true)) return false;
  out_ += '>';
  for (const Field& field : members.fields()) {
    const void* member = static_cast<const char*>(object) + field.offset;
    if (field.xml != XmlPlace::element) {
      if (field.xml == XmlPlace::attribute || write_own_text(*field.type, member)) continue;
      return failure_.in_field(field.name);
    }
    if (field.variant != nullptr) {
      if (field.variant->index(member) != field.alternative) continue;
      member = field.variant->get(member);
    } else if (field.is_rare && field.type->optional->get(member) == nullptr) {
      continue;
    }
    const bool is_written = repeats(field) ? write_elements(field.name, *field.type, member)
                                           : write(field.name, *field.type, member);
    if (!is_written) return failure_.in_field(field.name);
  }
  if (has_unknown && !write_unknown(members, unknown->xml, false)) return false;
  return close(name);
}

}  // namespace
}  // namespace impl

Status encode_xml_as(std::string& out, const Type& type, const void* object, const Limits& limits,
                     const XmlOptions& options) {
  impl::XmlWriter writer(out, limits, options);
  if (writer.write_root(type, object)) return {};
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
