#include "parley/peer/impl/plugins.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "parley/base/assert.h"
#include "parley/peer/guarded_handler.h"
#include "parley/peer/plugin_steps.h"

namespace parley::impl {
namespace {

template <class Step>
using Middleware = std::function<Status(Step&, Next&)> Plugin::*;

// A walk through middlewares, each on the stack of the one before it.
template <class Step>
class Walk {
 public:
  Walk(std::span<const Plugin* const> chain, Middleware<Step> which, std::string_view called,
       Step& step, Last last)
      : chain_(chain), which_(which), called_(called), step_(step), last_(last) {}

  Status go(std::size_t at) {
    if (at == chain_.size()) return last_();
    Level level{*this, at};
    Next next(&Level::go_on, &level);
    Status status;
    const Status thrown = guarded([&] { status = (chain_[at]->*which_)(step_, next); });
    return thrown.is_ok() ? status : has_thrown(*chain_[at], thrown);
  }

 private:
  struct Level {
    Walk& walk;
    const std::size_t at;
    bool has_gone_on = false;

    static Status go_on(void* argument) {
      Level& level = *static_cast<Level*>(argument);
      const bool is_again = std::exchange(level.has_gone_on, true);
      if (is_again && level.walk.called_ != "call") return level.walk.twice(level.at);
      return level.walk.go(level.at + 1);
    }
  };

  // Who serves hears of it in the log, as of what a handler throws; a caller is told anyway.
  Status has_thrown(const Plugin& plugin, const Status& thrown) const {
    Status status = Plugins::has_thrown(plugin, called_, thrown);
    if constexpr (std::is_same_v<Step, ServeStep>) {
      const std::string line = status.with_context(step_.method()).to_string();
      if (!step_.is_push()) {
        step_.context().log(line);
        if (!step_.context().options().tells_exceptions) {
          return {status.code(), std::string(status.message())};
        }
      }
    }
    return status;
  }

  Status twice(std::size_t at) const {
    return {Code::internal, "plugin " + chain_[at]->name + " called next() twice in " +
                                std::string(called_) +
                                ": it can be done once only; nothing was run again"};
  }

  const std::span<const Plugin* const> chain_;
  const Middleware<Step> which_;
  const std::string_view called_;
  Step& step_;
  const Last last_;
};

}  // namespace

std::shared_ptr<const Plugins> Plugins::make(std::vector<Plugin> all, const Plugins* around) {
  if (all.empty()) return nullptr;
  std::vector<std::string_view> names;
  if (around != nullptr) {
    for (const Plugin& each : around->all()) names.push_back(each.name);
  }
  for (const Plugin& each : all) {
    PARLEY_ASSERT(!each.name.empty(), "a plugin has no name: errors and logs would not say whose");
    if (std::ranges::find(names, each.name) != names.end()) {
      assertion_failed("", "plugin \"" + each.name +
                               "\" is there twice: each name is for one of a peer and its group");
    }
    names.push_back(each.name);
  }
  return std::make_shared<const Plugins>(std::move(all));
}

Plugins::Plugins(std::vector<Plugin> all) : all_(std::move(all)) {
  for (const Plugin& each : all_) {
    if (each.call) call_.push_back(&each);
    if (each.open) open_.push_back(&each);
    if (each.serve) serve_.push_back(&each);
    if (each.serve_stream) serve_stream_.push_back(&each);
  }
}

Status Plugins::serve(ServeStep& step, Last last) const {
  if (step.is_stream()) {
    return Walk<ServeStep>(serve_stream_, &Plugin::serve_stream, "serve_stream", step, last).go(0);
  }
  return Walk<ServeStep>(serve_, &Plugin::serve, "serve", step, last).go(0);
}

Status Plugins::call(CallStep& step, Last last) const {
  if (step.kind() == CallStep::Kind::stream) {
    return Walk<CallStep>(open_, &Plugin::open, "open", step, last).go(0);
  }
  return Walk<CallStep>(call_, &Plugin::call, "call", step, last).go(0);
}

Status Plugins::has_thrown(const Plugin& plugin, std::string_view called, const Status& thrown) {
  return Status(Code::internal,
                "plugin " + plugin.name + " threw an exception in " + std::string(called))
      .with_cause(thrown.cause());
}

Handler with_plugins(std::shared_ptr<const Plugins> plugins, Handler handler) {
  if (plugins == nullptr || !plugins->has_serve()) return handler;
  return [plugins = std::move(plugins), handler = std::move(handler)](
             Context& context, const wire::Message& request, Answer& answer) {
    ServeStep step(context, answer);
    auto last = [&] {
      Status status = guarded_call(context, [&] { return handler(context, request, answer); });
      if (!status.is_ok()) answer.clear();
      return status;
    };
    return plugins->serve(step, Last(last));
  };
}

}  // namespace parley::impl
