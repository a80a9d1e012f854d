// Context: why a piece of work should go on, and until when. Go's context package, with two
// differences: a fiber always has one (blocking calls take it from there, nobody passes it along),
// and cancelling is the right of whoever holds the Cancel, whose destructor uses it.
//
// A Context is a cheap handle; copies name the same context. Thread-safe among the fibers of one
// runtime. See done_call.h for a function that runs when one ends.
//
//   auto [context, cancel] = rt::Context::current().with_timeout(std::chrono::seconds(2));
//   rt::WithContext bound(context);          // until the end of this block
//   auto receipt = shop.place(order);        // whatever it waits for ends after 2 s
#pragma once

#include <memory>
#include <utility>

#include "parley/base/status.h"
#include "parley/rt/deadline.h"

namespace parley::rt {

namespace impl {
class Fiber;
struct ContextNode;
}  // namespace impl

class Cancel;

class Context {
 public:
  // Never cancelled, no deadline. What a runtime's first fiber starts with.
  static Context background();
  // The calling fiber's context; background outside a fiber.
  static Context current();

  // A child: it ends when its parent ends, when its own deadline passes or when its Cancel is used
  // or destroyed, whichever is first.
  [[nodiscard]] std::pair<Context, Cancel> with_cancel() const;
  // `cause` is what it ends with when that deadline passes; ok stands for deadline_exceeded.
  // Outside a fiber too: the time is counted from here, and ends the waits of every fiber that runs
  // under it.
  [[nodiscard]] std::pair<Context, Cancel> with_deadline(Deadline deadline,
                                                         const Status& cause = {}) const;
  [[nodiscard]] std::pair<Context, Cancel> with_timeout(Duration timeout,
                                                        const Status& cause = {}) const;

  // Ok while work should go on; the cause given to Cancel or with the deadline once it is over.
  [[nodiscard]] Status status() const;
  [[nodiscard]] bool is_done() const { return !status().is_ok(); }
  // The same two of the calling fiber's context, `now` being the time, without a handle being made:
  // ok, and its deadline; or why it is over.
  static Status look_at_current(Instant now, Deadline& deadline);
  // The same with the time, at once, without the reason.
  struct Look {
    Instant now;
    Deadline deadline;
    bool is_over = false;
  };
  [[nodiscard]] static Look look_at_current() noexcept;
  // The earliest deadline of this context and its ancestors.
  [[nodiscard]] Deadline deadline() const;

  // A child that carries `value`, found by its type with value<T>() in it and in all made from it,
  // until one of those carries another T. Use a type of your own as the key: struct TraceId {...}.
  template <class T>
  [[nodiscard]] Context with_value(T value) const {
    return with_shared_value(key_of<T>(), std::make_shared<const T>(std::move(value)));
  }
  // Null when neither this context nor an ancestor carries a T. Lives as long as this context.
  template <class T>
  [[nodiscard]] const T* value() const {
    return static_cast<const T*>(find_value(key_of<T>()));
  }

  // A context with the values of this one and without its end: no deadline, never cancelled. For
  // what must be finished although the one who asked has gone: a clean-up, an audit record. Give it
  // a deadline of its own. It does not descend from this one.
  [[nodiscard]] Context without_cancel() const;

  // True for `ancestor` itself and for every context made from it, however far down.
  [[nodiscard]] bool descends_from(const Context& ancestor) const;

  // Parks the calling fiber until this context is done and returns its status. Not ended by the
  // calling fiber's own context. Only inside a fiber.
  Status wait_done() const;

  // Internal: the node behind the handle.
  [[nodiscard]] const std::shared_ptr<impl::ContextNode>& node() const { return node_; }
  explicit Context(std::shared_ptr<impl::ContextNode> node) : node_(std::move(node)) {}

 private:
  // The address of a variable there is once for each T.
  template <class T>
  static const void* key_of() {
    static constexpr char key = 0;
    return &key;
  }
  [[nodiscard]] Context with_shared_value(const void* key, std::shared_ptr<const void> value) const;
  [[nodiscard]] const void* find_value(const void* key) const;

  std::shared_ptr<impl::ContextNode> node_;
};

// Ends the context it was made with: by being called, or by going out of scope.
class Cancel {
 public:
  explicit Cancel(std::shared_ptr<impl::ContextNode> node) : node_(std::move(node)) {}
  Cancel(Cancel&&) noexcept = default;
  Cancel& operator=(Cancel&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Cancel();

  // Wakes every fiber that waits under the context or its children. The first call decides the
  // cause; `cause` must not be ok. Does nothing the second time.
  void operator()(Status cause) const;
  // The same with Status(cancelled, "cancelled").
  void operator()() const;

 private:
  std::shared_ptr<impl::ContextNode> node_;
};

// Makes `context` the calling fiber's until the end of the block.
class WithContext {
 public:
  explicit WithContext(const Context& context);
  ~WithContext();
  WithContext(const WithContext&) = delete;
  WithContext& operator=(const WithContext&) = delete;

  // The one that the fiber had before, and gets back. Allocates nothing and takes no lock.
  [[nodiscard]] Context outer() const;

 private:
  std::shared_ptr<impl::ContextNode> node_;
  impl::Fiber& fiber_;
  impl::ContextNode* previous_;
};

}  // namespace parley::rt
