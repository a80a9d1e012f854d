#include "parley/gen/interface.h"

namespace parley::gen {

std::string text_of(const Place& place) {
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

}  // namespace parley::gen
