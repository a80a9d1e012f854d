// What the runtime itself has to tell: on stderr, whole, past any buffer. Any thread, and signal
// handlers too. Private to rt.
#pragma once

#include <string_view>

namespace parley::rt::impl {

void say(std::string_view text);

}  // namespace parley::rt::impl
