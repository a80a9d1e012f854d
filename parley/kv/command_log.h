// CommandLog: what a Store asks to keep its commands, before it applies them. One fiber at a time
// calls it, the store's committer; each call may park that fiber.
//
//   class Durable final : public kv::CommandLog { ... };
//   kv::Store store(std::move(tree), {}, std::move(log));
#pragma once

#include <cstdint>
#include <span>

#include "parley/base/status.h"
#include "parley/kv/command.h"

namespace parley::kv {

class Tree;

class CommandLog {
 public:
  virtual ~CommandLog() = default;
  CommandLog() = default;
  CommandLog(const CommandLog&) = delete;
  CommandLog& operator=(const CommandLog&) = delete;

  // Appends all of them in this order, and makes them as durable as the policy promises. `index` is
  // that of the tree before the first is applied. After an error either nothing of them will ever
  // come back (is_broken() is false, and the store goes on), or nobody can know (it is true).
  virtual Status append(std::span<const Command> batch, std::uint64_t index) = 0;

  // True once it cannot be trusted any more: the store then refuses writes for good.
  [[nodiscard]] virtual bool is_broken() const = 0;

  // Called after each batch that was kept, its writers being answered, when `tree` has exactly what
  // was appended so far and does not change until this returns, so that Tree::save() may be called.
  // Saves it when that is due. An error is counted by the store and otherwise changes nothing: the
  // log goes on.
  virtual Status applied(const Tree& tree) = 0;

  // Called once, by the store that stops: makes durable what is not yet.
  virtual Status close() = 0;
};

}  // namespace parley::kv
