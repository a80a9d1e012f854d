// gRPC's side of `./dev bench rpc`: the echo of rpc_server by its callback API, with default
// options.
//
//   grpc_server     prints {"address":"127.0.0.1:PORT","pid":PID,"version":V}; ends on SIGTERM
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "echo.grpc.pb.h"

namespace {

using parley::bench::grpc_peer::Echo;
using parley::bench::grpc_peer::Text;

class EchoService final : public Echo::CallbackService {
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const Text* asked,
                                 Text* answer) override {
    answer->set_text(asked->text());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int main() {
  // Before gRPC starts threads, which inherit it.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  EchoService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || port == 0) {
    std::fprintf(stderr, "gRPC could not listen on 127.0.0.1\n");
    return 1;
  }
  std::printf("{\"address\":\"127.0.0.1:%d\",\"pid\":%d,\"version\":\"%s\"}\n", port, ::getpid(),
              grpc::Version().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  server->Shutdown();
  return 0;
}
