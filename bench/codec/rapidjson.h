// What the RapidJSON contestants share. Those that parse do so with full precision and validate
// UTF-8, as Parley's codec always does: by default the parse is inexact for one in eight doubles of
// 17 digits, and takes any bytes for text. Validating, RapidJSON looks at texts byte by byte; so
// one contestant has simdjson validate the whole first, and looks at 16 bytes at a time
// (RAPIDJSON_SSE2).
#pragma once

#include <rapidjson/reader.h>

#include "parley/base/status.h"
#include "task.h"

namespace parley::bench {

inline constexpr unsigned parse_flags =
    rapidjson::kParseFullPrecisionFlag | rapidjson::kParseValidateEncodingFlag;
inline constexpr unsigned prechecked_parse_flags = rapidjson::kParseFullPrecisionFlag;

void add_rapidjson_writer(Table& table);
void add_rapidjson_dom(Table& table);
void add_rapidjson_sax(Table& table);

}  // namespace parley::bench
