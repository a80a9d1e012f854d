#include "parley/peer/serve_until_signal.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "parley/rt/context.h"
#include "parley/rt/scope.h"
#include "parley/rt/signal.h"

namespace parley {
namespace {

// "SIGTERM".
std::string name_of_signal(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

// What the shell adds to the number of a signal that ended a program.
constexpr int ended_by_signal = 128;

}  // namespace

int Served::exit_code() const {
  if (report.is_clean()) return 0;
  return second != 0 ? ended_by_signal + second : 1;
}

Result<Served> serve_until_signal(Peer& peer, const ServeOptions& options) {
  auto signals = std::make_unique<rt::Signals>(options.signals);
  const auto [waiting, stop_waiting] = rt::Context::current().with_cancel();
  Result<int> first = 0;
  {
    rt::Scope elsewhere(waiting, rt::OnExit::cancel);
    elsewhere.go("ended elsewhere", [&] {
      if (peer.wait_shutdown().is_ok()) stop_waiting(Status(Code::cancelled, "ended elsewhere"));
    });
    const rt::WithContext bound(waiting);
    first = signals->wait();
  }
  if (!first && waiting.status().is_ok()) return first.error();
  const bool is_ended_elsewhere = !first && rt::Context::current().status().is_ok();
  Served served{.signal = first ? *first : 0};
  ShutdownOptions ending = options.shutdown;
  ending.reason += " (" + (first ? name_of_signal(*first) : first.error().to_string()) + ")";
  if (is_ended_elsewhere) ending.limit = Duration::max();  // whoever ended it has given one
  // Of its own: the calling fiber's context may have ended.
  rt::Scope impatient(rt::Context::background(), rt::OnExit::cancel);
  impatient.go("second signal", [&] {
    if (served.signal == 0) {
      // Something else began the end: this one is the first, and asks for no more than that.
      const Result<int> late = signals->wait();
      if (!late) return;
      served.signal = *late;
    }
    const Result<int> second = signals->wait();
    if (!second) return;
    served.second = *second;
    signals.reset();  // the third has its usual effect
    (void)peer.shutdown({.limit = Duration::zero(),
                         .reason = options.shutdown.reason + " (" + "a second signal, " +
                                   name_of_signal(*second) + ")"});
  });
  served.report = peer.shutdown(ending);
  impatient.cancel();
  impatient.join();
  return served;
}

}  // namespace parley
