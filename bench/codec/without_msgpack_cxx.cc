// Stands in for msgpack-cxx where it was not found when this was configured.
#include "msgpack_rows.h"

namespace parley::bench {

void add_msgpack_cxx(Table& table) {
  table.missing["msgpack_cxx"] =
      "msgpack-cxx was not installed when this build was configured (Debian: libmsgpack-cxx-dev)";
}

}  // namespace parley::bench
