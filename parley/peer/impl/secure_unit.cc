#include "parley/peer/impl/secure_unit.h"

#include <optional>
#include <string_view>
#include <utility>

#include "parley/wire/metadata.h"

namespace parley::impl {
namespace {

using wire::Message;
using wire::MessageType;

bool has_status(MessageType type) {
  return type == MessageType::reply || type == MessageType::end || type == MessageType::auth_reply;
}

void put_number(std::string& out, std::uint64_t number, std::size_t bytes) {
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes) & 0xFFU);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size(), 4);
  out += text;
}

// Reads from the front; once something is missing, all that follows is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t number = 0;
    for (const char byte : take(bytes)) number = number << 8U | static_cast<unsigned char>(byte);
    return number;
  }
  std::string text() { return std::string(take(static_cast<std::size_t>(number(4)))); }
  [[nodiscard]] bool is_fine() const { return is_fine_; }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::string_view take(std::size_t size) {
    if (!is_fine_ || size > bytes_.size() - at_) {
      is_fine_ = false;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  const std::string_view bytes_;
  std::size_t at_ = 0;
  bool is_fine_ = true;
};

Status read_status(Reader& reader) {
  const auto code = static_cast<Code>(reader.number(1));
  const auto business = static_cast<std::int32_t>(reader.number(4));
  const std::string message = reader.text();
  const std::string cause = reader.text();
  if (code == Code::ok) return {};
  return Status(code > Code::outcome_unknown ? Code::unknown : code, message)
      .with_cause(cause)
      .with_business_code(business);
}

// Nothing when there are too many.
std::optional<wire::Metadata> read_metadata(Reader& reader) {
  const std::uint64_t count = reader.number(4);
  if (count > max_secure_entries) return {};
  wire::Metadata metadata;
  for (std::uint64_t i = 0; i < count && reader.is_fine(); ++i) {
    std::string key = reader.text();
    std::string value = reader.text();
    metadata.add(std::move(key), std::move(value));
  }
  return metadata;
}

}  // namespace

Bytes secure_unit_of(const Message& message) {
  if (message.type == MessageType::data) return message.body;
  std::string head;
  if (has_status(message.type)) {
    const Status& status = message.status;
    put_number(head, static_cast<std::uint64_t>(status.code()), 1);
    put_number(head, static_cast<std::uint32_t>(status.business_code()), 4);
    put_text(head, status.message());
    put_text(head, status.cause());
  }
  put_number(head, message.metadata.size(), 4);
  for (const auto& [key, value] : message.metadata) {
    put_text(head, key);
    put_text(head, value);
  }
  Bytes unit = Bytes::from(std::move(head));
  unit.append(message.body);
  return unit;
}

Status read_secure_unit(const Bytes& unit, Message& message) {
  if (message.type == MessageType::data) {
    message.body = unit;
    return {};
  }
  Bytes whole = unit;
  Reader reader(whole.flatten());
  Status status;
  if (has_status(message.type)) status = read_status(reader);
  std::optional<wire::Metadata> metadata = read_metadata(reader);
  if (!metadata || !reader.is_fine()) {
    return {Code::data_loss, "what was sealed is no status, metadata and body"};
  }
  message.status = std::move(status);
  message.metadata = *std::move(metadata);
  message.body = whole.slice(reader.at(), whole.size());
  return {};
}

std::string beside_secure_unit(const Message& message, std::uint64_t place) {
  const MessageType type = message.type;
  const bool is_on_stream = type == MessageType::data || type == MessageType::end;
  std::string out;
  put_number(out, static_cast<std::uint64_t>(type), 1);
  put_number(out, is_on_stream && message.own ? 1 : 0, 1);
  // Not every framing has the number of a PUSH.
  const bool has_seq = type != MessageType::push;
  put_number(out, has_seq ? static_cast<std::uint32_t>(message.seq) : 0, 4);
  put_number(out, place, 8);
  out += is_on_stream ? '\0' : static_cast<char>(message.body_codec);
  const std::string_view filters = is_on_stream ? std::string_view() : message.filters.ids();
  put_number(out, filters.size(), 1);
  out += filters;
  out += message.method;
  return out;
}

}  // namespace parley::impl
