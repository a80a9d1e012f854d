// What the runtime itself has to tell: on stderr, whole, past any buffer. Any thread; not for
// signal handlers, which have their own. Private to rt.
#pragma once

#include <string_view>

namespace parley::rt::impl {

void say(std::string_view text);

}  // namespace parley::rt::impl
