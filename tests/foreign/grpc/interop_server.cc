// gRPC's interop service (interop.proto) by gRPC C++:
//   grpc_interop_server PORT_FILE
// writes its port to that file and serves until SIGTERM, for a minute at most.
#include <grpcpp/grpcpp.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>

#include "interop.grpc.pb.h"

// Of libgrpc, in no header of it: the flags of the message that came last.
// NOLINTNEXTLINE(readability-identifier-naming): its name
std::uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
using namespace grpc::testing;  // NOLINT(google-build-using-namespace): the messages

// Among those flags: as it travels, and once it was unpacked.
constexpr std::uint32_t was_compressed = 0x80000000U | 0x40000000U;
const char* const initial_name = "x-grpc-test-echo-initial";
const char* const trailing_name = "x-grpc-test-echo-trailing-bin";

void say_back(ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto text = [](const grpc::string_ref& value) {
    return std::string(value.data(), value.size());
  };
  const auto initial = metadata.find(initial_name);
  if (initial != metadata.end()) context.AddInitialMetadata(initial_name, text(initial->second));
  const auto trailing = metadata.find(trailing_name);
  if (trailing != metadata.end()) {
    context.AddTrailingMetadata(trailing_name, text(trailing->second));
  }
}

// Whether the last message came as it was announced.
template <class Message>
bool is_as_said(ServerContext& context, const Message& message) {
  if (!message.has_expect_compressed()) return true;
  const bool is_compressed =
      (grpc_call_test_only_get_message_flags(context.c_call()) & was_compressed) != 0;
  return is_compressed == message.expect_compressed().value();
}

const Status not_as_said(StatusCode::INVALID_ARGUMENT, "compressed or not, not as it was said");

// Not of the interop cases: an error with the message "details" has some. A google.rpc.Status of
// code 14 with a RetryInfo of three seconds, as it is encoded.
std::string details() {
  const std::string type = "type.googleapis.com/google.rpc.RetryInfo";
  const std::string any = "\x0a" + std::string(1, static_cast<char>(type.size())) + type +
                          "\x12\x04"
                          "\x0a\x02\x08\x03";
  return "\x08\x0e\x12\x07"
         "details"
         "\x1a" +
         std::string(1, static_cast<char>(any.size())) + any;
}

Status status_of(const EchoStatus& status) {
  const auto code = static_cast<StatusCode>(status.code());
  if (status.message() == "details") return {code, status.message(), details()};
  return {code, status.message()};
}

std::string zeros(std::int32_t size) { return std::string(static_cast<std::size_t>(size), '\0'); }

class Service final : public TestService::Service {
 public:
  Status EmptyCall(ServerContext* /*context*/, const Empty* /*request*/,
                   Empty* /*response*/) override {
    return Status::OK;
  }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request,
                   SimpleResponse* response) override {
    say_back(*context);
    if (!is_as_said(*context, *request)) return not_as_said;
    if (request->response_status().code() != 0) return status_of(request->response_status());
    if (request->response_compressed().value()) {
      context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
    }
    response->mutable_payload()->set_body(zeros(request->response_size()));
    return Status::OK;
  }

  Status StreamingOutputCall(ServerContext* context, const StreamingOutputCallRequest* request,
                             grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    for (const ResponseParameters& one : request->response_parameters()) {
      if (one.compressed().value()) context->set_compression_level(GRPC_COMPRESS_LEVEL_HIGH);
    }
    if (!send_all(*request, *writer)) return Status::CANCELLED;
    return status_of(request->response_status());
  }

  Status StreamingInputCall(ServerContext* context,
                            grpc::ServerReader<StreamingInputCallRequest>* reader,
                            StreamingInputCallResponse* response) override {
    std::int32_t sum = 0;
    for (StreamingInputCallRequest request; reader->Read(&request);) {
      if (!is_as_said(*context, request)) return not_as_said;
      sum += static_cast<std::int32_t>(request.payload().body().size());
    }
    response->set_aggregated_payload_size(sum);
    return Status::OK;
  }

  Status FullDuplexCall(ServerContext* context,
                        grpc::ServerReaderWriter<StreamingOutputCallResponse,
                                                 StreamingOutputCallRequest>* stream) override {
    say_back(*context);
    for (StreamingOutputCallRequest request; stream->Read(&request);) {
      if (request.response_status().code() != 0) return status_of(request.response_status());
      if (!send_all(request, *stream)) return Status::CANCELLED;
    }
    return Status::OK;
  }

 private:
  template <class Writer>
  static bool send_all(const StreamingOutputCallRequest& request, Writer& writer) {
    for (const ResponseParameters& one : request.response_parameters()) {
      StreamingOutputCallResponse response;
      response.mutable_payload()->set_body(zeros(one.size()));
      grpc::WriteOptions options;
      if (!one.compressed().value()) options.set_no_compression();
      if (!writer.Write(response, options)) return false;
    }
    return true;
  }
};

// Whole, or not there.
bool write_port(const std::string& name, int port) {
  const std::string half = name + ".new";
  std::FILE* const file = std::fopen(half.c_str(), "w");
  if (file == nullptr) return false;
  const bool is_good = std::fprintf(file, "%d", port) > 0;
  return std::fclose(file) == 0 && is_good && std::rename(half.c_str(), name.c_str()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: grpc_interop_server PORT_FILE\n");
    return 2;
  }
  // Before gRPC starts threads, which inherit it.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Service service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || port == 0 || !write_port(argv[1], port)) {
    std::fprintf(stderr, "cannot listen on 127.0.0.1, or write %s\n", argv[1]);
    return 1;
  }
  const timespec minute{.tv_sec = 60, .tv_nsec = 0};
  while (sigtimedwait(&ends, nullptr, &minute) < 0 && errno == EINTR) {}
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}
