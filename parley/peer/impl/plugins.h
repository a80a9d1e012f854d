// Plugins: those of a peer, or those of a group, ready to be run. Private to peer.
//
// Immutable: any fiber may run them. What they throw ends here.
//
//   std::shared_ptr<const Plugins> plugins = Plugins::make(std::move(options.plugins), nullptr);
//   auto last = [&] { return handler(context, request, answer); };
//   Status status = plugins->serve(step, Last(last));
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "parley/base/guard.h"
#include "parley/base/status.h"
#include "parley/peer/handler.h"
#include "parley/peer/plugin.h"

namespace parley::impl {

// A function that outlives the call it is passed to.
class Last {
 public:
  template <class F>
    requires(!std::is_same_v<F, Last>)
  explicit Last(F& f)
      : run_([](void* function) -> Status { return (*static_cast<F*>(function))(); }),
        argument_(&f) {}
  Status operator()() const { return run_(argument_); }

 private:
  Status (*run_)(void*);
  void* argument_;
};

class Plugins {
 public:
  // Null when there are none. A plugin without a name, or with one that is in use, also by one of
  // `around`, is a bug.
  static std::shared_ptr<const Plugins> make(std::vector<Plugin> all, const Plugins* around);
  explicit Plugins(std::vector<Plugin> all);
  Plugins(const Plugins&) = delete;
  Plugins& operator=(const Plugins&) = delete;

  [[nodiscard]] const std::vector<Plugin>& all() const { return all_; }

  // Middlewares, one in the other, and `last` in the innermost.
  Status serve(ServeStep& step, Last last) const;
  Status call(CallStep& step, Last last) const;
  [[nodiscard]] bool has_call() const { return !call_.empty(); }
  [[nodiscard]] bool has_open() const { return !open_.empty(); }
  [[nodiscard]] bool has_serve() const { return !serve_.empty() || !serve_stream_.empty(); }

  // Hooks, one after the other until one fails.
  template <class... A>
  Status run(std::function<Status(A...)> Plugin::* hook, std::string_view called, A... a) const {
    for (const Plugin& each : all_) {
      if (Status s = run_one<A...>(each, hook, called, a...); !s.is_ok()) return s;
    }
    return {};
  }
  template <class... A>
  static Status run_one(const Plugin& plugin, std::function<Status(A...)> Plugin::* hook,
                        std::string_view called, A... a) {
    if (!(plugin.*hook)) return {};
    Status status;
    const Status thrown = guarded([&] { status = (plugin.*hook)(a...); });
    if (!thrown.is_ok()) return has_thrown(plugin, called, thrown);
    return status.is_ok() ? status : status.with_context("plugin " + plugin.name);
  }
  template <class Hook>
  [[nodiscard]] bool has(Hook hook) const {
    for (const Plugin& each : all_) {
      if (each.*hook) return true;
    }
    return false;
  }
  static Status has_thrown(const Plugin& plugin, std::string_view called, const Status& thrown);

 private:
  using Some = std::vector<const Plugin*>;

  const std::vector<Plugin> all_;
  Some call_, open_, serve_, serve_stream_;  // those that have it
};

// `handler` with these around it, of which there may be none.
Handler with_plugins(std::shared_ptr<const Plugins> plugins, Handler handler);

}  // namespace parley::impl
