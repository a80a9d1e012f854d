// Router: from the name of a method to its handler.
//
// Fiber-safe: methods may be added while sessions run, and finding one takes no lock. None is ever
// taken away.
//
//   Router router;
//   router.add("/math/add", make_handler(&add));
//   Router::Recent recent;
//   const Router::Method* method = router.find("/math/add", recent);
//   Status status = method->handler(context, request, answer);
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/peer/handler.h"
#include "parley/rt/mutex.h"

namespace parley {

class Router {
 public:
  // Longest name of a method, as the raw framing carries it.
  static constexpr std::size_t max_method_bytes = 255;

  Router();

  // An empty or too long name, and one that is there already, are bugs. Inside a fiber only.
  // `shape` is what methods() says of it.
  void add(std::string_view method, Handler handler, codec::MethodShape shape = {});
  // A method that is opened as a stream, not called.
  void add_stream(std::string_view method, Handler handler, codec::MethodShape shape = {});

  // One method: how to run it, and what running it took.
  struct Method {
    Method(std::string_view called, Handler run, codec::MethodShape described, bool stream = false,
           bool as_filtered = false);

    const std::string name;
    const std::size_t hash = std::hash<std::string_view>()(name);
    const Handler handler;
    const codec::MethodShape shape;
    const bool is_stream;
    // It gets bodies as they travelled (wire::Message::is_filtered), and passes them on: it counts
    // as quick for ever, so that what only goes elsewhere does so in its order.
    const bool takes_filtered;
    // As whom in this process may call it without bytes; empty where its arguments have rules.
    const impl::DirectTypes direct;
    // It is over before another fiber could have taken over what waits behind it. Not known before
    // it has run.
    mutable std::atomic<bool> is_quick;
  };

  // What a fiber found last, by where the names stood: the names that a framing keeps stay where
  // they are. For one fiber at a time, and one router.
  class Recent;

  // What runs the calls, the pushes or the streams of no method that there is. A second one is a
  // bug. Inside a fiber only.
  void set_unknown(wire::MessageType type, Handler handler, bool takes_filtered = false);
  // Null when nobody does.
  [[nodiscard]] const Method* unknown(wire::MessageType type) const {
    return unknown_[place_of(type)].load(std::memory_order_acquire);
  }

  // The method of that name; null when there is none.
  [[nodiscard]] const Method* find(std::string_view name, Recent& recent) const;
  [[nodiscard]] const Method* find(std::string_view name) const;
  // What to say then, with the nearest name there is.
  [[nodiscard]] Status not_found(std::string_view method, bool suggest) const;

  // All that are called, by name: what schemas are written from (codec/schema.h); and all that are
  // opened. Inside a fiber only.
  [[nodiscard]] std::vector<codec::MethodShape> methods() const { return shapes(false); }
  [[nodiscard]] std::vector<codec::MethodShape> stream_methods() const { return shapes(true); }

  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  // Open addressing; at most half full. A slot goes from null to its method and stays.
  struct Table {
    explicit Table(std::size_t size) : slots(size) {}
    std::vector<std::atomic<const Method*>> slots;

    [[nodiscard]] const Method* find(std::size_t hash, std::string_view name) const;
    void insert(const Method& method);
  };

  void insert(std::unique_ptr<Method> method);
  [[nodiscard]] std::vector<codec::MethodShape> shapes(bool of_streams) const;
  static std::size_t place_of(wire::MessageType type) {
    if (type == wire::MessageType::open) return 2;
    return type == wire::MessageType::push ? 1 : 0;
  }

  std::atomic<const Table*> table_;  // the last of tables_
  std::atomic<std::size_t> size_ = 0;
  std::array<std::atomic<const Method*>, 3> unknown_{};  // of calls, pushes, streams
  mutable rt::Mutex adding_;                             // of what follows
  std::vector<std::unique_ptr<const Method>> methods_;
  std::vector<std::unique_ptr<const Method>> kept_unknown_;
  // Those that were outgrown stay: somebody may be looking into one. Together they are no larger
  // than the last.
  std::vector<std::unique_ptr<Table>> tables_;
};

class Router::Recent {
  friend class Router;

  const Method*& at(std::string_view name) {
    const auto place = reinterpret_cast<std::uintptr_t>(name.data());
    return found_[(place >> 4U ^ place >> 9U) % found_.size()];
  }
  std::array<const Method*, 32> found_{};
};

}  // namespace parley
