// The writes that wait for the committer of a store. Thread-safe among fibers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "parley/base/result.h"
#include "parley/kv/command.h"
#include "parley/kv/event.h"
#include "parley/rt/completion.h"
#include "parley/rt/cond.h"
#include "parley/rt/deadline.h"
#include "parley/rt/mutex.h"

namespace parley::kv::impl {

// One write: shared by who waits for it and who commits it, since the first may leave.
struct Write {
  Command command;
  std::size_t bytes = 0;
  // Both under the queue's lock.
  bool is_waiting = false;
  std::list<std::shared_ptr<Write>>::iterator place;
  // Set before `done`, read behind it.
  std::optional<Result<EventRef>> result;
  rt::Completion done;
};

using WriteRef = std::shared_ptr<Write>;

struct QueueLimits {
  std::size_t max_waiting;
  std::size_t max_waiting_bytes;
  std::size_t max_batch;
  std::size_t max_batch_bytes;
};

class WriteQueue {
 public:
  explicit WriteQueue(const QueueLimits& limits) : limits_(limits) {}

  // Refused when it is full, or what refuse() said.
  Status push(const WriteRef& write);
  // True when the committer had not taken it, and will not.
  bool take_back(Write& write);
  // Waits until there are writes, until `deadline`, or until it is ended; then takes as many as a
  // batch holds.
  std::vector<WriteRef> take(rt::Deadline deadline);
  // From now on nothing is pushed; `why` is what writers are told.
  void refuse(const Status& why);
  // The same, and take() does not wait any more.
  void end(const Status& why);

  // What refuse() said.
  [[nodiscard]] Status refusal() const;
  [[nodiscard]] bool has_ended() const;
  [[nodiscard]] std::uint64_t refused() const;

 private:
  const QueueLimits limits_;
  mutable rt::Mutex mutex_;
  rt::Cond changed_;
  std::list<WriteRef> waiting_;
  std::size_t bytes_ = 0;
  Status refusal_;
  bool has_ended_ = false;
  std::uint64_t refused_ = 0;
};

}  // namespace parley::kv::impl
