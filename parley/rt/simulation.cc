#include "parley/rt/simulation.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "parley/base/assert.h"
#include "parley/rt/impl/overflow.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/simulation.h"

namespace parley::rt {
namespace {

// What the handler writes; there is one simulation at a time.
std::array<char, 512> last_words{};
struct sigaction before_simulation{};

void on_abort(int signal) {
  [[maybe_unused]] const auto written =
      ::write(STDERR_FILENO, last_words.data(), std::strlen(last_words.data()));
  ::sigaction(signal, &before_simulation, nullptr);
  // Delivered when this returns; abort() raises it again in any case.
  ::raise(signal);
}

// While alive, a failed assertion ends with the seed.
class NamesSeed {
 public:
  explicit NamesSeed(const impl::Simulation& simulation) {
    const std::string words = simulation.repeat_hint() + "\n";
    last_words.fill('\0');
    std::copy_n(words.begin(), std::min(words.size(), last_words.size() - 1), last_words.begin());
    struct sigaction action{};
    action.sa_handler = &on_abort;
    action.sa_flags = SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGABRT, &action, &before_simulation);
  }
  ~NamesSeed() { ::sigaction(SIGABRT, &before_simulation, nullptr); }
  NamesSeed(const NamesSeed&) = delete;
  NamesSeed& operator=(const NamesSeed&) = delete;
};

}  // namespace

SimulationReport impl::simulate_closure(const SimulationOptions& options, const Closure& closure) {
  PARLEY_ASSERT(options.step_time >= Duration::zero(), "step_time must not be negative");
  PARLEY_ASSERT(!simulating.exchange(true), "this process already runs a simulation");
  Simulation simulation(options);
  RuntimeOptions runtime;
  runtime.workers = 1;
  runtime.stack_size = options.stack_size;
  runtime.max_fibers = options.max_fibers;
  runtime.clock = &simulation.clock();
  runtime.simulation = &simulation;
  {
    const FaultStack fault_stack;
    const NamesSeed names_seed(simulation);
    Scheduler scheduler(runtime);
    scheduler.run(closure);
  }
  simulating.store(false);
  return simulation.report();
}

void trace_event(std::string_view what, std::initializer_list<std::uint64_t> numbers,
                 std::string_view text) {
  impl::Simulation* simulation = impl::simulation_here();
  if (simulation != nullptr) simulation->trace(what, numbers, text);
}

void simulation_failed(std::string_view what) {
  impl::Simulation* simulation = impl::simulation_here();
  if (simulation != nullptr) simulation->fail(what);
  assertion_failed("", what);
}

}  // namespace parley::rt
