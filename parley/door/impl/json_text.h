// Texts in the JSON of error bodies, which are written whatever is in them. Private to door. Pure.
#pragma once

#include <string>

namespace parley::door::impl {

// `text` in quotes; what is no UTF-8 has ? in place of its bytes.
void append_json_text(std::string& out, std::string text);

}  // namespace parley::door::impl
