// What protobuf's conformance suite asks: reads a message in one form and writes it in another.
// Requests and responses are messages themselves, each behind its size in four bytes of this
// machine, on stdin and stdout. See ./dev conformance --help.
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "conformance.parley.h"
#include "google/protobuf/test_messages_proto3.parley.h"
#include "parley/codec/json.h"
#include "parley/codec/message_types.h"
#include "parley/codec/protobuf.h"

namespace {

using conformance::ConformanceRequest;
using conformance::ConformanceResponse;
using conformance::TestCategory;
using conformance::WireFormat;
using parley::Status;
using Message = protobuf_test_messages::proto3::TestAllTypesProto3;
using Answer = ConformanceResponse::result_at;
using Asked = ConformanceRequest::payload_at;

constexpr std::string_view message_name = "protobuf_test_messages.proto3.TestAllTypesProto3";

// Protobuf's own depth: a case nests as deep.
const parley::codec::Limits limits{.max_depth = 100};

template <std::size_t place>
ConformanceResponse answer(std::string text) {
  ConformanceResponse response;
  response.result.emplace<place>(std::move(text));
  return response;
}

ConformanceResponse answer_bytes(std::string_view bytes) {
  const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
  ConformanceResponse response;
  response.result.emplace<Answer::protobuf_payload>(first, first + bytes.size());
  return response;
}

parley::codec::JsonOptions json_options(TestCategory category) {
  static const parley::codec::MessageTypes types = [] {
    parley::codec::MessageTypes added;
    added.add<Message>(message_name);
    return added;
  }();
  return {.refuse_unknown_fields = category != TestCategory::JSON_IGNORE_UNKNOWN_PARSING_TEST,
          .protobuf_mapping = true,
          .message_types = &types};
}

ConformanceResponse written(const Message& message, const ConformanceRequest& request) {
  std::string out;
  Status status;
  switch (request.requested_output_format) {
    case WireFormat::PROTOBUF:
      status = parley::codec::encode_protobuf_to(out, message, limits);
      break;
    case WireFormat::JSON:
      status =
          parley::codec::encode_json_to(out, message, limits, json_options(request.test_category));
      break;
    default:
      return answer<Answer::skipped>("there is no such form here");
  }
  if (!status.is_ok()) return answer<Answer::serialize_error>(status.message());
  if (request.requested_output_format == WireFormat::PROTOBUF) return answer_bytes(out);
  return answer<Answer::json_payload>(std::move(out));
}

ConformanceResponse respond(const ConformanceRequest& request) {
  // The runner wants to know first which cases we expect to fail: it has a list.
  if (request.message_type == "conformance.FailureSet") return answer_bytes({});
  if (request.message_type != message_name) return answer<Answer::skipped>("proto3 only");
  Message message;
  Status status;
  if (const auto* const bytes = std::get_if<Asked::protobuf_payload>(&request.payload)) {
    const std::string_view view(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    status = parley::codec::decode_protobuf_into(view, message, limits);
  } else if (const auto* const text = std::get_if<Asked::json_payload>(&request.payload)) {
    status = parley::codec::decode_json_into(*text, message, limits,
                                             json_options(request.test_category));
  } else {
    return answer<Answer::skipped>("there is no such form here");
  }
  if (!status.is_ok()) return answer<Answer::parse_error>(status.message());
  return written(message, request);
}

bool read(std::span<char> bytes) {
  return std::fread(bytes.data(), 1, bytes.size(), stdin) == bytes.size();
}

bool write(std::string_view bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
}

template <class T>
std::span<char> bytes_of(T& number) {
  return {reinterpret_cast<char*>(&number), sizeof(number)};
}

}  // namespace

int main() {
  std::uint32_t size = 0;
  while (read(bytes_of(size))) {
    std::string request(size, '\0');
    if (!read(request)) return 1;
    const auto asked = parley::codec::decode_protobuf<ConformanceRequest>(request);
    const ConformanceResponse response =
        asked ? respond(*asked) : answer<Answer::runtime_error>(asked.error().message());
    const std::string out = parley::codec::encode_protobuf(response).value();
    size = static_cast<std::uint32_t>(out.size());
    const std::span<char> written_size = bytes_of(size);
    if (!write({written_size.data(), written_size.size()}) || !write(out)) return 1;
    if (std::fflush(stdout) != 0) return 1;
  }
  return 0;
}
