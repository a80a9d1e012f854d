// What stands where a session has its stream and its framing, when its other side has neither: on
// the stream nothing ever comes but the end, and in the framing nothing can be asked. Private to
// peer.
#pragma once

#include <memory>
#include <string>

#include "parley/net/address.h"
#include "parley/net/stream.h"
#include "parley/wire/framing.h"

namespace parley::impl {

// `protocol`: what the other side speaks, for errors.
std::unique_ptr<net::Stream> make_foreign_stream(const net::Address& local,
                                                 const net::Address& remote,
                                                 const std::string& protocol);
std::shared_ptr<const wire::Framing> make_foreign_framing(const std::string& protocol);

}  // namespace parley::impl
