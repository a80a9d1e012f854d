// The typed writer of forms: walks a table of types with the key so far, escaped.
#include <span>
#include <string>
#include <utility>

#include "parley/codec/form.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/form_pairs.h"
#include "parley/codec/impl/scalar_text.h"
#include "parley/codec/members.h"

namespace parley::codec {
namespace impl {
namespace {

class FormWriter {
 public:
  FormWriter(std::string& out, const Limits& limits, const FormOptions& options)
      : out_(out),
        start_(out.size()),
        limits_(limits),
        style_{.enums_as_numbers = options.enums_as_numbers,
               .bytes_as_base64 = true,
               .limits = limits} {}

  bool write_form(const Type& type, const void* object);
  void undo() { out_.resize(start_); }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  struct Target {
    FormWriter* writer;
    const Type* type;
  };

  bool write(const Type& type, const void* object);
  [[gnu::noinline]] bool write_scalar(const Type& type, const void* object);
  [[gnu::noinline]] bool write_list(const Type& type, const void* object);
  [[gnu::noinline]] bool write_element(const Type& type, const void* object, std::size_t index);
  [[gnu::noinline]] bool write_array(const Type& element, const void* elements, std::size_t count);
  [[gnu::noinline]] bool write_tuple(const Type& type, const void* object);
  [[gnu::noinline]] bool write_map(const Type& type, const void* object);
  [[gnu::noinline]] bool write_entry(const Type& type, const Cursor& cursor);
  [[gnu::noinline]] bool write_variant(const VariantOperations& variant, const void* object);
  [[gnu::noinline]] bool write_structure(const Type& type, const void* object);
  [[gnu::noinline]] bool write_represented(const Type& type, const void* object);

  // `name` as the last one of the key; returns what key_ must be cut to afterwards.
  std::size_t push(std::string_view name) {
    const std::size_t size = key_.size();
    if (depth_ > 1) key_ += '.';
    append_form_text(key_, name);
    return size;
  }
  bool enter() {
    if (depth_ < limits_.max_depth) {
      ++depth_;
      return true;
    }
    return failure_.set_depth(limits_.max_depth);
  }
  [[gnu::cold]] bool fail_invalid(std::string message) {
    return failure_.set(Code::invalid_argument, std::move(message));
  }

  std::string& out_;
  std::size_t start_;
  const Limits& limits_;
  ScalarStyle style_;
  std::string key_;
  std::string value_;
  std::size_t depth_ = 0;
  Failure failure_;
};

bool FormWriter::write_form(const Type& type, const void* object) {
  const Type& shape = shape_of(type);
  if (is_form(shape)) return write(type, object);
  return fail_invalid("a form is made of a struct or a map, not of an " +
                      std::string(name_of(shape.kind)));
}

bool FormWriter::write(const Type& type, const void* object) {
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
      return write_scalar(type, object);
    case Kind::optional: {
      const void* const value = type.optional->get(object);
      return value == nullptr || write(*type.element, value);
    }
    case Kind::list:
      return write_list(type, object);
    case Kind::array:
      return write_array(*type.element, object, type.count);
    case Kind::tuple:
      return type.members().are_parameters() ? write_structure(type, object)
                                             : write_tuple(type, object);
    case Kind::map:
      return write_map(type, object);
    case Kind::variant:
      return write_variant(*type.variant, object);
    case Kind::structure:
      return write_structure(type, object);
    case Kind::represented:
      return write_represented(type, object);
  }
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool FormWriter::write_scalar(const Type& type, const void* object) {
  value_.clear();
  if (!append_scalar(value_, type, object, style_, failure_)) return false;
  if (out_.size() > start_) out_ += '&';
  out_ += key_;
  out_ += '=';
  append_form_text(out_, value_);
  return true;
}

bool FormWriter::write_represented(const Type& type, const void* object) {
  Target target{this, type.element};
  return type.represented->show(
      object,
      [](void* context, const void* as) {
        const auto& self = *static_cast<Target*>(context);
        return self.writer->write(*self.type, as);
      },
      &target);
}

bool FormWriter::write_element(const Type& type, const void* object, std::size_t index) {
  const std::size_t size = out_.size();
  if (!is_scalar(shape_of(type).kind)) {
    fail_invalid("a list of " + std::string(name_of(shape_of(type).kind)) +
                 "s cannot be in a form: use JSON");
    return failure_.in_index(index);
  }
  if (!write(type, object)) return failure_.in_index(index);
  if (out_.size() > size) return true;
  fail_invalid("an empty optional in a list cannot be in a form");
  return failure_.in_index(index);
}

bool FormWriter::write_list(const Type& type, const void* object) {
  const ListOperations& list = *type.list;
  if (list.data != nullptr) {
    // Only to be read from: data() serves readers and writers alike.
    return write_array(*type.element, list.data(const_cast<void*>(object)), list.size(object));
  }
  Cursor cursor;
  std::size_t count = 0;
  for (bool some = list.first(object, cursor); some; some = list.next(object, cursor)) {
    if (!write_element(*type.element, cursor.value, count++)) return false;
  }
  return true;
}

bool FormWriter::write_array(const Type& element, const void* elements, std::size_t count) {
  const auto* at = static_cast<const char*>(elements);
  for (std::size_t i = 0; i < count; ++i, at += element.size) {
    if (!write_element(element, at, i)) return false;
  }
  return true;
}

bool FormWriter::write_tuple(const Type& type, const void* object) {
  const std::span<const Field> fields = type.members().fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const void* const element = static_cast<const char*>(object) + fields[i].offset;
    if (!write_element(*fields[i].type, element, i)) return false;
  }
  return true;
}

bool FormWriter::write_map(const Type& type, const void* object) {
  if (!enter()) return false;
  Cursor cursor;
  for (bool some = type.map->first(object, cursor); some; some = type.map->next(object, cursor)) {
    if (!write_entry(type, cursor)) return false;
  }
  --depth_;
  return true;
}

bool FormWriter::write_entry(const Type& type, const Cursor& cursor) {
  std::string name;
  if (!append_scalar(name, *type.key, cursor.key, style_, failure_)) return false;
  const Kind shape = shape_of(*type.element).kind;
  const bool is_list = shape == Kind::list || shape == Kind::array || shape == Kind::tuple;
  // As the reader takes keys apart.
  if ((!is_scalar(shape) && !is_list && name.find('.') != std::string::npos) ||
      (!is_scalar(shape) && name.ends_with("[]"))) {
    fail_invalid("this key cannot be in a form: its dots or brackets would be taken for others");
    return failure_.in_field(name);
  }
  const std::size_t size = push(name);
  if (!write(*type.element, cursor.value)) return failure_.in_field(name);
  key_.resize(size);
  return true;
}

bool FormWriter::write_variant(const VariantOperations& variant, const void* object) {
  const std::size_t index = variant.index(object);
  if (index >= variant.alternatives.size()) {
    return fail_invalid("a variant without a value cannot be written");
  }
  const Alternative& alternative = variant.alternatives[index];
  if (alternative.type == nullptr) return true;
  if (!enter()) return false;
  const std::size_t size = push(alternative.name);
  if (!write(*alternative.type, variant.get(object))) return failure_.in_field(alternative.name);
  key_.resize(size);
  --depth_;
  return true;
}

bool FormWriter::write_structure(const Type& type, const void* object) {
  if (!enter()) return false;
  for (const Field& field : type.members().fields()) {
    const void* member = static_cast<const char*>(object) + field.offset;
    if (field.variant != nullptr) {
      if (field.variant->index(member) != field.alternative) continue;
      member = field.variant->get(member);
    }
    const std::size_t size = push(field.name);
    if (!write(*field.type, member)) return failure_.in_field(field.name);
    key_.resize(size);
  }
  --depth_;
  return true;
}

}  // namespace
}  // namespace impl

Status encode_form_as(std::string& out, const Type& type, const void* object, const Limits& limits,
                      const FormOptions& options) {
  impl::FormWriter writer(out, limits, options);
  if (writer.write_form(type, object)) return {};
  writer.undo();
  return writer.status();
}

}  // namespace parley::codec
