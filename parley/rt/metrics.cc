#include "parley/rt/metrics.h"

#include <utility>

#include "parley/observe/registry.h"
#include "parley/rt/impl/scheduler.h"
#include "parley/rt/impl/worker.h"

namespace parley::rt {
namespace {

using impl::Scheduler;
using impl::Worker;
using impl::WorkerCounts;

std::uint64_t sum_over_workers(Scheduler& scheduler, std::uint64_t (*of)(Worker&)) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < scheduler.worker_count(); ++i) sum += of(scheduler.worker(i));
  return sum;
}

// Those that are neither running nor in a queue. Each number is read at its own moment.
double parked(Scheduler& scheduler) {
  const std::uint64_t others =
      scheduler.injected() + sum_over_workers(scheduler, [](Worker& worker) -> std::uint64_t {
        return worker.backlog() + (worker.running() == nullptr ? 0U : 1U);
      });
  const std::uint64_t live = scheduler.live();
  return live > others ? static_cast<double>(live - others) : 0;
}

struct Gauge {
  observe::Description description;
  double (*read)(Scheduler&);
};

const Gauge gauges[] = {
    {{.name = "parley_rt_fibers", .help = "Fibers alive."},
     [](Scheduler& it) { return static_cast<double>(it.live()); }},
    {{.name = "parley_rt_fibers_parked", .help = "Fibers that wait for something."}, &parked},
    {{.name = "parley_rt_fibers_limit", .help = "Fibers that can be alive at once (max_fibers)."},
     [](Scheduler& it) { return static_cast<double>(it.max_fibers()); }},
    {{.name = "parley_rt_workers", .help = "Threads that run fibers."},
     [](Scheduler& it) { return static_cast<double>(it.worker_count()); }},
    {{.name = "parley_rt_blocking_threads", .help = "Threads for blocking calls."},
     [](Scheduler& it) { return static_cast<double>(it.blocking().counts().threads.load()); }},
    {{.name = "parley_rt_blocking_queue", .help = "Blocking calls that wait for a thread."},
     [](Scheduler& it) { return static_cast<double>(it.blocking().counts().queued.load()); }},
    {{.name = "parley_rt_stacks_reserved_bytes",
      .help = "Address space of the stacks of fibers, their guards included.",
      .unit = "bytes"},
     [](Scheduler& it) { return static_cast<double>(it.stacks().reserved_bytes()); }},
    {{.name = "parley_rt_stacks_idle_bytes",
      .help = "Size of the stacks that wait with their memory for a fiber of any worker.",
      .unit = "bytes"},
     [](Scheduler& it) { return static_cast<double>(it.stacks().idle_bytes()); }},
    {{.name = "parley_rt_guard_regions",
      .help = "1 where stacks have guard regions of the kernel, 0 where mprotect guards them and "
              "vm.max_map_count bounds the number of fibers."},
     [](Scheduler& it) { return it.stacks().guards() == impl::GuardKind::region ? 1.0 : 0.0; }},
};

struct Counter {
  observe::Description description;
  std::uint64_t (*read)(Scheduler&);
};

const Counter counters[] = {
    {{.name = "parley_rt_fibers_started", .help = "Fibers started."},
     [](Scheduler& it) {
       // The first fiber was started by no worker.
       return 1 + sum_over_workers(it, [](Worker& of) { return of.counts().started.value(); });
     }},
    {{.name = "parley_rt_fibers_refused", .help = "Fibers that try_go refused at max_fibers."},
     [](Scheduler& it) { return it.limit_counts().refused.load(); }},
    {{.name = "parley_rt_fibers_delayed", .help = "Calls of go that waited at max_fibers."},
     [](Scheduler& it) { return it.limit_counts().delayed.load(); }},
    {{.name = "parley_rt_switches", .help = "Switches from fiber to fiber."},
     [](Scheduler& it) { return sum_over_workers(it, [](Worker& of) { return of.switches(); }); }},
    {{.name = "parley_rt_steals", .help = "Times a worker took fibers from another's queue."},
     [](Scheduler& it) {
       return sum_over_workers(it, [](Worker& of) { return of.counts().steals.value(); });
     }},
    {{.name = "parley_rt_worker_sleeps", .help = "Times a worker without work went to sleep."},
     [](Scheduler& it) {
       return sum_over_workers(it, [](Worker& of) { return of.counts().rests.value(); });
     }},
    {{.name = "parley_rt_worker_wakes", .help = "Times a sleeping worker was woken for work."},
     [](Scheduler& it) {
       return sum_over_workers(it, [](Worker& of) { return of.poller().interrupts(); });
     }},
    {{.name = "parley_rt_polls", .help = "Times the kernel was asked for ready descriptors."},
     [](Scheduler& it) {
       return sum_over_workers(it, [](Worker& of) { return of.poller().polls(); });
     }},
    {{.name = "parley_rt_blocking_calls", .help = "Calls given to the threads for blocking calls."},
     [](Scheduler& it) { return it.blocking().counts().calls.load(); }},
    {{.name = "parley_rt_long_runs",
      .help = "Times a fiber held its worker for longer than longest_run."},
     [](Scheduler& it) { return it.monitor().long_runs(); }},
};

}  // namespace

Status register_metrics(observe::Registry& registry) {
  Scheduler& scheduler = *Worker::current_fiber("rt::register_metrics was called").scheduler;
  std::vector<observe::Reading> readings;
  for (const Gauge& gauge : gauges) {
    auto reading = registry.gauge_of(gauge.description,
                                     [&scheduler, read = gauge.read] { return read(scheduler); });
    if (!reading) return reading.error().with_context("metrics of the runtime");
    readings.push_back(std::move(*reading));
  }
  for (const Counter& counter : counters) {
    auto reading = registry.counter_of(
        counter.description, [&scheduler, read = counter.read] { return read(scheduler); });
    if (!reading) return reading.error().with_context("metrics of the runtime");
    readings.push_back(std::move(*reading));
  }
  scheduler.keep(std::move(readings));
  return {};
}

}  // namespace parley::rt
