#include "parley/peer/impl/secure_envelope.h"

#include <optional>
#include <string>
#include <utility>

#include "parley/peer/impl/secure_unit.h"
#include "parley/peer/plugins/secure.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

// Where it stands in a message that has no body.
constexpr std::string_view sealed_key = "X-Sealed";

bool has_no_body(MessageType type) { return type == MessageType::open || type == MessageType::end; }

bool says_true(const wire::Metadata& metadata, std::string_view key) {
  return metadata.get(key) == "true";
}

Status not_as_sealed(const Message& message, const Status& why) {
  std::string type(wire::name_of(message.type));
  return Status(Code::unauthenticated,
                "secure: this " + type +
                    " is not as the other side of this session has sealed it: it was "
                    "changed, came in clear or again, or is of another session")
      .with_cause(why.message());
}

}  // namespace

Envelope::Cover SecureEnvelope::cover_of(const wire::Metadata& question) const {
  if (is_always_) return {.question = true, .answer = true};
  const bool is_sealed = says_true(question, secure_key);
  const bool says = question.get(accept_secure_key).has_value();
  return {.question = is_sealed,
          .answer = says ? says_true(question, accept_secure_key) : is_sealed};
}

bool SecureEnvelope::is_closed(const Message& answer) const {
  return is_always_ || says_true(answer.metadata, secure_key);
}

Status SecureEnvelope::close(Message& message, std::uint64_t place) {
  Result<Bytes> sealed =
      sequences_.sealing.seal(secure_unit_of(message), beside_secure_unit(message, place));
  if (!sealed) return sealed.error().with_context("secure");
  message.status = {};
  message.metadata = {};
  message.body = {};
  if (has_no_body(message.type)) {
    message.metadata.add(std::string(sealed_key), sealed->to_string());
  } else {
    message.body = *std::move(sealed);
  }
  if (!is_always_ && message.type != MessageType::data) {
    message.metadata.add(std::string(secure_key), "true");
  }
  return {};
}

Status SecureEnvelope::open(Message& message, std::uint64_t place) {
  Bytes sealed = message.body;
  if (has_no_body(message.type)) {
    sealed = Bytes::copy_of(message.metadata.get(sealed_key).value_or(""));
  }
  if (sealed.size() > most_bytes_ + crypto::sequence_overhead) {
    return {Code::resource_exhausted, "SecureOptions::max_message_bytes: a message of " +
                                          std::to_string(sealed.size()) + " bytes came, sealed"};
  }
  const Result<Bytes> unit = sequences_.opening.open(sealed, beside_secure_unit(message, place));
  const Status status = unit ? read_secure_unit(*unit, message) : unit.error();
  return status.is_ok() ? Status() : not_as_sealed(message, status);
}

}  // namespace parley::impl
