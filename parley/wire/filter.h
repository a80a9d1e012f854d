// Filter: a stage that bytes go through before they travel, and back through when they have come:
// compression, a checksum. Filters: the stages that one side knows, by their ids. The stages that
// Parley brings are in parley/wire/filters/; a stage of your own is a class like this one:
//
//   class Rot13 final : public wire::Filter {
//     char id() const noexcept override { return 'r'; }
//     std::string_view name() const noexcept override { return "rot13"; }
//     Result<Bytes> apply(Bytes content) const override;
//     Result<Bytes> undo(Bytes content, const FilterLimit& limit) const override;
//   };
//   auto filters = std::make_shared<wire::Filters>();
//   filters->add(std::make_unique<Rot13>());
//
// A Filter keeps nothing between two calls: any number of fibers may use one at once. Filters is
// filled by one fiber, then shared as const. The functions are pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "parley/base/bytes.h"
#include "parley/base/result.h"
#include "parley/base/status.h"
#include "parley/wire/filter_pipe.h"
#include "parley/wire/message.h"

namespace parley::wire {

// What undoing may grow to.
struct FilterLimit {
  std::size_t bytes = 0;
  // Of the setting it comes from, for errors: "max_message".
  std::string_view name;
  // Of one stage of several: what may come out of all of them, which is a little less. 0: `bytes`.
  std::size_t of_pipe = 0;

  // resource_exhausted, with both.
  [[nodiscard]] Status exceeded() const;
};

class Filter {
 public:
  Filter() = default;
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  virtual ~Filter() = default;

  // The byte that names it in frames, the same on both sides and never 0; and the name for people,
  // which opens its errors.
  [[nodiscard]] virtual char id() const noexcept = 0;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  // What travels instead of `content`, which may be empty.
  [[nodiscard]] virtual Result<Bytes> apply(Bytes content) const = 0;
  // What the sender put into apply(). Never asserts on what has come, and takes little memory
  // beyond `limit`. Errors: what has come is not what apply() returned (data_loss); more than the
  // limit would come out (limit.exceeded()).
  [[nodiscard]] virtual Result<Bytes> undo(Bytes content, const FilterLimit& limit) const = 0;
};

class Filters {
 public:
  // An id that is 0 or taken is a bug.
  Filters& add(std::unique_ptr<const Filter> filter);
  // Null when none is registered under the id. Valid as long as this object.
  [[nodiscard]] const Filter* find(char id) const noexcept;

 private:
  std::vector<std::unique_ptr<const Filter>> filters_;
};

// Takes the content through the pipe. `filters` may be null: none is registered.
// Errors: a filter that is not registered (unimplemented, before any work is done); a filter's own,
// with its name in front; internal when it threw an exception.
Result<Bytes> apply_filters(const Filters* filters, const FilterPipe& pipe, Bytes content);
// The way back. What comes out has at most `limit` bytes; between two stages it may be a little
// more. Errors as above, and resource_exhausted for what grows beyond the limit.
Result<Bytes> undo_filters(const Filters* filters, const FilterPipe& pipe, Bytes content,
                           const FilterLimit& limit);

// For framings that carry a body as it came out of its pipe (Encoder::takes_filtered_bodies()):
// takes message.body through message.filters and sets `is_filtered`; does nothing to a message
// without filters, or one that has been here. On an error, one of those above, the message is what
// it was.
Status filter_body(Message& message, const Filters* filters);
// The way back for a message that was read. Its filters stay, to be used for the answer.
Status unfilter_body(Message& message, const Filters* filters, const FilterLimit& limit);

}  // namespace parley::wire
