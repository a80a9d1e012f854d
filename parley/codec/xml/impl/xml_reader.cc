// The typed reader: single values.
#include "parley/codec/xml/impl/xml_reader.h"

#include <algorithm>

#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/represented.h"
#include "parley/codec/xml/impl/xml_characters.h"

namespace parley::codec::impl {
namespace {

constexpr std::size_t max_shown = 64;

bool is_nil(pugi::xml_node node) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    const std::string_view name = attribute.name();
    if (local_name(name) != "nil" || prefix_of(name).empty()) continue;
    const std::string_view value = attribute.value();
    return value == "true" || value == "1";
  }
  return false;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(xml_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(xml_space) + 1 - first);
}

std::string without_space(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (xml_space.find(c) == std::string_view::npos) out += c;
  }
  return out;
}

// The spellings of XML Schema and of Go.
std::string_view plain_number(std::string_view text) {
  for (const std::string_view word : {"INF", "+INF", "Inf", "+Inf"}) {
    if (text == word) return "Infinity";
  }
  return text == "-INF" || text == "-Inf" ? "-Infinity" : text;
}

}  // namespace

Status XmlReader::read_text(std::string_view text, const Type& type, void* object) {
  bool is_read = tree_.parse(text, style_.limits);
  if (!is_read) {
    fail(tree_.problem().offset, tree_.problem().message, tree_.problem().code);
  } else {
    const pugi::xml_node root = tree_.root();
    const std::string_view name = root.name();
    if (!options_.root.empty() && options_.root != name && options_.root != local_name(name)) {
      is_read = fail_name(root, options_.root);
    } else {
      is_read = read(type, Place{.node = root}, object);
    }
  }
  if (is_read) return {};
  const Status status = failure_.status();
  return Status(status.code(), std::string(status.message()) + tree_.place(failed_));
}

std::size_t XmlReader::offset_of(const Place& place) const {
  if (tree_.holds(place.text)) return tree_.offset_of(place.text);
  return tree_.offset_of(place.node.name()) - 1;
}

bool XmlReader::fail(std::size_t offset, std::string message, Code code) {
  failed_ = offset;
  return failure_.set(code, std::move(message));
}

bool XmlReader::fail_name(pugi::xml_node node, std::string_view expected) {
  return fail(Place{.node = node}, "expected <" + std::string(expected) + ">, got <" +
                                       shortened(node.name(), max_shown) + ">");
}

bool XmlReader::fail_text(pugi::xml_node text) {
  const std::string_view shown = trimmed(text.value());
  return fail(tree_.offset_of(text.value()), "expected elements, got the text \"" +
                                                 shortened(escaped_json(shown), max_shown) + '"');
}

bool XmlReader::fail_element(const Type& type, pugi::xml_node node) {
  return fail(Place{.node = node}, "expected a single value (" + std::string(name_of(type.kind)) +
                                       "), got the element <" + shortened(node.name(), max_shown) +
                                       ">");
}

bool XmlReader::fail_nil(const Place& place) {
  return fail(place, "nil is for std::optional and std::unique_ptr only: leave the element out");
}

bool XmlReader::fail_size(const Place& place, std::size_t size) {
  return fail(offset_of(place),
              "a text of " + std::to_string(size) + " bytes, more than max_string_bytes (" +
                  std::to_string(style_.limits.max_string_bytes) + ")",
              Code::resource_exhausted);
}

bool XmlReader::read(const Type& type, const Place& place, void* object) {
  if (type.kind != Kind::optional && type.kind != Kind::represented && place.text == nullptr &&
      place.node.first_attribute() && is_nil(place.node)) {
    return fail_nil(place);
  }
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
      return read_single(type, place, object);
    case Kind::optional:
      return read_optional(type, place, object);
    case Kind::list:
      return read_list(type, place, object);
    case Kind::array:
      return read_array(type, place, object);
    case Kind::tuple:
      return read_tuple(type, place, object);
    case Kind::map:
      return read_map(type, place, object);
    case Kind::variant:
      return read_variant(type, place, object);
    case Kind::structure:
      return read_structure(type, place, object);
    case Kind::represented:
      return read_represented(type, place, object);
  }
  return fail(offset_of(place), "a type table with an unknown kind", Code::internal);
}

bool XmlReader::read_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->read(*self.type, self.place, object);
}

bool XmlReader::read_optional(const Type& type, const Place& place, void* object) {
  if (place.text == nullptr && is_nil(place.node)) {
    type.optional->reset(object);
    return true;
  }
  return read(*type.element, place, type.optional->ensure(object));
}

bool XmlReader::read_represented(const Type& type, const Place& place, void* object) {
  Target target{.reader = this, .type = type.element, .place = place};
  return take_represented(type, object, &read_target, &target, is_represented_,
                          [&](const Status& status) {
                            return fail(offset_of(place), status.message(), status.code());
                          });
}

bool XmlReader::read_single(const Type& type, const Place& place, void* object) {
  if (place.text == nullptr && !check_attributes(place)) return false;
  std::string_view text;
  if (!text_of(type, place, text)) return false;
  failed_ = offset_of(place);
  return set_single(type, text, object);
}

// The texts and CDATA of an element as one.
bool XmlReader::text_of(const Type& type, const Place& place, std::string_view& text) {
  if (place.text != nullptr) {
    text = place.text;
    return true;
  }
  std::size_t pieces = 0;
  for (const pugi::xml_node child : place.node.children()) {
    if (child.type() == pugi::node_element) return fail_element(type, child);
    ++pieces;
    if (pieces == 1) {
      text = child.value();
      continue;
    }
    if (pieces == 2) room_.assign(text);
    room_ += child.value();
  }
  if (pieces > 1) text = room_;
  return text.size() <= style_.limits.max_string_bytes || fail_size(place, text.size());
}

bool XmlReader::set_single(const Type& type, std::string_view text, void* object) {
  switch (type.kind) {
    case Kind::string:
      static_cast<std::string*>(object)->assign(text);  // the whole has been found to be UTF-8
      return true;
    case Kind::bytes:
      if (type.bytes->is_view && !is_represented_) return set_view(type, text, object);
      if (!type.bytes->is_text && text.find_first_of(xml_space) != std::string_view::npos) {
        const std::string compact = without_space(text);
        return parse_scalar(compact, type, object, style_, Shown::taken_over, failure_);
      }
      break;
    case Kind::float32:
    case Kind::float64:
      text = plain_number(trimmed(text));
      break;
    default:
      text = trimmed(text);
  }
  return parse_scalar(text, type, object, style_, Shown::taken_over, failure_);
}

bool XmlReader::set_view(const Type& type, std::string_view text, void* object) {
  const auto source = tree_.in_source(text);
  const Shown shown = options_.refuse_views ? Shown::refused
                      : source              ? Shown::as_it_is
                                            : Shown::never;
  if (source) text = *source;
  return parse_scalar(text, type, object, style_, shown, failure_);
}

}  // namespace parley::codec::impl
