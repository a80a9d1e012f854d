// When a bug ends the program on a fiber, tells which one and where: after the message of an
// assert, before that of an exception nobody catches. Private to rt.
#pragma once

namespace parley::rt::impl {

// For the whole process, once. A terminate handler that was there before is called afterwards.
void install_last_words();

}  // namespace parley::rt::impl
