// Reads a form whole, or cut into pieces, and says what was seen. For tests and fuzz programs only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/http/multipart.h"

namespace parley::http::testing {

struct SeenPart {
  std::string name{};
  std::string filename{};
  bool is_file = false;
  std::string content_type{};
  std::string data{};

  friend bool operator==(const SeenPart&, const SeenPart&) = default;
};

struct SeenForm {
  std::vector<SeenPart> parts;
  bool is_whole = false;
  Status error;

  friend bool operator==(const SeenForm&, const SeenForm&) = default;
};

// Pieces of `first` bytes, then of `others` each; 0 is all there are.
inline SeenForm read_form_cut(std::string_view boundary, std::string_view body,
                              const MultipartLimits& limits = default_multipart_limits,
                              std::size_t first = 0, std::size_t others = 0) {
  using Event = MultipartParser::Event;
  SeenForm seen;
  MultipartParser parser(boundary, limits);
  bool is_open = false;
  for (std::size_t size = first; !body.empty(); size = others) {
    // A copy of its own, so that reading beyond the piece is found.
    const std::string copy(body.substr(0, size == 0 ? body.size() : size));
    body.remove_prefix(copy.size());
    std::string_view piece = copy;
    for (;;) {
      const Result<Event> event = parser.next(piece);
      if (!event) {
        seen.error = event.error();
        return seen;
      }
      if (*event == Event::more) break;
      PARLEY_ASSERT(is_open == (*event == Event::data || *event == Event::part_end),
                    "events come in their order");
      if (*event == Event::part) {
        const Part& part = parser.part();
        seen.parts.push_back({part.name, part.filename, part.is_file, part.content_type, {}});
        is_open = true;
      }
      if (*event == Event::data) {
        PARLEY_ASSERT(!parser.data().empty(), "a piece is never empty");
        seen.parts.back().data += parser.data();
      }
      if (*event == Event::part_end) is_open = false;
      if (*event == Event::end) seen.is_whole = true;
    }
    PARLEY_ASSERT(piece.empty(), "more was asked for with bytes left");
  }
  seen.error = parser.finish();
  return seen;
}

}  // namespace parley::http::testing
