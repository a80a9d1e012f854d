// The interop cases of gRPC, after their public description, with gRPC C++ as the client:
//   grpc_interop_client 127.0.0.1:4711 empty_unary large_unary ...
// Prints a line for each case, "empty_unary ok" or what was wrong.
#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "interop.grpc.pb.h"

// Of libgrpc, in no header of it: the flags of the message that came last.
// NOLINTNEXTLINE(readability-identifier-naming): its name
std::uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace {

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using namespace grpc::testing;  // NOLINT(google-build-using-namespace): the messages

constexpr std::array<std::int32_t, 4> sizes_there = {27182, 8, 1828, 45904};
constexpr std::array<std::int32_t, 4> sizes_back = {31415, 9, 2653, 58979};
// Among those flags: as it travels, and once it was unpacked.
constexpr std::uint32_t was_compressed = 0x80000000U | 0x40000000U;
const char* const initial_name = "x-grpc-test-echo-initial";
const char* const trailing_name = "x-grpc-test-echo-trailing-bin";
const std::string initial_value = "test_initial_metadata_value";
const std::string trailing_value = "\xab\xab\xab";
const std::string special =
    "\t\ntest with whitespace\r\nand Unicode BMP \xe2\x98\xba and non-BMP \xf0\x9f\x98\x88\t\n";

std::string zeros(std::int32_t size) { return std::string(static_cast<std::size_t>(size), '\0'); }

// What was wrong first.
class Verdict {
 public:
  void expect(bool is_so, const std::string& what) {
    if (!is_so && wrong_.empty()) wrong_ = what;
  }
  void expect_end(const Status& status, StatusCode code) {
    expect(status.error_code() == code,
           "it ended with " + std::to_string(status.error_code()) + ", " + status.error_message());
  }
  void expect_end(const Status& status, StatusCode code, const std::string& message) {
    expect_end(status, code);
    expect(status.error_message() == message, "its message is " + status.error_message());
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  std::string wrong_;
};

// A call that may take long enough for a slow machine, and no longer.
struct Call {
  Call() { context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30)); }
  // Whether the message that came last was compressed.
  bool has_compressed() {
    const std::uint32_t flags = grpc_call_test_only_get_message_flags(context.c_call());
    return (flags & was_compressed) != 0;
  }
  void tell_metadata() {
    context.AddMetadata(initial_name, initial_value);
    context.AddMetadata(trailing_name, trailing_value);
  }
  void expect_metadata(Verdict& verdict) {
    const auto& initial = context.GetServerInitialMetadata();
    const auto head = initial.find(initial_name);
    verdict.expect(head != initial.end() && head->second == initial_value,
                   "the initial metadata are not as they were sent");
    const auto& trailing = context.GetServerTrailingMetadata();
    const auto tail = trailing.find(trailing_name);
    verdict.expect(tail != trailing.end() && tail->second == trailing_value,
                   "the trailing metadata are not as they were sent");
  }
  ClientContext context;
};

SimpleRequest large_request() {
  SimpleRequest request;
  request.set_response_size(314159);
  request.mutable_payload()->set_body(zeros(271828));
  return request;
}

StreamingOutputCallRequest asking(std::int32_t size_there, std::int32_t size_back) {
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(size_back);
  request.mutable_payload()->set_body(zeros(size_there));
  return request;
}

using Stub = TestService::Stub;

void empty_unary(Stub& stub, Verdict& verdict) {
  Call call;
  Empty answer;
  verdict.expect_end(stub.EmptyCall(&call.context, Empty(), &answer), StatusCode::OK);
  verdict.expect(answer.ByteSizeLong() == 0, "the answer is not empty");
}

void large_unary(Stub& stub, Verdict& verdict) {
  Call call;
  SimpleResponse answer;
  verdict.expect_end(stub.UnaryCall(&call.context, large_request(), &answer), StatusCode::OK);
  verdict.expect(answer.payload().body() == zeros(314159), "the answer is another one");
  verdict.expect(!call.has_compressed(), "the answer is compressed");
}

void compressed_unary(Stub& stub, Verdict& verdict) {
  Call call;
  call.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  SimpleRequest request = large_request();
  request.mutable_expect_compressed()->set_value(true);
  request.mutable_response_compressed()->set_value(true);
  SimpleResponse answer;
  verdict.expect_end(stub.UnaryCall(&call.context, request, &answer), StatusCode::OK);
  verdict.expect(answer.payload().body() == zeros(314159), "the answer is another one");
  verdict.expect(call.has_compressed(), "the answer is not compressed");
}

void client_streaming(Stub& stub, Verdict& verdict) {
  Call call;
  StreamingInputCallResponse answer;
  const auto writer = stub.StreamingInputCall(&call.context, &answer);
  for (const std::int32_t size : sizes_there) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(zeros(size));
    verdict.expect(writer->Write(request), "a message did not go");
  }
  writer->WritesDone();
  verdict.expect_end(writer->Finish(), StatusCode::OK);
  verdict.expect(answer.aggregated_payload_size() == 74922, "the sum is wrong");
}

// The first message compressed, the second one not.
void compressed_client_streaming(Stub& stub, Verdict& verdict) {
  Call call;
  call.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  StreamingInputCallResponse answer;
  const auto writer = stub.StreamingInputCall(&call.context, &answer);
  StreamingInputCallRequest request;
  request.mutable_payload()->set_body(zeros(27182));
  request.mutable_expect_compressed()->set_value(true);
  verdict.expect(writer->Write(request), "the first message did not go");
  request.mutable_payload()->set_body(zeros(45904));
  request.mutable_expect_compressed()->set_value(false);
  verdict.expect(writer->Write(request, grpc::WriteOptions().set_no_compression()),
                 "the second message did not go");
  writer->WritesDone();
  verdict.expect_end(writer->Finish(), StatusCode::OK);
  verdict.expect(answer.aggregated_payload_size() == 73086, "the sum is wrong");
}

void server_streaming_of(Stub& stub, Call& call, bool is_compressed, Verdict& verdict) {
  StreamingOutputCallRequest request;
  for (const std::int32_t size : sizes_back) {
    ResponseParameters& one = *request.add_response_parameters();
    one.set_size(size);
    if (is_compressed) one.mutable_compressed()->set_value(true);
  }
  const auto reader = stub.StreamingOutputCall(&call.context, request);
  std::size_t count = 0;
  for (StreamingOutputCallResponse answer; reader->Read(&answer); ++count) {
    verdict.expect(count < sizes_back.size(), "there are more messages than asked for");
    const std::int32_t size = sizes_back[count % sizes_back.size()];
    verdict.expect(answer.payload().body() == zeros(size), "a message is another one");
    // Of small ones it is the server's choice.
    verdict.expect(size < 1024 || call.has_compressed() == is_compressed,
                   is_compressed ? "a message is not compressed" : "a message is compressed");
  }
  verdict.expect_end(reader->Finish(), StatusCode::OK);
  verdict.expect(count == sizes_back.size(), "not all messages came");
}

void server_streaming(Stub& stub, Verdict& verdict) {
  Call call;
  server_streaming_of(stub, call, false, verdict);
}

void compressed_server_streaming(Stub& stub, Verdict& verdict) {
  Call call;
  call.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  server_streaming_of(stub, call, true, verdict);
}

void ping_pong(Stub& stub, Verdict& verdict) {
  Call call;
  const auto stream = stub.FullDuplexCall(&call.context);
  StreamingOutputCallResponse answer;
  for (std::size_t i = 0; i < sizes_there.size(); ++i) {
    verdict.expect(stream->Write(asking(sizes_there.at(i), sizes_back.at(i))),
                   "a message did not go");
    verdict.expect(stream->Read(&answer), "a message did not come");
    verdict.expect(answer.payload().body() == zeros(sizes_back.at(i)), "a message is another one");
  }
  stream->WritesDone();
  verdict.expect(!stream->Read(&answer), "a message came that nobody asked for");
  verdict.expect_end(stream->Finish(), StatusCode::OK);
}

void empty_stream(Stub& stub, Verdict& verdict) {
  Call call;
  const auto stream = stub.FullDuplexCall(&call.context);
  stream->WritesDone();
  StreamingOutputCallResponse answer;
  verdict.expect(!stream->Read(&answer), "a message came that nobody asked for");
  verdict.expect_end(stream->Finish(), StatusCode::OK);
}

void cancel_after_begin(Stub& stub, Verdict& verdict) {
  Call call;
  StreamingInputCallResponse answer;
  const auto writer = stub.StreamingInputCall(&call.context, &answer);
  call.context.TryCancel();
  verdict.expect_end(writer->Finish(), StatusCode::CANCELLED);
}

void cancel_after_first_response(Stub& stub, Verdict& verdict) {
  Call call;
  const auto stream = stub.FullDuplexCall(&call.context);
  StreamingOutputCallResponse answer;
  verdict.expect(stream->Write(asking(27182, 31415)), "the message did not go");
  verdict.expect(stream->Read(&answer), "the message did not come");
  verdict.expect(answer.payload().body() == zeros(31415), "the message is another one");
  call.context.TryCancel();
  verdict.expect_end(stream->Finish(), StatusCode::CANCELLED);
}

void timeout_on_sleeping_server(Stub& stub, Verdict& verdict) {
  Call call;
  call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  const auto stream = stub.FullDuplexCall(&call.context);
  StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(zeros(27182));
  stream->Write(request);
  verdict.expect_end(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

void expect_status(Stub& stub, const std::string& message, Verdict& verdict) {
  {
    Call call;
    SimpleRequest request;
    request.mutable_response_status()->set_code(2);
    request.mutable_response_status()->set_message(message);
    SimpleResponse answer;
    verdict.expect_end(stub.UnaryCall(&call.context, request, &answer), StatusCode::UNKNOWN,
                       message);
  }
  Call call;
  const auto stream = stub.FullDuplexCall(&call.context);
  StreamingOutputCallRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(message);
  verdict.expect(stream->Write(request), "the message did not go");
  stream->WritesDone();
  StreamingOutputCallResponse answer;
  verdict.expect(!stream->Read(&answer), "a message came that nobody asked for");
  verdict.expect_end(stream->Finish(), StatusCode::UNKNOWN, message);
}

void status_code_and_message(Stub& stub, Verdict& verdict) {
  expect_status(stub, "test status message", verdict);
}

void special_status_message(Stub& stub, Verdict& verdict) { expect_status(stub, special, verdict); }

void unimplemented_method(Stub& stub, Verdict& verdict) {
  Call call;
  Empty answer;
  verdict.expect_end(stub.UnimplementedCall(&call.context, Empty(), &answer),
                     StatusCode::UNIMPLEMENTED);
}

void custom_metadata(Stub& stub, Verdict& verdict) {
  Call call;
  call.tell_metadata();
  SimpleResponse answer;
  verdict.expect_end(stub.UnaryCall(&call.context, large_request(), &answer), StatusCode::OK);
  call.expect_metadata(verdict);
}

// The second half of that case.
void custom_metadata_of_streams(Stub& stub, Verdict& verdict) {
  Call call;
  call.tell_metadata();
  const auto stream = stub.FullDuplexCall(&call.context);
  verdict.expect(stream->Write(asking(271828, 314159)), "the message did not go");
  stream->WritesDone();
  StreamingOutputCallResponse answer;
  verdict.expect(stream->Read(&answer), "the message did not come");
  verdict.expect(!stream->Read(&answer), "a message came that nobody asked for");
  verdict.expect_end(stream->Finish(), StatusCode::OK);
  call.expect_metadata(verdict);
}

void unimplemented_service(const std::shared_ptr<grpc::Channel>& channel, Verdict& verdict) {
  Call call;
  Empty answer;
  const auto stub = UnimplementedService::NewStub(channel);
  verdict.expect_end(stub->UnimplementedCall(&call.context, Empty(), &answer),
                     StatusCode::UNIMPLEMENTED);
}

const std::map<std::string, void (*)(Stub&, Verdict&)> cases = {
    {"empty_unary", empty_unary},
    {"large_unary", large_unary},
    {"compressed_unary", compressed_unary},
    {"client_streaming", client_streaming},
    {"compressed_client_streaming", compressed_client_streaming},
    {"server_streaming", server_streaming},
    {"compressed_server_streaming", compressed_server_streaming},
    {"ping_pong", ping_pong},
    {"empty_stream", empty_stream},
    {"cancel_after_begin", cancel_after_begin},
    {"cancel_after_first_response", cancel_after_first_response},
    {"timeout_on_sleeping_server", timeout_on_sleeping_server},
    {"status_code_and_message", status_code_and_message},
    {"special_status_message", special_status_message},
    {"unimplemented_method", unimplemented_method},
    {"custom_metadata", custom_metadata},
    {"custom_metadata_of_streams", custom_metadata_of_streams},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: grpc_interop_client ADDRESS CASE...\n");
    return 2;
  }
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  const auto stub = TestService::NewStub(channel);
  for (int i = 2; i < argc; ++i) {
    Verdict verdict;
    const auto found = cases.find(argv[i]);
    if (found != cases.end()) {
      found->second(*stub, verdict);
    } else if (argv[i] == std::string("unimplemented_service")) {
      unimplemented_service(channel, verdict);
    } else {
      verdict.expect(false, "there is no such case");
    }
    const std::string& wrong = verdict.wrong();
    std::printf("%s%s%s\n", argv[i], wrong.empty() ? " ok" : ": ", wrong.c_str());
  }
  return 0;
}
