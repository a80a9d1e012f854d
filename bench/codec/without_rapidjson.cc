// Stands in for RapidJSON where it was not found when this was configured.
#include "json.h"

namespace parley::bench {

void add_rapidjson(Table& table) {
  table.missing["rapidjson"] = table.missing["rapidjson_sax"] =
      "RapidJSON was not installed when this build was configured (Debian: rapidjson-dev)";
}

}  // namespace parley::bench
