// What select() knows of its cases. Private to rt.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "parley/base/status.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"
#include "parley/rt/impl/spin_lock.h"
#include "parley/rt/impl/wait_list.h"

namespace parley::rt::impl {

// One case. All but the first and the last function are called under its lock.
class SelectCase {
 public:
  // Null: never ready. Where cases are tried together, locks of a lower rank are taken first.
  explicit SelectCase(SpinLock* lock, std::size_t rank = 0) : lock_(lock), rank_(rank) {}
  SelectCase(const SelectCase&) = delete;
  SelectCase& operator=(const SelectCase&) = delete;

  [[nodiscard]] SpinLock* lock() const { return lock_; }
  [[nodiscard]] std::size_t rank() const { return rank_; }
  // Does it, if that can be done without waiting. Whoever is to be woken for it is in to_wake().
  virtual bool try_now() = 0;
  // Puts the case where others find it, and takes it away.
  virtual void enter(Fiber& fiber) = 0;
  virtual void leave() = 0;
  // Another fiber did it.
  [[nodiscard]] virtual bool was_chosen() const = 0;
  // Afterwards, under no lock: the user's function.
  virtual void finish() = 0;

  [[nodiscard]] WaitNode* to_wake() const { return to_wake_; }

 protected:
  ~SelectCase() = default;

  WaitNode* to_wake_ = nullptr;

 private:
  SpinLock* lock_;
  std::size_t rank_;
};

class DoneCase : public SelectCase {
 public:
  explicit DoneCase(const Context& context);

  bool try_now() override;
  void enter(Fiber& fiber) override;
  void leave() override;
  [[nodiscard]] bool was_chosen() const override { return node_.chosen; }

 protected:
  ~DoneCase() = default;
  [[nodiscard]] Status status() const;

 private:
  std::shared_ptr<ContextNode> context_;
  WaitNode node_;
};

struct Selection {
  std::span<SelectCase*> cases;
  std::span<std::size_t> order;  // room for as many numbers
  Deadline deadline;
  bool may_wait;
};

struct Selected {
  SelectCase* chosen = nullptr;  // null: none in time, or see status
  Status status;                 // of the fiber's context, when that ended first
};

Selected select_among(const Selection& selection);

}  // namespace parley::rt::impl
