// What is sealed of a message, and what stands beside it (docs/protocols/secure.md). Private to
// peer.
//
// Pure functions, safe anywhere.
//
//   auto sealed = sequence.seal(secure_unit_of(message), beside_secure_unit(message, place));
//   ...
//   Status status = read_secure_unit(unit, message);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "parley/base/bytes.h"
#include "parley/base/status.h"
#include "parley/wire/message.h"

namespace parley::impl {

// Entries of metadata that a unit may have.
inline constexpr std::size_t max_secure_entries = 4'096;

// Status (of an answer and an END), metadata and body; of DATA the body alone. The body's blocks
// are shared.
Bytes secure_unit_of(const wire::Message& message);
// Puts them into the message of that type. data_loss when it is no unit; then the message is what
// it was.
Status read_secure_unit(const Bytes& unit, wire::Message& message);

// What both sides know of the message and nobody may change: its type, number, codec, filters and
// method, and its place on its stream.
std::string beside_secure_unit(const wire::Message& message, std::uint64_t place);

}  // namespace parley::impl
