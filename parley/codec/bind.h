// Fills the fields whose rules say that their value is not in the body (from_metadata(),
// from_path(), from_query(), from_session(): rule_words.h) from where it is.
//
//   codec::SourceValues sources;
//   sources.add(codec::Source::path, "id", "42");
//   Status status = codec::bind_from(request, sources);      // after decoding, before validate()
//
// A bound field is never taken from the body: what decoding put there goes, so that nobody can say
// in a body who they are. It gets the value of the first source, of metadata, path, query and
// session in this order, that its rules name and that has one; without one its default; or, when it
// is required(), bind_from() fails. Decoding asks for no bound field. A type without bound fields,
// and what is inside it, is passed by without a look.
//
// Values are texts as in plain.h; booleans are true, on, 1, false, off and 0; bytes are the bytes
// themselves; an empty text is an empty optional (but "" of an optional text); a list takes all
// values of its name, anything else exactly one. Fields are bound wherever they are: in structs,
// tuples, lists, maps, variants and what an optional holds; but not inside a std::set and behind a
// Representation, which is failed_precondition.
//
// Pure functions: safe on every thread and fiber, where the sources are; at the default depth they
// need less than 32 KiB of stack.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/status.h"
#include "parley/codec/limits.h"
#include "parley/codec/rules.h"
#include "parley/codec/type.h"

namespace parley::codec {

// Where bound values come from.
class Sources {
 public:
  Sources() = default;
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;
  virtual ~Sources() = default;

  // Appends the values of this name, in order; nothing when there is none. They must live as long
  // as what is bound where that has views (std::string_view) of them, else until bind_from()
  // returns.
  virtual void find(Source source, std::string_view name,
                    std::vector<std::string_view>& values) const = 0;
};

// A few values, held here; names are looked for one after the other, letter by letter. Not for use
// by several threads while values are added.
class SourceValues final : public Sources {
 public:
  void add(Source source, std::string name, std::string value);
  void find(Source source, std::string_view name,
            std::vector<std::string_view>& values) const override;

 private:
  struct Value {
    Source source;
    std::string name;
    std::string value;
  };
  std::vector<Value> values_;
};

struct BindOptions {
  // max_depth counts structs, lists and maps inside each other, max_elements the values of a name,
  // max_string_bytes the bytes of a value.
  Limits limits{};
  bool refuse_views = false;  // where the sources do not live on
};

// For callers that have a table instead of a type. `object` must be of that type.
Status bind_from_as(const Type& type, void* object, const Sources& sources,
                    const BindOptions& options = {});

// Whether bind_from_as() has anything to look for in values of this type. Quick.
bool has_bindings(const Type& type);

// invalid_argument, or what otherwise() says, with the path of the field and where its value came
// from, when a value does not fit or a required one is missing; resource_exhausted beyond a limit.
// After an error the object is valid, with some fields bound.
template <class T>
Status bind_from(T& value, const Sources& sources, const BindOptions& options = {}) {
  return bind_from_as(type_of<T>(), &value, sources, options);
}

}  // namespace parley::codec
