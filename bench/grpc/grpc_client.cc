// The load of rpc_client over gRPC: C channels with a connection each, D calls in flight on each by
// the callback API, every answer compared.
//
//   grpc_client --address A --server-pid P [--connections C] [--depth D] [--body-bytes B]
//               [--warmup-seconds S] [--seconds S]
//
// Prints one line when the window is over (Window::to_json).
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../load.h"
#include "../window.h"
#include "echo.grpc.pb.h"

namespace parley::bench {
namespace {

using grpc_peer::Echo;
using grpc_peer::Text;

class GrpcClient {
 public:
  explicit GrpcClient(const Load& load) : load_(load) {}
  Status run();

 private:
  // One of the D calls in flight on a channel; asks again as soon as it was answered.
  struct Caller {
    Caller(Echo::Stub* of, std::string text) : stub(of) { asked.set_text(std::move(text)); }
    Echo::Stub* stub;
    Text asked;
    Text answer;
    std::optional<grpc::ClientContext> context;
    Instant began;
    std::uint64_t calls = 0;
    std::atomic<std::uint64_t> answered = 0;
  };

  void ask(Caller& caller);
  void take_answer(Caller& caller, const grpc::Status& status);
  void end_one(Status why);
  [[nodiscard]] std::uint64_t answered() const;

  Load load_;
  std::vector<std::unique_ptr<Echo::Stub>> stubs_;
  std::deque<Caller> callers_;
  Latency latency_;
  std::atomic<bool> is_measured_ = false;
  std::atomic<bool> is_over_ = false;
  std::mutex lock_;
  std::condition_variable all_ended_;
  std::size_t in_flight_ = 0;
  Status failure_;
};

void GrpcClient::ask(Caller& caller) {
  caller.context.emplace();
  ++caller.calls;
  caller.began = now();
  caller.stub->async()->Echo(
      &*caller.context, &caller.asked, &caller.answer,
      [this, &caller](const grpc::Status& status) { take_answer(caller, status); });
}

void GrpcClient::take_answer(Caller& caller, const grpc::Status& status) {
  if (!status.ok()) return end_one(Status(Code::unknown, "gRPC: " + status.error_message()));
  if (caller.answer.text() != caller.asked.text()) {
    return end_one(Status(Code::data_loss, "an answer differs from what was asked"));
  }
  if (caller.calls % latency_stride(load_) == 0 && is_measured_) {
    latency_.record(now() - caller.began);
  }
  char& turn = caller.asked.mutable_text()->front();
  turn = next_turn(turn);
  caller.answered.store(caller.calls, std::memory_order_relaxed);
  if (is_over_) return end_one({});
  ask(caller);
}

void GrpcClient::end_one(Status why) {
  const std::lock_guard lock(lock_);
  if (!why.is_ok()) failure_ = std::move(why);
  if (--in_flight_ == 0) all_ended_.notify_all();
}

std::uint64_t GrpcClient::answered() const {
  std::uint64_t sum = 0;
  for (const Caller& caller : callers_) sum += caller.answered.load(std::memory_order_relaxed);
  return sum;
}

Status GrpcClient::run() {
  for (std::size_t connection = 0; connection < load_.connections; ++connection) {
    grpc::ChannelArguments arguments;
    // Otherwise all channels to one address share a connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs_.push_back(Echo::NewStub(
        grpc::CreateCustomChannel(load_.address, grpc::InsecureChannelCredentials(), arguments)));
    for (std::size_t slot = 0; slot < load_.depth; ++slot) {
      callers_.emplace_back(stubs_.back().get(), body_of(connection, slot, load_.body_bytes));
    }
  }
  in_flight_ = callers_.size();
  for (Caller& caller : callers_) ask(caller);
  Window window(load_.server_pid);
  std::this_thread::sleep_for(load_.warmup);  // tidy-allow(sleep): a program of gRPC
  Status status = window.open(answered());
  is_measured_ = true;
  std::this_thread::sleep_for(load_.window);  // tidy-allow(sleep): a program of gRPC
  if (status.is_ok()) status = window.close(answered());
  is_over_ = true;
  std::unique_lock lock(lock_);
  all_ended_.wait(lock, [this] { return in_flight_ == 0; });
  if (!failure_.is_ok()) return failure_;
  if (status.is_ok()) std::puts(window.to_json(latency_).c_str());
  return status;
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
  using namespace parley;
  const Result<bench::Load> load = bench::parse_load(argc, argv);
  if (!load) return bench::usage_error(load.error());
  if (load->spin || load->websocket) {
    return bench::usage_error(
        Status(Code::invalid_argument, "--spin and --websocket are for the floor only"));
  }
  const Status status = bench::GrpcClient(*load).run();
  return status.is_ok() ? 0 : bench::run_error(status);
}
