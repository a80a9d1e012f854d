#include "parley/crypto/sealed_sequence.h"

#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include "parley/crypto/impl/replay_window.h"
#include "parley/crypto/impl/sequence_keys.h"

namespace parley::crypto {
namespace {

using impl::Arrival;
using impl::Link;
using impl::SequenceKey;

constexpr std::size_t number_bytes = sequence_overhead - aead_tag_bytes;

std::array<char, number_bytes> big_endian(std::uint64_t number) {
  std::array<char, number_bytes> bytes{};
  for (std::size_t i = bytes.size(); i-- > 0; number >>= 8U) {
    bytes.at(i) = static_cast<char>(number & 0xFFU);
  }
  return bytes;
}

std::uint64_t number_in_front_of(const Bytes& sealed) {
  std::array<char, number_bytes> bytes{};
  sealed.slice(0, number_bytes).copy_to(bytes.data());
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

Status too_long(std::size_t size, std::size_t most) {
  return {Code::resource_exhausted, "a message of " + std::to_string(size) +
                                        " bytes is longer than "
                                        "SequenceOptions::max_message_bytes (" +
                                        std::to_string(most) + ")"};
}

Status at_the_end(std::uint64_t most) {
  return {Code::resource_exhausted, "this sequence has reached SequenceOptions::max_messages (" +
                                        std::to_string(most) + "): agree on a new secret"};
}

}  // namespace

struct SealingSequence::State {
  State(const SequenceOptions& with, Link first) : options(with), link(std::move(first)) {}

  struct Turn {
    std::uint64_t number;
    std::shared_ptr<const SequenceKey> key;
  };

  // A number, and the key for it.
  Result<Turn> take_turn() {
    const std::scoped_lock lock(mutex);
    if (next >= options.max_messages) return at_the_end(options.max_messages);
    if (next / options.messages_per_key != epoch) {
      Result<Link> changed = impl::next_link(link, options);
      if (!changed) return changed.error();
      link = *std::move(changed);
      ++epoch;
    }
    return Turn{next++, link.key};
  }

  const SequenceOptions options;
  // tidy-allow(os-threads): this floor has no fibers, and nothing waits while it is held
  mutable std::mutex mutex;
  Link link;
  std::uint64_t next = 0;
  std::uint64_t epoch = 0;  // which key `link` has
};

struct OpeningSequence::State {
  State(const SequenceOptions& with, Link first)
      : options(with), current(std::move(first)), window(with.window) {}

  // The key a number belongs to, when it may be opened.
  Result<std::shared_ptr<const SequenceKey>> admit(std::uint64_t number) {
    const std::scoped_lock lock(mutex);
    if (forged >= options.max_forged) {
      return Status(Code::resource_exhausted,
                    "this sequence has reached SequenceOptions::max_forged (" +
                        std::to_string(options.max_forged) +
                        "): somebody is at work on the connection; close it");
    }
    if (number >= options.max_messages) return at_the_end(options.max_messages);
    if (Status s = judge(number); !s.is_ok()) return s;
    const std::uint64_t of = number / options.messages_per_key;
    if (of == epoch) return current.key;
    // No further away than the window, and that is no longer than a key serves.
    if (of < epoch) return previous;
    if (!upcoming) {
      Result<Link> next = impl::next_link(current, options);
      if (!next) return next.error();
      upcoming = *std::move(next);
    }
    return upcoming->key;
  }

  // It is authentic: unless another was quicker with the same.
  Status take(std::uint64_t number) {
    const std::scoped_lock lock(mutex);
    if (Status s = judge(number); !s.is_ok()) return s;
    window.take(number);
    ++opened;
    if (number / options.messages_per_key == epoch + 1) {
      previous = options.window == 0 ? nullptr : std::move(current.key);
      current = *std::move(upcoming);
      upcoming.reset();
      ++epoch;
    }
    // Nobody may come any more that belongs to the key before.
    if (previous && window.next() >= epoch * options.messages_per_key + options.window) {
      previous.reset();
    }
    return {};
  }

  void count_forged() {
    const std::scoped_lock lock(mutex);
    ++forged;
  }

  // With the lock.
  [[nodiscard]] Status judge(std::uint64_t number) const {
    const Arrival arrival = window.judge(number);
    if (arrival == Arrival::fresh) return {};
    const std::string which = "message " + std::to_string(number) + " of a sealed sequence";
    if (arrival == Arrival::again) {
      return {Code::already_exists, which + " has been opened: it came again"};
    }
    if (arrival == Arrival::too_late) {
      return {Code::already_exists, which + " is more than SequenceOptions::window (" +
                                        std::to_string(options.window) +
                                        ") places late: it may have been opened"};
    }
    return {Code::out_of_range, which + " came where " + std::to_string(window.next()) +
                                    " belongs: with SequenceOptions::window (" +
                                    std::to_string(options.window) + ") others come first"};
  }

  const SequenceOptions options;
  // tidy-allow(os-threads): this floor has no fibers, and nothing waits while it is held
  mutable std::mutex mutex;
  Link current;
  std::shared_ptr<const SequenceKey> previous;
  std::optional<Link> upcoming;  // derived, but nothing authentic has come of it
  std::uint64_t epoch = 0;       // which key `current` has
  impl::ReplayWindow window;
  std::uint64_t opened = 0;
  std::uint64_t forged = 0;
};

SealingSequence::SealingSequence(std::unique_ptr<State> state) noexcept
    : state_(std::move(state)) {}
SealingSequence::SealingSequence(SealingSequence&& other) noexcept = default;
SealingSequence& SealingSequence::operator=(SealingSequence&& other) noexcept = default;
SealingSequence::~SealingSequence() = default;

Result<Bytes> SealingSequence::seal(const Bytes& plain, std::string_view beside) {
  const std::size_t most = state_->options.max_message_bytes;
  if (plain.size() > most) return too_long(plain.size(), most);
  if (beside.size() > most) return too_long(beside.size(), most);
  const Result<State::Turn> turn = state_->take_turn();
  if (!turn) return turn.error();
  const std::array<char, number_bytes> front = big_endian(turn->number);
  return turn->key->key.seal_behind({front.data(), front.size()}, turn->key->nonce_of(turn->number),
                                    beside, plain);
}

std::uint64_t SealingSequence::count() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->next;
}

OpeningSequence::OpeningSequence(std::unique_ptr<State> state) noexcept
    : state_(std::move(state)) {}
OpeningSequence::OpeningSequence(OpeningSequence&& other) noexcept = default;
OpeningSequence& OpeningSequence::operator=(OpeningSequence&& other) noexcept = default;
OpeningSequence::~OpeningSequence() = default;

Result<Bytes> OpeningSequence::open(const Bytes& sealed, std::string_view beside) {
  const std::size_t most = state_->options.max_message_bytes;
  if (sealed.size() < sequence_overhead) {
    state_->count_forged();
    return Status(Code::data_loss, std::to_string(sealed.size()) +
                                       " bytes have no room for the number and the tag of a "
                                       "message of a sealed sequence");
  }
  if (sealed.size() - sequence_overhead > most) {
    return too_long(sealed.size() - sequence_overhead, most);
  }
  if (beside.size() > most) return too_long(beside.size(), most);
  const std::uint64_t number = number_in_front_of(sealed);
  const Result<std::shared_ptr<const SequenceKey>> key = state_->admit(number);
  if (!key) return key.error();
  Result<Bytes> plain =
      (*key)->key.open((*key)->nonce_of(number), beside, sealed.slice(number_bytes, sealed.size()));
  if (!plain) {
    state_->count_forged();
    return plain.error();
  }
  if (Status s = state_->take(number); !s.is_ok()) return s;
  return plain;
}

std::uint64_t OpeningSequence::count() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->opened;
}

Result<SealedSequences> derive_sequences(const Secret& shared, const SequenceOptions& options) {
  if (Status s = impl::check_options(options); !s.is_ok()) return s;
  const Side other = options.side == Side::dialer ? Side::listener : Side::dialer;
  Result<Link> mine = impl::first_link(shared, options.side, options);
  if (!mine) return mine.error();
  Result<Link> theirs = impl::first_link(shared, other, options);
  if (!theirs) return theirs.error();
  return SealedSequences{
      .sealing =
          SealingSequence(std::make_unique<SealingSequence::State>(options, *std::move(mine))),
      .opening =
          OpeningSequence(std::make_unique<OpeningSequence::State>(options, *std::move(theirs)))};
}

}  // namespace parley::crypto
