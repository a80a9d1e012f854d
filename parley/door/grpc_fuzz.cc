// Fuzzes what gRPC reads from strangers. The first byte says how the rest is cut; then
//  - a body of messages, cut in any way, gives the same messages and the same verdict;
//  - no message is larger than its limit, and those of it that are written again are read the same;
//  - details of an error, passed on, leave the cause of another one as it is;
//  - undoing a compressed one never makes more than the limit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/assert.h"
#include "parley/door/grpc_details.h"
#include "parley/door/grpc_framing.h"
#include "parley/door/grpc_head.h"

namespace parley::door {
namespace {

constexpr std::size_t limit = 300;  // small, so that the fuzzer meets it

struct Came {
  std::vector<GrpcMessage> messages;
  Code end = Code::ok;
  bool is_between = false;
};

Came read(std::string_view bytes, std::size_t piece, bool web) {
  GrpcReader reader({.max_message = limit, .takes_trailers = web});
  Came came;
  while (!bytes.empty()) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    for (;;) {
      GrpcMessage message;
      const Result<bool> there = reader.next(now, message);
      if (!there) {
        came.end = there.error().code();
        return came;
      }
      if (!*there) break;
      came.messages.push_back(std::move(message));
      if (now.empty()) break;
    }
    PARLEY_ASSERT(now.empty(), "more was asked for with bytes left");
  }
  came.is_between = reader.is_between();
  return came;
}

void check(std::string_view bytes, std::size_t piece, bool web) {
  const Came whole = read(bytes, bytes.size(), web);
  const Came cut = read(bytes, piece, web);
  PARLEY_ASSERT(whole.end == cut.end && whole.is_between == cut.is_between,
                "a cut changes the end");
  PARLEY_ASSERT(whole.messages.size() == cut.messages.size(), "a cut changes how many there are");
  std::string again;
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    const GrpcMessage& one = whole.messages[i];
    PARLEY_ASSERT(one.bytes == cut.messages[i].bytes, "a cut changes a message");
    PARLEY_ASSERT(one.bytes.size() <= limit, "more than the limit");
    const auto plain = take_message(one, GrpcCoding::gzip, limit);
    PARLEY_ASSERT(!plain || plain->size() <= limit, "what comes out is more than the limit");
    PARLEY_ASSERT(put_grpc_message(again, one.bytes, GrpcCoding::gzip).is_ok(), "no memory");
  }
  const Came back = read(again, again.size(), false);
  PARLEY_ASSERT(back.messages.size() == whole.messages.size(), "what is written is not read");
  for (std::size_t i = 0; i < back.messages.size(); ++i) {
    const auto plain = take_message(back.messages[i], GrpcCoding::gzip, limit);
    PARLEY_ASSERT(plain && *plain == whole.messages[i].bytes, "another message is read");
  }
}

// Whatever details a handler passes on, those of its own status are there, and all have room.
void check_details(std::string_view bytes) {
  const Status status = Status(Code::aborted, "fuzz").with_cause("more");
  const std::string details = write_grpc_details(status, bytes);
  PARLEY_ASSERT(!details.empty() && details.size() <= most_grpc_details_bytes, "too large");
  PARLEY_ASSERT(with_grpc_details(Status(Code::aborted, "fuzz"), details) == status,
                "details of another change what a status says");
}

}  // namespace
}  // namespace parley::door

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parley::door;  // NOLINT(google-build-using-namespace): what is fuzzed
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(bytes, 1 + data[0] / 2, data[0] % 2 == 1);
  PARLEY_ASSERT(
      unescape_grpc_message(escape_grpc_message(bytes.substr(0, 600))) == bytes.substr(0, 600),
      "a message changes on its way");
  check_details(bytes);
  return 0;
}
