#include "parley/codec/yaml/impl/yaml_overrides.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "parley/base/suggest.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/members.h"

namespace parley::codec::impl {
namespace {

constexpr std::string_view separator = "__";
constexpr std::size_t max_shown_text = 64;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// "max-depth" as MAX_DEPTH.
std::string in_capitals(std::string_view name) {
  std::string out;
  for (const char c : name) {
    out += !is_letter_or_digit(c) ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

std::string in_small_letters(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool read_index(std::string_view text, std::size_t& index) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  return error == std::errc() && end == text.data() + text.size() &&
         (text.size() == 1 || text.front() != '0');
}

std::vector<std::string> parts_of(std::string_view name) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = name.find(separator);
    parts.emplace_back(name.substr(0, end));
    if (end == std::string_view::npos) return parts;
    name.remove_prefix(end + separator.size());
  }
}

// Indices first and by number, so that 10 comes behind 9.
bool comes_before(const std::string& a, const std::string& b) {
  std::size_t first = 0;
  std::size_t second = 0;
  const bool is_index = read_index(a, first);
  if (is_index != read_index(b, second)) return is_index;
  return is_index ? first < second : a < b;
}

// What a type is on the inside: optionals and representations are transparent here.
const Type& inside(const Type& type) {
  const Type* at = &type;
  while (at->kind == Kind::optional || at->kind == Kind::represented) at = at->element;
  return *at;
}

bool is_written_as_yaml(Kind kind) {
  switch (kind) {
    case Kind::json:
    case Kind::list:
    case Kind::array:
    case Kind::tuple:
    case Kind::map:
    case Kind::variant:
    case Kind::structure:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status YamlOverrides::fault(const Variable& variable, const std::string& message) {
  return Status(Code::invalid_argument,
                shortened(variable.variable->name, max_shown_text) + ": " + message);
}

Status YamlOverrides::collect(std::vector<Variable>& found) {
  for (const EnvironmentVariable& variable : options_.environment) {
    const std::string_view name = variable.name;
    if (!name.starts_with(options_.environment_prefix) ||
        std::ranges::find(options_.foreign_variables, name) != options_.foreign_variables.end()) {
      continue;
    }
    tree_.variables.push_back(shortened(name, max_shown_text));
    found.push_back({.variable = &variable,
                     .parts = parts_of(name.substr(options_.environment_prefix.size())),
                     .origin = static_cast<std::uint32_t>(tree_.variables.size())});
    if (found.back().parts.size() > options_.limits.max_depth) {
      return Status(Code::resource_exhausted, tree_.variables.back() +
                                                  ": too many parts (max_depth is " +
                                                  std::to_string(options_.limits.max_depth) + ")");
    }
    if (found.size() > options_.max_nodes) {
      return Status(Code::resource_exhausted, "too many variables that begin with " +
                                                  std::string(options_.environment_prefix) +
                                                  " (max_nodes is " +
                                                  std::to_string(options_.max_nodes) + ")");
    }
  }
  // The whole before its parts, and elements in order.
  std::ranges::sort(found, [](const Variable& a, const Variable& b) {
    if (a.parts == b.parts) return a.origin < b.origin;
    return std::ranges::lexicographical_compare(a.parts, b.parts, &comes_before);
  });
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i].parts == found[i - 1].parts) return fault(found[i], "it is there twice");
  }
  return {};
}

Status YamlOverrides::apply(const Type& type) {
  std::vector<Variable> found;
  if (Status status = collect(found); !status.is_ok()) return status;
  for (const Variable& variable : found) {
    YamlId made = none;
    const bool is_empty = tree_.at(tree_.root).what == YamlNode::What::null;
    Status status = put(type, is_empty ? none : tree_.root, variable, 0, made);
    if (!status.is_ok()) return status;
    tree_.root = made;
  }
  return {};
}

Status YamlOverrides::put(const Type& type, YamlId id, const Variable& variable, std::size_t at,
                          YamlId& made) {
  const Type& inner = inside(type);
  if (at == variable.parts.size()) return put_value(inner, variable, made);
  switch (inner.kind) {
    case Kind::structure:
      return put_member(inner, id, variable, at, made);
    case Kind::map:
      return put_entry(inner, id, variable, at, made);
    case Kind::list:
    case Kind::array:
    case Kind::tuple:
      return put_element(inner, id, variable, at, made);
    case Kind::variant:
      return put_alternative(inner, id, variable, at, made);
    case Kind::json:
      return fault(variable, "nothing is known about what is inside: set it as a whole, as YAML");
    default:
      return fault(variable, "there is nothing inside this value: \"" + std::string(separator) +
                                 shortened(variable.parts[at], max_shown_text) + "\" is too much");
  }
}

Status YamlOverrides::put_value(const Type& type, const Variable& variable, YamlId& made) {
  const std::string& value = variable.variable->value;
  if (is_written_as_yaml(type.kind)) {
    YamlOptions inside_options = options_;
    inside_options.limits.max_depth -= variable.parts.size();
    return parse_yaml(tree_, value, variable.origin, inside_options, made);
  }
  if (value.size() > options_.limits.max_string_bytes) {
    return Status(Code::resource_exhausted,
                  shortened(variable.variable->name, max_shown_text) + ": a text of " +
                      std::to_string(value.size()) + " bytes (max_string_bytes is " +
                      std::to_string(options_.limits.max_string_bytes) + ")");
  }
  YamlNode node;
  node.what = YamlNode::What::scalar;
  node.is_verbatim = true;
  node.origin = variable.origin;
  node.text = value;
  node.source = value.data();
  made = tree_.add(std::move(node));
  return {};
}

YamlId YamlOverrides::own(YamlId id, YamlNode::What what, const Variable& variable) {
  const bool is_there = id != none && tree_.at(id).what == what;
  if (is_there && tree_.at(id).is_own) return id;
  YamlNode node;
  if (is_there) node = tree_.at(id);
  if (!is_there) {
    node.what = what;
    node.origin = variable.origin;
  }
  node.is_own = true;
  return tree_.add(std::move(node));
}

Status YamlOverrides::put_under(const Type& type, YamlId map, const std::string& key,
                                const Variable& variable, std::size_t at) {
  const auto children = [&]() -> std::vector<YamlId>& { return tree_.nodes[map].children; };
  std::size_t place = 0;
  while (place < children().size() && tree_.at(children()[place]).text != key) place += 2;
  const bool is_there = place < children().size();
  YamlId value = none;
  Status status = put(type, is_there ? children()[place + 1] : none, variable, at + 1, value);
  if (!status.is_ok()) return status;
  if (is_there) {
    children()[place + 1] = value;
    return {};
  }
  YamlNode made_key;
  made_key.what = YamlNode::What::scalar;
  made_key.is_verbatim = true;
  made_key.origin = variable.origin;
  made_key.text = key;
  const YamlId key_id = tree_.add(std::move(made_key));
  children().push_back(key_id);
  children().push_back(value);
  return {};
}

Status YamlOverrides::put_member(const Type& type, YamlId id, const Variable& variable,
                                 std::size_t at, YamlId& made) {
  const std::span<const Field> fields = type.members().fields();
  std::vector<std::string> known;
  for (const Field& field : fields) {
    known.push_back(in_capitals(field.name));
    if (known.back() != variable.parts[at]) continue;
    made = own(id, YamlNode::What::map, variable);
    std::vector<YamlId>& children = tree_.nodes[made].children;
    if (field.variant != nullptr) {
      // Another alternative of the file makes way.
      for (const Field& other : fields) {
        if (other.variant == nullptr || other.offset != field.offset || &other == &field) continue;
        for (std::size_t i = 0; i < children.size(); i += 2) {
          if (tree_.at(children[i]).text != other.name) continue;
          const auto begin = children.begin() + static_cast<std::ptrdiff_t>(i);
          children.erase(begin, begin + 2);
          break;
        }
      }
    }
    return put_under(*field.type, made, std::string(field.name), variable, at);
  }
  return unknown(variable, at, known);
}

Status YamlOverrides::put_entry(const Type& type, YamlId id, const Variable& variable,
                                std::size_t at, YamlId& made) {
  const std::string& part = variable.parts[at];
  made = own(id, YamlNode::What::map, variable);
  const std::vector<YamlId>& children = tree_.at(made).children;
  std::optional<std::string> key;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    const std::string& there = tree_.at(children[i]).text;
    if (in_capitals(there) != part) continue;
    if (key) {
      return fault(variable, "both \"" + shortened(*key, max_shown_text) + "\" and \"" +
                                 shortened(there, max_shown_text) + "\" could be meant");
    }
    key = there;
  }
  if (part.empty()) return fault(variable, "a part of the name is empty");
  return put_under(*type.element, made, key ? *key : in_small_letters(part), variable, at);
}

Status YamlOverrides::put_element(const Type& type, YamlId id, const Variable& variable,
                                  std::size_t at, YamlId& made) {
  const std::string shown_part = shortened(variable.parts[at], max_shown_text);
  std::size_t index = 0;
  if (!read_index(variable.parts[at], index)) {
    return fault(variable, "expected the index of an element, got \"" + shown_part + '"');
  }
  made = own(id, YamlNode::What::list, variable);
  const std::size_t size = tree_.at(made).children.size();
  if (index > size || index >= options_.limits.max_elements) {
    return fault(variable, "there are " + std::to_string(size) + " elements, so the next is " +
                               std::to_string(size) + ", not " + shown_part);
  }
  const Type* element = type.element;
  if (type.kind == Kind::tuple) {
    const std::span<const Field> fields = type.members().fields();
    if (index >= fields.size()) {
      return fault(variable, "there are only " + std::to_string(fields.size()) + " elements");
    }
    element = fields[index].type;
  }
  YamlId value = none;
  Status status =
      put(*element, index < size ? tree_.at(made).children[index] : none, variable, at + 1, value);
  if (!status.is_ok()) return status;
  std::vector<YamlId>& children = tree_.nodes[made].children;
  if (index < size) {
    children[index] = value;
  } else {
    children.push_back(value);
  }
  return {};
}

Status YamlOverrides::put_alternative(const Type& type, YamlId id, const Variable& variable,
                                      std::size_t at, YamlId& made) {
  std::vector<std::string> known;
  for (const Alternative& alternative : type.variant->alternatives) {
    if (alternative.type == nullptr) continue;
    known.push_back(in_capitals(alternative.name));
    if (known.back() != variable.parts[at]) continue;
    made = own(id, YamlNode::What::map, variable);
    std::vector<YamlId>& children = tree_.nodes[made].children;
    if (!children.empty() && tree_.at(children.front()).text != alternative.name) children.clear();
    return put_under(*alternative.type, made, std::string(alternative.name), variable, at);
  }
  return unknown(variable, at, known);
}

Status YamlOverrides::unknown(const Variable& variable, std::size_t at,
                              const std::vector<std::string>& known) const {
  const std::string& part = variable.parts[at];
  const std::vector<std::string_view> names(known.begin(), known.end());
  std::string before(options_.environment_prefix);
  for (std::size_t i = 0; i < at; ++i) before += variable.parts[i] + std::string(separator);
  std::string message = "nothing is set by this variable";
  const auto near = part.size() <= max_shown_text ? nearest(part, names) : std::nullopt;
  if (near) {
    message += ", did you mean " + before + std::string(*near);
    for (std::size_t i = at + 1; i < variable.parts.size(); ++i) {
      message += std::string(separator) + variable.parts[i];
    }
    return fault(variable, message + "?");
  }
  constexpr std::size_t most = 12;
  for (std::size_t i = 0; i < known.size() && i < most; ++i) {
    message += (i == 0 ? ": there are " : ", ") + before + known[i];
  }
  return fault(variable, message + (known.size() > most ? ", ..." : ""));
}

}  // namespace parley::codec::impl
