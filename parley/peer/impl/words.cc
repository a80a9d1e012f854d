#include "parley/peer/impl/words.h"

#include <chrono>
#include <source_location>

namespace parley::impl {

std::size_t held_by(const wire::Message& request) {
  std::size_t bytes = request.body.size();
  for (const auto& [key, value] : request.metadata) {
    bytes += sizeof(wire::Metadata::Entry) + key.size() + value.size();
  }
  return bytes;
}

std::string printable(std::string text) {
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = '?';
  }
  return text;
}

std::string in_milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         " ms";
}

Status as_answer(Status status) {
  const bool not_sent = status.code() == Code::not_sent;
  if (!not_sent && status.code() != Code::outcome_unknown) return status;
  return Status(not_sent ? Code::unavailable : Code::unknown, status.message(),
                std::source_location())
      .with_cause(status.cause())
      .with_business_code(status.business_code());
}

}  // namespace parley::impl
