// What the runtime itself has to tell: on stderr, whole, past any buffer. Any thread, and signal
// handlers too. Private to rt.
#pragma once

#include <string_view>

namespace parley::rt::impl {

void say(std::string_view text);

// From now on say() is this thread's alone: the program ends, and why must not be lost among what
// others, the monitor above all, have to tell.
void silence_others();

}  // namespace parley::rt::impl
