// The runtime's metrics: fibers, workers, blocking calls and stacks, as `parley_rt_...` in a
// Registry. What they count is counted anyway, by each worker for itself; it is summed when the
// registry is scraped, and costs a running fiber nothing.
//
// register_metrics() is called in a fiber; scrapes come from any thread and any fiber.
//
//   observe::Registry registry;
//   parley::run([&] {
//     if (Status status = rt::register_metrics(registry); !status.is_ok()) report(status);
//     serve(registry);
//   });
#pragma once

#include "parley/base/status.h"

namespace parley::observe {
class Registry;
}  // namespace parley::observe

namespace parley::rt {

// Adds the metrics of the calling fiber's runtime to `registry`. They leave it when the runtime
// ends; either may end first. already_exists when a runtime has its metrics there now: they carry
// no label, so a second runtime needs a registry of its own. resource_exhausted as
// Registry::counter() says. After an error the registry is as it was. Does not wait.
Status register_metrics(observe::Registry& registry);

}  // namespace parley::rt
