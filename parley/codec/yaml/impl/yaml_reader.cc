// The typed reader: scalars.
#include "parley/codec/yaml/impl/yaml_reader.h"

#include <algorithm>
#include <utility>

#include "parley/base/base64.h"
#include "parley/codec/impl/integers.h"
#include "parley/codec/impl/json_number.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/time_text.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown_text = 64;

// Base64 in a block is broken into lines.
std::string without_space(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\n') out += c;
  }
  return out;
}

bool is_integer_form(YamlNumber::Form form) {
  return form == YamlNumber::Form::integer || form == YamlNumber::Form::leading_zero ||
         form == YamlNumber::Form::huge;
}

}  // namespace

YamlId yaml_node_at(const YamlTree& tree, std::span<const std::uint32_t> steps) {
  YamlId id = tree.root;
  for (const std::uint32_t step : steps) {
    const YamlNode& node = tree.at(id);
    id = node.children[node.what == YamlNode::What::map ? std::size_t{step} * 2 + 1 : step];
  }
  return id;
}

namespace {

// Adds the way to a place to a failure at it.
void add_steps(const YamlTree& tree, std::span<const std::uint32_t> steps, Failure& failure) {
  for (std::size_t i = steps.size(); i-- > 0;) {
    const YamlNode& around = tree.at(yaml_node_at(tree, steps.first(i)));
    if (around.what == YamlNode::What::map) {
      failure.in_field(tree.at(around.children[std::size_t{steps[i]} * 2]).text);
    } else {
      failure.in_index(steps[i]);
    }
  }
}

// Messages begin with "$.port: "; a file begins with what it holds.
std::string_view without_root(std::string_view text) {
  if (text.starts_with("$: ")) return text.substr(3);
  if (text.starts_with("$.") && !text.starts_with("$...")) return text.substr(2);
  return text.starts_with('$') ? text.substr(1) : text;
}

}  // namespace

std::string yaml_path(const YamlTree& tree, std::span<const std::uint32_t> steps) {
  Failure way;
  way.set(Code::internal, {});
  add_steps(tree, steps, way);
  const Status status = way.status();
  const std::string_view path = without_root(status.message());
  return std::string(path.substr(0, path.size() - std::min<std::size_t>(path.size(), 2)));
}

Status YamlReader::read_document(const Type& type, void* object) {
  document_ = tree_.root;
  is_document_ = true;
  return read_at(type, {}, object);
}

Status YamlReader::read_at(const Type& type, std::span<const std::uint32_t> steps, void* object) {
  if (read(type, yaml_node_at(tree_, steps), object)) return {};
  add_steps(tree_, steps, failure_);
  const Status status = failure_.status();
  return Status(status.code(),
                tree_.place_of(failed_) + ": " + std::string(without_root(status.message())));
}

bool YamlReader::fail(YamlId id, std::string message, Code code) {
  failed_ = id;
  return failure_.set(code, std::move(message));
}

bool YamlReader::fail_type(YamlId id, std::string_view expected) {
  const YamlNode& node = tree_.at(id);
  std::string message = "expected " + std::string(expected) + ", got " + shown(node);
  if (node.what == YamlNode::What::null) message += ": write a value, or leave the key out";
  return fail(id, std::move(message));
}

bool YamlReader::expect(YamlId id, YamlNode::What what, std::string_view expected) {
  return tree_.at(id).what == what || fail_type(id, expected);
}

bool YamlReader::expect_plain(YamlId id, std::string_view expected) {
  if (!expect(id, YamlNode::What::scalar, expected)) return false;
  if (!tree_.at(id).is_text || in_key_) return true;
  return fail(id, "expected " + std::string(expected) + ", got " + shown(tree_.at(id)) +
                      ": write it without quotes");
}

bool YamlReader::read(const Type& type, YamlId id, void* object) {
  switch (type.kind) {
    case Kind::boolean:
      return read_boolean(id, *static_cast<bool*>(object));
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32:
    case Kind::uint64:
      return read_integer(type, id, object);
    case Kind::float32:
    case Kind::float64:
      return read_real(type, id, object);
    case Kind::string:
      return read_string(id, *static_cast<std::string*>(object));
    case Kind::bytes:
      return read_bytes(*type.bytes, id, object);
    case Kind::json:
      return read_json(id, static_cast<Json*>(object)->text);
    case Kind::enumeration:
      return read_enumeration(type, id, object);
    case Kind::duration:
    case Kind::instant:
      return read_time(type, id, object);
    case Kind::optional:
      return read_optional(type, id, object);
    case Kind::list:
      return read_list(type, id, object);
    case Kind::array:
      return read_array(type, id, object);
    case Kind::tuple:
      return read_tuple(type, id, object);
    case Kind::map:
      return read_map(type, id, object);
    case Kind::variant:
      return read_variant(type, id, object);
    case Kind::structure:
      return read_structure(type, id, object);
    case Kind::represented:
      return read_represented(type, id, object);
  }
  return fail(id, "a type table with an unknown kind", Code::internal);
}

bool YamlReader::read_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->read(*self.type, self.id, object);
}

bool YamlReader::read_boolean(YamlId id, bool& value) {
  if (!expect_plain(id, "true or false")) return false;
  const std::string_view text = tree_.at(id).text;
  if (read_yaml_boolean(text, value)) return true;
  const std::string_view meant = meant_boolean(text);
  if (meant.empty()) return fail_type(id, "true or false");
  return fail(
      id, "expected true or false, got " + shown(tree_.at(id)) + ": write " + std::string(meant));
}

bool YamlReader::fail_leading_zero(YamlId id) {
  const std::string& text = tree_.at(id).text;
  std::string_view digits = text;
  while (!digits.empty() && (digits.front() < '1' || digits.front() > '9')) digits.remove_prefix(1);
  std::string message = shortened(text, max_shown_text) +
                        " begins with 0, which is octal to some and decimal to others";
  if (!digits.empty() && digits.find_first_of("89") == std::string_view::npos &&
      digits.size() <= max_shown_text && text.front() == '0') {
    return fail(id, message + ": write 0o" + std::string(digits) + " or " + std::string(digits));
  }
  return fail(id, message + ": write it without");
}

bool YamlReader::read_integer(const Type& type, YamlId id, void* object) {
  if (!expect_plain(id, "an integer")) return false;
  const std::string& text = tree_.at(id).text;
  const YamlNumber number = scan_yaml_number(text);
  if (number.form == YamlNumber::Form::leading_zero) return fail_leading_zero(id);
  if (number.form == YamlNumber::Form::real) {
    return fail(id, "expected an integer, got " + shortened(text, max_shown_text) +
                        ": write it without point and exponent");
  }
  if (!is_integer_form(number.form)) return fail_type(id, "an integer");
  const IntegerRange range = range_of(type.kind);
  JsonNumber parsed;
  const bool fits = number.form != YamlNumber::Form::huge &&
                    scan_json_number(number.json, parsed) == nullptr && parsed.has_all_digits &&
                    parsed.digits <= (parsed.negative ? range.min : range.max);
  if (!fits) {
    failed_ = id;
    return fail_range(shortened(text, max_shown_text), range, failure_);
  }
  store_integer(object, type.size, parsed.negative ? 0 - parsed.digits : parsed.digits);
  return true;
}

bool YamlReader::read_real(const Type& type, YamlId id, void* object) {
  if (!expect_plain(id, "a number")) return false;
  const YamlNumber number = scan_yaml_number(tree_.at(id).text);
  const bool is_double = type.kind == Kind::float64;
  if (number.form == YamlNumber::Form::special) {
    if (is_double) {
      *static_cast<double*>(object) = number.special;
    } else {
      *static_cast<float*>(object) = static_cast<float>(number.special);
    }
    return true;
  }
  if (number.form == YamlNumber::Form::leading_zero) return fail_leading_zero(id);
  if (number.form == YamlNumber::Form::huge) {
    return fail(id, shortened(tree_.at(id).text, max_shown_text) +
                        " is too large for a hexadecimal or octal number: write it as decimal");
  }
  JsonNumber parsed;
  if (number.form == YamlNumber::Form::no_number ||
      scan_json_number(number.json, parsed) != nullptr) {
    return fail_type(id, "a number");
  }
  const bool fits = is_double ? to_float64(parsed, *static_cast<double*>(object))
                              : to_float32(parsed, *static_cast<float*>(object));
  if (fits) return true;
  return fail(id, shortened(tree_.at(id).text, max_shown_text) + " does not fit " +
                      (is_double ? "double" : "float"));
}

bool YamlReader::read_string(YamlId id, std::string& value) {
  const YamlNode& node = tree_.at(id);
  if (node.what == YamlNode::What::null) {
    return fail(id,
                "expected a text, got nothing (null): write \"\" for an empty one, or the word"
                " in quotes");
  }
  if (!expect(id, YamlNode::What::scalar, "a text")) return false;
  value.assign(node.text);
  return true;
}

bool YamlReader::read_bytes(const BytesOperations& bytes, YamlId id, void* object) {
  if (!expect(id, YamlNode::What::scalar, bytes.is_text ? "a text" : "bytes in base64")) {
    return false;
  }
  const YamlNode& node = tree_.at(id);
  const bool must_live_on = bytes.is_view && !is_represented_;
  if (must_live_on && options_.refuse_views) {
    return fail(id, "a view would show text that is gone: use std::string or a vector");
  }
  if (bytes.is_text) {
    if (must_live_on && node.source == nullptr) {
      return fail(id,
                  "a view shows only what stands in the text as it is, without escapes and"
                  " broken lines: use std::string");
    }
    bytes.set(object, must_live_on ? std::string_view(node.source, node.text.size())
                                   : std::string_view(node.text));
    return true;
  }
  if (must_live_on) {
    return fail(id, "bytes are base64 in YAML, which a view cannot show: use a vector");
  }
  if (!decode_base64(without_space(node.text), taken_)) {
    return fail_type(id, "bytes in base64");
  }
  bytes.set(object, taken_);
  return true;
}

bool YamlReader::read_json(YamlId id, std::string& text) {
  std::string out;
  if (!append_json(id, out)) return false;
  text = std::move(out);
  return true;
}

bool YamlReader::read_enumeration(const Type& type, YamlId id, void* object) {
  if (!expect(id, YamlNode::What::scalar, "the name of a " + std::string(type.name))) return false;
  const YamlNode& node = tree_.at(id);
  for (const EnumValue& value : type.enumeration->values) {
    if (value.name != node.text) continue;
    store_integer(object, type.size, static_cast<std::uint64_t>(value.value));
    return true;
  }
  if (!node.is_text && is_integer_form(scan_yaml_number(node.text).form)) {
    return read_integer(*type.element, id, object);
  }
  failed_ = id;
  return fail_enumeration(type, node.text, failure_);
}

bool YamlReader::read_time(const Type& type, YamlId id, void* object) {
  const bool is_instant = type.kind == Kind::instant;
  const std::string_view expected =
      is_instant ? "a time as in 2026-11-21T09:30:00Z" : "a duration as in 250ms or 1m30s";
  if (!expect(id, YamlNode::What::scalar, expected)) return false;
  const YamlNode& node = tree_.at(id);
  Seconds time;
  if (!(is_instant ? read_instant(node.text, time) : read_yaml_duration(node.text, time))) {
    std::string message = "expected " + std::string(expected) + ", got " + shown(node);
    const bool is_number = scan_yaml_number(node.text).form == YamlNumber::Form::integer;
    if (!is_instant && is_number) message += ": write the unit, d h m s ms us or ns";
    return fail(id, std::move(message));
  }
  if (type.time->set(object, time)) return true;
  return fail(id, shown(node) + " does not fit the unit and size of this " +
                      (is_instant ? "time" : "duration"));
}

bool YamlReader::append_json_scalar(YamlId id, std::string& out) {
  const YamlNode& node = tree_.at(id);
  bool truth = false;
  if (!node.is_text && is_yaml_null(node.text)) {
    out += "null";
    return true;
  }
  if (!node.is_text && read_yaml_boolean(node.text, truth)) {
    out += truth ? "true" : "false";
    return true;
  }
  const YamlNumber number = node.is_text ? YamlNumber() : scan_yaml_number(node.text);
  switch (number.form) {
    case YamlNumber::Form::no_number:
      out.append("\"").append(escaped_json(node.text)).append("\"");
      return true;
    case YamlNumber::Form::integer:
    case YamlNumber::Form::real:
      out += number.json;
      return true;
    case YamlNumber::Form::leading_zero:
      return fail_leading_zero(id);
    case YamlNumber::Form::special:
    case YamlNumber::Form::huge:
      break;
  }
  return fail(
      id, "JSON has no number " + shortened(node.text, max_shown_text) + ": write it in quotes");
}

bool YamlReader::append_json(YamlId id, std::string& out) {
  const YamlNode& node = tree_.at(id);
  switch (node.what) {
    case YamlNode::What::null:
      out += "null";
      return true;
    case YamlNode::What::scalar:
      return append_json_scalar(id, out);
    case YamlNode::What::list:
      out += '[';
      for (std::size_t i = 0; i < node.children.size(); ++i) {
        if (i > 0) out += ',';
        if (!append_json(node.children[i], out)) return failure_.in_index(i);
      }
      out += ']';
      return true;
    case YamlNode::What::map:
      break;
  }
  out += '{';
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    const std::string& key = tree_.at(node.children[i]).text;
    out.append(i > 0 ? ",\"" : "\"").append(escaped_json(key)).append("\":");
    if (!append_json(node.children[i + 1], out)) return failure_.in_field(key);
  }
  out += '}';
  return true;
}

}  // namespace parley::codec::impl
