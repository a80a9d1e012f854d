// Fuzzes what the secure plugin reads. The first byte says what the rest is:
//  - the beginning of a session: refused, or made of the very bytes its parts are;
//  - what was sealed: refused, or what the message had before;
//  - a sealed message: nobody has sealed it, so it is refused and changes nothing.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "parley/base/assert.h"
#include "parley/crypto/sealed_sequence.h"
#include "parley/peer/impl/secure_envelope.h"
#include "parley/peer/impl/secure_hello.h"
#include "parley/peer/impl/secure_unit.h"

namespace {

using namespace parley;
using namespace parley::impl;
using wire::Message;
using wire::MessageType;

constexpr std::array types{MessageType::call,      MessageType::reply,     MessageType::push,
                           MessageType::open,      MessageType::data,      MessageType::end,
                           MessageType::auth_call, MessageType::auth_reply};

void begin(std::string_view bytes) {
  const auto hello = SecureHello::parse(bytes);
  if (!hello) return;
  PARLEY_ASSERT(hello->bytes == bytes, "a hello is not what came");
  const std::string parts =
      hello->random + hello->public_key + hello->proof + hello->identity + hello->signature;
  PARLEY_ASSERT(bytes.ends_with(parts) && bytes.size() == 14 + parts.size(), "a part is missing");
  SecureIdentity identity;
  identity.shared_key = crypto::Secret::zeros(32);
  identity.proof_key = proof_key_of(identity.shared_key).value();
  PARLEY_ASSERT(!check_hello(*hello, identity, hello->terms, "before").is_ok(),
                "who does not have the key was believed");
}

void read_unit(std::string_view bytes, MessageType type, std::size_t cut) {
  Message message{.type = type};
  Bytes unit = Bytes::copy_of(bytes.substr(0, cut));
  unit.append(Bytes::copy_of(bytes.substr(cut)));
  if (!read_secure_unit(unit, message).is_ok()) return;
  Message again{.type = type};
  const Status status = read_secure_unit(secure_unit_of(message), again);
  PARLEY_ASSERT(status.is_ok() && again == message, "what was read is not what is written");
}

void open(std::string_view bytes, MessageType type, bool is_always) {
  crypto::SequenceOptions options;
  options.side = crypto::Side::listener;
  options.salt = std::string(64, 's');
  options.window = 4;
  SecureEnvelope envelope(crypto::derive_sequences(crypto::Secret::zeros(32), options).value(),
                          is_always, options.max_message_bytes);
  Message message{.seq = 1, .type = type, .body = Bytes::copy_of(bytes)};
  message.metadata.add("X-Sealed", std::string(bytes));
  const Message before = message;
  PARLEY_ASSERT(!envelope.open(message, 0).is_ok(), "what nobody has sealed was opened");
  PARLEY_ASSERT(message == before, "what was refused was changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const MessageType type = types.at(data[0] / 4 % types.size());
  switch (data[0] % 4) {
    case 0:
      begin(bytes);
      break;
    case 1:
      read_unit(bytes, type, bytes.size() * (data[0] / 32) / 8);
      break;
    default:
      open(bytes, type, data[0] % 4 == 2);
  }
  return 0;
}
