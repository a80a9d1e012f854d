// Stands in for libprotobuf where it was not found when this was configured.
#include "protobuf_rows.h"

namespace parley::bench {

void add_libprotobuf(Table& table) {
  table.missing["libprotobuf"] = table.missing["libprotobuf_arena"] =
      "libprotobuf was not installed when this build was configured (Debian: libprotobuf-dev and "
      "protobuf-compiler)";
}

}  // namespace parley::bench
