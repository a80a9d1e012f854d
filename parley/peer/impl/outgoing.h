// Outgoing: a message on its way out, and what was made of it before the session's lock is taken.
// Private to peer. A plain value.
#pragma once

#include <string>
#include <string_view>

#include "parley/base/bytes.h"
#include "parley/wire/filter.h"
#include "parley/wire/message.h"

namespace parley::impl {

struct Outgoing {
  wire::Message message;
  // Of a small body, which is copied to where it is sent from: instead of `message.body`.
  std::string_view text{};
  // The whole frame, where filters are the encoder's work, which takes long. Empty: the message is
  // to be encoded.
  std::string frame{};
};

// A body that went through filters, for the other sessions that the same message goes to.
struct FilteredBody {
  const wire::Filters* by = nullptr;  // null: none did so far
  Bytes body{};
};

}  // namespace parley::impl
