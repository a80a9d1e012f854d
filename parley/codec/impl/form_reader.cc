// The typed reader of forms: sorts the pairs into the tree that their keys mean, one level of the
// type at a time, since they may come in any order.
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "parley/codec/form.h"
#include "parley/codec/impl/failure.h"
#include "parley/codec/impl/form_pairs.h"
#include "parley/codec/impl/form_values.h"
#include "parley/codec/impl/member_rules.h"
#include "parley/codec/impl/represented.h"
#include "parley/codec/impl/scalar_text.h"
#include "parley/codec/impl/seen.h"
#include "parley/codec/members.h"

namespace parley::codec {
namespace impl {
namespace {

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }

constexpr std::string_view list_mark = "[]";

// Steps over the first name of the path; what follows its dot stays. A name before "[]" is taken
// without it.
std::string_view take_name(std::string_view& path) {
  const std::size_t dot = path.find('.');
  std::string_view name = path.substr(0, dot);
  if (dot != std::string_view::npos) {
    path.remove_prefix(dot + 1);
  } else {
    path = {};
    if (name.ends_with(list_mark)) name.remove_suffix(list_mark.size());
  }
  return name;
}

std::string_view take_whole(std::string_view& path, bool is_list) {
  std::string_view name = path;
  path = {};
  if (is_list && name.ends_with(list_mark)) name.remove_suffix(list_mark.size());
  return name;
}

bool is_list(Kind kind) { return kind == Kind::list || kind == Kind::array || kind == Kind::tuple; }

class FormReader {
 public:
  FormReader(const Limits& limits, const FormOptions& options, const ScalarStyle& style)
      : limits_(limits), options_(options), style_(style) {
    style_.room = &room_;
  }
  FormReader(const FormReader&) = delete;
  FormReader& operator=(const FormReader&) = delete;

  bool read_text(std::string_view text, const Type& type, void* object);
  bool read_values(std::span<const std::string_view> values, const Type& type, void* object);
  [[nodiscard]] Failure& failure() { return failure_; }
  [[nodiscard]] Status status() const { return failure_.status(); }

 private:
  using Pairs = std::span<FormPair>;

  struct Target {
    FormReader* reader;
    const Type* type;
    Pairs pairs;
  };
  // A pair and what it belongs to: a field, or an entry of a map.
  struct Sorted {
    std::size_t position;  // among the pairs: those of one name stay in order
    std::size_t field;
    std::string_view name;
    FormPair pair;
  };

  // All of `pairs` belong to `object`; never none.
  bool read(const Type& type, void* object, Pairs pairs);
  static bool read_target(void* target, void* object);

  [[gnu::noinline]] bool read_scalar(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_optional(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_represented(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_list(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_array(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_tuple(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_map(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_variant(const Type& type, void* object, Pairs pairs);
  [[gnu::noinline]] bool read_structure(const Type& type, void* object, Pairs pairs);

  // Sorts by field; unknown ones are left out.
  [[gnu::noinline]] bool sort_members(const Members& members, const void* object, Pairs pairs,
                                      std::vector<FormPair>& sorted,
                                      std::vector<std::size_t>& ends);
  [[gnu::noinline]] bool sort_entries(const Type& element, Pairs pairs,
                                      std::vector<FormPair>& sorted,
                                      std::vector<std::string_view>& names,
                                      std::vector<std::size_t>& ends);
  bool check_paths(Pairs pairs);
  bool check_element(const Type& type);
  bool enter();
  [[gnu::cold]] bool fail_invalid(std::string message);

  const Limits& limits_;
  const FormOptions& options_;
  ScalarStyle style_;
  std::size_t depth_ = 0;
  bool is_represented_ = false;  // what is read is taken over while the text is there
  std::string room_;
  Failure failure_;
  std::vector<std::uint64_t> more_seen_;
};

bool FormReader::fail_invalid(std::string message) {
  return failure_.set(Code::invalid_argument, std::move(message));
}

bool FormReader::enter() {
  if (depth_ < limits_.max_depth) {
    ++depth_;
    return true;
  }
  return failure_.set_depth(limits_.max_depth);
}

bool FormReader::read_text(std::string_view text, const Type& type, void* object) {
  const Type& shape = shape_of(type);
  if (!is_form(shape)) {
    return fail_invalid("a form is read into a struct or a map, not into an " +
                        std::string(name_of(shape.kind)));
  }
  FormPairs form;
  return form.split(text, limits_, failure_) && read(type, object, form.pairs());
}

bool FormReader::read_values(std::span<const std::string_view> values, const Type& type,
                             void* object) {
  std::vector<FormPair> pairs;
  for (const std::string_view value : values) {
    pairs.push_back({.path = {}, .value = value, .was_escaped = false});
  }
  return read(type, object, pairs);
}

bool FormReader::read(const Type& type, void* object, Pairs pairs) {
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
      return read_scalar(type, object, pairs);
    case Kind::optional:
      return read_optional(type, object, pairs);
    case Kind::list:
      return read_list(type, object, pairs);
    case Kind::array:
      return read_array(type, object, pairs);
    case Kind::tuple:
      return type.members().are_parameters() ? read_structure(type, object, pairs)
                                             : read_tuple(type, object, pairs);
    case Kind::map:
      return read_map(type, object, pairs);
    case Kind::variant:
      return read_variant(type, object, pairs);
    case Kind::structure:
      return read_structure(type, object, pairs);
    case Kind::represented:
      return read_represented(type, object, pairs);
  }
  return failure_.set(Code::internal, "a type table with an unknown kind");
}

bool FormReader::read_target(void* target, void* object) {
  const Target& self = *static_cast<Target*>(target);
  return self.reader->read(*self.type, object, self.pairs);
}

// Nothing may follow the key of a single value.
bool FormReader::check_paths(Pairs pairs) {
  for (const FormPair& pair : pairs) {
    if (pair.path.data() == nullptr) continue;
    fail_invalid("this is a single value without members");
    return failure_.in_field(pair.path);
  }
  return true;
}

bool FormReader::read_scalar(const Type& type, void* object, Pairs pairs) {
  if (!check_paths(pairs)) return false;
  if (pairs.size() > 1) return fail_invalid("the key appears twice");
  const Shown shown = is_represented_         ? Shown::taken_over
                      : options_.refuse_views ? Shown::refused
                      : pairs[0].was_escaped  ? Shown::never
                                              : Shown::as_it_is;
  return parse_scalar(pairs[0].value, type, object, style_, shown, failure_);
}

bool FormReader::read_optional(const Type& type, void* object, Pairs pairs) {
  const Kind kind = shape_of(type).kind;
  const bool may_be_empty = kind == Kind::string || kind == Kind::bytes || !is_scalar(kind);
  if (!may_be_empty && pairs.size() == 1 && pairs[0].value.empty() &&
      pairs[0].path.data() == nullptr) {
    type.optional->reset(object);
    return true;
  }
  return read(*type.element, type.optional->ensure(object), pairs);
}

bool FormReader::read_represented(const Type& type, void* object, Pairs pairs) {
  Target target{this, type.element, pairs};
  return take_represented(type, object, &read_target, &target, is_represented_, failure_);
}

bool FormReader::check_element(const Type& type) {
  return is_scalar(shape_of(type).kind) ||
         fail_invalid("a list of " + std::string(name_of(shape_of(type).kind)) +
                      "s cannot be in a form: use JSON");
}

bool FormReader::read_list(const Type& type, void* object, Pairs pairs) {
  if (!check_element(*type.element) || !check_paths(pairs)) return false;
  const ListOperations& list = *type.list;
  const bool is_apart = list.data == nullptr || list.append == nullptr;
  const std::size_t old_size = is_apart ? 0 : list.size(object);
  if (is_apart) list.truncate(object, 0);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pairs one = pairs.subspan(i, 1);
    Target target{this, type.element, one};
    bool is_read = false;
    if (list.append == nullptr) {
      is_read = list.insert(object, &read_target, &target);
    } else {
      is_read = read(
          *type.element,
          i < old_size ? at(list.data(object), i * type.element->size) : list.append(object), one);
    }
    if (!is_read) return failure_.in_index(i);
  }
  if (pairs.size() < old_size) list.truncate(object, pairs.size());
  return true;
}

bool FormReader::read_array(const Type& type, void* object, Pairs pairs) {
  if (!check_element(*type.element) || !check_paths(pairs)) return false;
  if (pairs.size() != type.count) return fail_arity(type.count, pairs.size(), failure_);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    void* const element = at(object, i * type.element->size);
    if (!read(*type.element, element, pairs.subspan(i, 1))) return failure_.in_index(i);
  }
  return true;
}

bool FormReader::read_tuple(const Type& type, void* object, Pairs pairs) {
  const std::span<const Field> fields = type.members().fields();
  if (!check_paths(pairs)) return false;
  if (pairs.size() != fields.size()) return fail_arity(fields.size(), pairs.size(), failure_);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Field& field = fields[i];
    if (!check_element(*field.type) ||
        !read(*field.type, at(object, field.offset), pairs.subspan(i, 1))) {
      return failure_.in_index(i);
    }
  }
  return true;
}

// The pairs of one key side by side.
bool FormReader::sort_entries(const Type& element, Pairs pairs, std::vector<FormPair>& sorted,
                              std::vector<std::string_view>& names,
                              std::vector<std::size_t>& ends) {
  const Kind shape = shape_of(element).kind;
  const bool takes_whole = is_scalar(shape) || is_list(shape);
  std::vector<Sorted> entries;
  for (FormPair pair : pairs) {
    if (pair.path.data() == nullptr) {
      return fail_invalid("expected the key of an entry behind a dot, as in key.entry=value");
    }
    const std::string_view name =
        takes_whole ? take_whole(pair.path, is_list(shape)) : take_name(pair.path);
    entries.push_back({.position = entries.size(), .field = 0, .name = name, .pair = pair});
  }
  std::ranges::sort(entries, {},
                    [](const Sorted& entry) { return std::pair(entry.name, entry.position); });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    sorted.push_back(entries[i].pair);
    if (i + 1 < entries.size() && entries[i + 1].name == entries[i].name) continue;
    names.push_back(entries[i].name);
    ends.push_back(i + 1);
  }
  return true;
}

bool FormReader::read_map(const Type& type, void* object, Pairs pairs) {
  if (!enter()) return false;
  MapSpare spare;
  type.map->clear(object, &spare);
  std::vector<FormPair> sorted;
  std::vector<std::string_view> names;
  std::vector<std::size_t> ends;
  if (!sort_entries(*type.element, pairs, sorted, names, ends)) return false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    FormPair key{.path = {}, .value = names[i], .was_escaped = true};
    Target target{this, type.key, Pairs(&key, 1)};
    bool is_new = false;
    void* const value = type.map->insert(object, &spare, &read_target, &target, is_new);
    if (value == nullptr) return failure_.in_field(names[i]);
    if (!is_new) return fail_invalid("the key appears twice") || failure_.in_field(names[i]);
    if (!read(*type.element, value, Pairs(sorted).subspan(start, ends[i] - start))) {
      return failure_.in_field(names[i]);
    }
    start = ends[i];
  }
  --depth_;
  return true;
}

bool FormReader::read_variant(const Type& type, void* object, Pairs pairs) {
  if (!enter()) return false;
  const VariantOperations& variant = *type.variant;
  std::string_view name;
  for (FormPair& pair : pairs) {
    if (pair.path.data() == nullptr) return fail_alternative(variant, {}, "nothing", failure_);
    const std::string_view taken = take_name(pair.path);
    if (name.data() != nullptr && taken != name) return fail_invalid("more than one alternative");
    name = taken;
  }
  for (std::size_t i = 0; i < variant.alternatives.size(); ++i) {
    const Alternative& alternative = variant.alternatives[i];
    if (alternative.type == nullptr || alternative.name != name) continue;
    if (!read(*alternative.type, variant.emplace(object, i), pairs)) {
      return failure_.in_field(name);
    }
    --depth_;
    return true;
  }
  return fail_alternative(variant, name, "nothing", failure_);
}

bool FormReader::sort_members(const Members& members, const void* object, Pairs pairs,
                              std::vector<FormPair>& sorted, std::vector<std::size_t>& ends) {
  std::vector<Sorted> entries;
  for (FormPair pair : pairs) {
    if (pair.path.data() == nullptr) {
      return fail_invalid("expected a member behind a dot, as in key.member=value");
    }
    const std::string_view whole = pair.path;
    std::size_t index = members.find(whole);  // a name may hold dots itself
    const std::string_view name = index == Members::npos ? take_name(pair.path) : whole;
    if (index == Members::npos) {
      index = members.find(name);
    } else {
      pair.path = {};
    }
    if (index != Members::npos) {
      entries.push_back({.position = entries.size(), .field = index, .name = name, .pair = pair});
    } else if (refuses_unknown(members, object, options_.refuse_unknown_fields)) {
      return fail_unknown_field(members, name, failure_) || failure_.in_field(name);
    }
  }
  std::ranges::sort(entries, {},
                    [](const Sorted& entry) { return std::pair(entry.field, entry.position); });
  ends.assign(members.fields().size(), 0);
  for (const Sorted& entry : entries) {
    sorted.push_back(entry.pair);
    ends[entry.field] = sorted.size();
  }
  return true;
}

bool FormReader::read_structure(const Type& type, void* object, Pairs pairs) {
  if (!enter()) return false;
  const Members& members = type.members();
  if (UnknownFields* const kept = members.unknown_fields(object)) *kept = {};
  std::vector<FormPair> sorted;
  std::vector<std::size_t> ends;
  if (!sort_members(members, object, pairs, sorted, ends)) return false;
  SeenFields seen(members.fields().size(), more_seen_);
  std::size_t start = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] == 0) continue;
    const Field& field = members.fields()[i];
    seen.mark(i);
    void* const value = field.variant == nullptr
                            ? at(object, field.offset)
                            : emplace_alternative(members, i, seen, object, failure_);
    if (value == nullptr) return false;
    if (!read(*field.type, value, Pairs(sorted).subspan(start, ends[i] - start))) {
      return failure_.in_field(field.name);
    }
    start = ends[i];
  }
  --depth_;
  return seen.count() == members.fields().size() ||
         reset_absent(members, seen, object, options_.require_all_fields, failure_,
                      EmptyIs::absent);
}

}  // namespace

bool read_values(std::span<const std::string_view> values, const Type& type, void* object,
                 const Limits& limits, bool refuse_views, Failure& failure) {
  const FormOptions options{.refuse_views = refuse_views};
  FormReader reader(limits, options, {.more_booleans = true, .limits = limits});
  if (reader.read_values(values, type, object)) return true;
  failure = std::move(reader.failure());
  return false;
}

}  // namespace impl

Status decode_form_as(std::string_view text, const Type& type, void* object, const Limits& limits,
                      const FormOptions& options) {
  impl::FormReader reader(limits, options, {.bytes_as_base64 = true, .limits = limits});
  if (reader.read_text(text, type, object)) return {};
  return reader.status();
}

}  // namespace parley::codec
