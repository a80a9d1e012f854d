// YAML configuration into C++ types, overridden by the environment. Any type that has a table
// (type.h) will do: what is a message elsewhere is a configuration here, without another line.
//
//   struct Server { std::string host = "0.0.0.0"; std::uint16_t port = 8080; };
//   struct Shop { std::vector<Server> servers; std::chrono::milliseconds timeout{500}; };
//
//   # shop.yaml
//   timeout: 1m30s
//   servers:
//     - {host: tea.example, port: 8443}
//     - port: 8080
//
//   RealFiles files;
//   std::vector<codec::EnvironmentVariable> environment = codec::process_environment("PARLEY_");
//   auto shop = codec::load_yaml<Shop>(files, "/etc/shop.yaml", {.environment = environment});
//   if (!shop) return shop.error();   // /etc/shop.yaml:4:27: servers[0].port: 70000 does not fit
//                                     // uint16 (0 to 65535)
//
// The type of the field decides what a text means, so that nothing is guessed:
// * into a std::string goes any text as it stands, `no`, `1.20` and `2026-11-21` too;
// * a bool is true or false; yes, no, on and off are errors that say what to write;
// * an integer is decimal, 0x1F or 0o17; one that begins with 0 is refused, since it was octal in
//   YAML 1.1 and is decimal in 1.2; a float may also be .inf and .nan;
// * a duration is 250ms, 1m30s, 1.5h or 0.250s: units d h m s ms us ns, the largest first; what is
//   finer than the unit of the field is cut off, downwards;
// * a point in time is RFC 3339; an enum its name or number; bytes are base64; a variant is a map
//   with the name of one alternative; codec::Json takes anything and keeps it as JSON;
// * null (nothing at all, ~ or null) is for std::optional, std::unique_ptr and codec::Json only.
// A field that is absent keeps the default of its own struct: what an outer one's initialiser says
// (`Server main{.port = 8443}`) holds when `main` is absent as a whole. An unknown key is refused
// with the nearest name, unless the type ignores or keeps unknown fields (fields.h); keys at the
// top that begin with `x-` are free, as a place for anchors. A key twice is refused.
// Anchors, aliases and merge keys (`<<: *base`; own keys win) work; what they grow to is counted
// against the limits. One document; tags other than !!str, !!binary, !!map and !!seq are refused.
//
// The environment goes before the file: PARLEY_SERVERS__0__PORT=8080 is servers[0].port. `__`
// stands between the parts; a part is a field's name in capitals, with `_` for what is no letter or
// digit; the key of a map, in small letters unless the file has it; or the index of a list as the
// file has it (defaults are not there yet), at most one behind its end. A single value is taken as
// it is; a struct, a list or a map is written as YAML: PARLEY_TEAS='[oolong, sencha]'. A variable
// with the prefix that fits nothing is refused with the nearest name, and errors begin with the
// variable's name.
//
// Errors are invalid_argument, resource_exhausted at a limit, and what the file system says.
//
// Pure functions: safe on every thread and fiber. yaml-cpp below needs more stack than JSON does:
// at the default depth 128 KiB are enough; reading a file blocks its thread (files.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/files.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/codec/limits.h"
#include "parley/codec/type.h"

namespace parley::codec {

namespace impl {
struct YamlTree;
}

struct EnvironmentVariable {
  std::string name;
  std::string value;
};

// Those of the process whose name begins with `prefix`. Nobody may change the environment of the
// process meanwhile, as for getenv().
std::vector<EnvironmentVariable> process_environment(std::string_view prefix);

struct YamlOptions {
  // What errors call the text. Functions that read a file put its path here.
  std::string_view file = "yaml";
  // max_bytes also bounds all texts together once aliases are put in place; max_depth counts lists
  // and maps inside each other.
  Limits limits{.max_bytes = std::size_t{4} << 20, .max_string_bytes = std::size_t{1} << 20};
  // Values and keys, once aliases and merge keys are put in place.
  std::size_t max_nodes = 100'000;
  // Skip keys that the type does not know. What is said beside a type goes before it.
  bool ignore_unknown_fields = false;
  // Refuse types that show parts of the text (std::string_view), where it does not live on. They
  // are always refused where a file is read.
  bool refuse_views = false;
  // Overrides, when decoding; empty: none. Of these, variables without the prefix are ignored: for
  // process_environment("SHOP_") the prefix has to be said here as well.
  std::span<const EnvironmentVariable> environment{};
  std::string_view environment_prefix = "PARLEY_";
  // Variables that begin with the prefix and are somebody else's.
  std::span<const std::string_view> foreign_variables{};
};

// A text that has been parsed: for queries (path_query.h), or to be decoded piece by piece. Cheap
// to copy, never changes. Safe on every thread.
class YamlDocument {
 public:
  // The environment plays no part here.
  static Result<YamlDocument> parse(std::string_view text, const YamlOptions& options = {});
  static Result<YamlDocument> load(Files& files, const std::string& path,
                                   const YamlOptions& options = {});

  // The whole document, with what `options` says of decoding. After an error `object` is valid,
  // with some members decoded. Views are refused: they would show this document.
  Status decode_as(const Type& type, void* object, const YamlOptions& options = {}) const;

  template <class T>
  [[nodiscard]] Result<T> as(const YamlOptions& options = {}) const {
    T value{};
    Status status = decode_as(type_of<T>(), &value, options);
    if (!status.is_ok()) return status;
    return value;
  }

 private:
  friend class PathQuery;
  explicit YamlDocument(std::shared_ptr<const impl::YamlTree> tree) : tree_(std::move(tree)) {}

  std::shared_ptr<const impl::YamlTree> tree_;
};

// For callers that have a table instead of a type. `object` must be of that type. After an error it
// is valid, with some members decoded.
Status decode_yaml_as(std::string_view text, const Type& type, void* object,
                      const YamlOptions& options = {});
Status load_yaml_as(Files& files, const std::string& path, const Type& type, void* object,
                    const YamlOptions& options = {});

// Decodes over `value`: nothing of its old content is left.
template <class T>
Status decode_yaml_into(std::string_view text, T& value, const YamlOptions& options = {}) {
  return decode_yaml_as(text, type_of<T>(), &value, options);
}

template <class T>
Result<T> decode_yaml(std::string_view text, const YamlOptions& options = {}) {
  T value{};
  Status status = decode_yaml_as(text, type_of<T>(), &value, options);
  if (!status.is_ok()) return status;
  return value;
}

// The file at `path`, at most limits.max_bytes of it.
template <class T>
Result<T> load_yaml(Files& files, const std::string& path, const YamlOptions& options = {}) {
  T value{};
  Status status = load_yaml_as(files, path, type_of<T>(), &value, options);
  if (!status.is_ok()) return status;
  return value;
}

}  // namespace parley::codec
