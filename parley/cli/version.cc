#include "parley/cli/version.h"

#include "parley/cli/impl/build_info.h"
#include "parley/codec/json.h"

namespace parley::cli {
namespace {

// The keys of `parley version -o json`: a promise to scripts.
struct Version {
  std::string version{impl::build_version};
  std::string revision{impl::build_revision};
  std::string compiler{impl::build_compiler};
  std::string build_type{impl::build_type};
};

}  // namespace

std::string version_text() {
  const Version version;
  const std::string revision = version.revision.empty() ? "no revision" : version.revision;
  return "parley " + version.version + " (" + revision + ", " + version.compiler + ", " +
         version.build_type + ")\n";
}

std::string version_json() {
  const auto text = codec::encode_json(Version{});
  return (text ? *text : std::string("{}")) + "\n";
}

}  // namespace parley::cli
