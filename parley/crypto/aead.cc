#include "parley/crypto/aead.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "parley/base/assert.h"
#include "parley/crypto/constant_time.h"
#include "parley/crypto/impl/aead_cipher.h"
#include "parley/crypto/random_bytes.h"

namespace parley::crypto {
namespace {

using impl::AeadCipher;
using impl::Direction;

constexpr std::size_t most_message_bytes = std::size_t{1} << 30;

// A ready context for the next who comes. Taking it leaves the place empty, so nobody waits: who
// finds it empty makes another, and of two that come back one is let go.
class Spare {
 public:
  Spare() = default;
  ~Spare() { delete place_.load(std::memory_order_relaxed); }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  std::unique_ptr<AeadCipher> take() noexcept {
    return std::unique_ptr<AeadCipher>(place_.exchange(nullptr, std::memory_order_acquire));
  }
  void put(std::unique_ptr<AeadCipher> cipher) noexcept {
    delete place_.exchange(cipher.release(), std::memory_order_acq_rel);
  }

 private:
  std::atomic<AeadCipher*> place_{nullptr};
};

Status used_up(std::string_view what, std::uint64_t limit) {
  return {Code::resource_exhausted, "this key has reached AeadLimits::" + std::string(what) + " (" +
                                        std::to_string(limit) + "): go on with another key"};
}

Status no_room_for_a_tag(std::size_t size) {
  return {Code::data_loss,
          std::to_string(size) + " bytes have no room for the tag of a sealed message"};
}

// Adds, unless that would exceed the limit.
bool add_within(std::atomic<std::uint64_t>& counter, std::uint64_t count, std::uint64_t limit) {
  std::uint64_t was = counter.load(std::memory_order_relaxed);
  do {
    if (count > limit || was > limit - count) return false;
  } while (!counter.compare_exchange_weak(was, was + count, std::memory_order_relaxed));
  return true;
}

bool overlaps(std::string_view in, std::span<char> out) {
  if (in.empty() || out.empty() || in.data() == out.data()) return false;
  return std::less<>()(in.data(), out.data() + out.size()) &&
         std::less<>()(out.data(), in.data() + in.size());
}

// One piece of text as it would be found in Bytes.
struct OnePiece {
  std::string_view text;
  [[nodiscard]] std::size_t size() const { return text.size(); }
  [[nodiscard]] std::size_t piece_count() const { return 1; }
  [[nodiscard]] std::string_view piece(std::size_t /*index*/) const { return text; }
};

}  // namespace

std::string_view name_of(AeadAlgorithm algorithm) noexcept {
  return algorithm == AeadAlgorithm::aes256_gcm ? "aes-256-gcm" : "chacha20-poly1305";
}

Result<Nonce> Nonce::from_bytes(std::string_view bytes) {
  if (bytes.size() != size) {
    return Status(Code::invalid_argument,
                  "a nonce has 12 bytes, not " + std::to_string(bytes.size()));
  }
  Nonce nonce;
  std::ranges::copy(bytes, nonce.bytes.begin());
  return nonce;
}

struct AeadKey::State {
  State(AeadAlgorithm of, const Secret& with, const AeadLimits& within)
      : algorithm(of), key(with.clone()), limits(within) {}

  const AeadAlgorithm algorithm;
  const Secret key;
  const AeadLimits limits;
  std::array<Spare, 2> spares;
  std::atomic<std::uint64_t> sealed{0};
  std::atomic<std::uint64_t> sealed_bytes{0};
  std::atomic<std::uint64_t> forged{0};

  Spare& spare(Direction direction) { return spares.at(static_cast<std::size_t>(direction)); }

  std::unique_ptr<AeadCipher> cipher(Direction direction) {
    std::unique_ptr<AeadCipher> ready = spare(direction).take();
    return ready ? std::move(ready) : AeadCipher::create(algorithm, key, direction);
  }

  [[nodiscard]] Status check_size(std::string_view what, std::size_t size) const {
    if (size <= limits.max_message_bytes) return {};
    return {Code::resource_exhausted, std::string(what) + " of " + std::to_string(size) +
                                          " bytes is longer than AeadLimits::max_message_bytes (" +
                                          std::to_string(limits.max_message_bytes) + ")"};
  }

  // Before anything is sealed: what is refused counts for nothing.
  Status admit(std::size_t size, std::size_t beside) {
    if (Status s = check_size("a message", size); !s.is_ok()) return s;
    if (Status s = check_size("associated data", beside); !s.is_ok()) return s;
    if (!add_within(sealed, 1, limits.max_sealed)) return used_up("max_sealed", limits.max_sealed);
    if (add_within(sealed_bytes, size, limits.max_sealed_bytes)) return {};
    sealed.fetch_sub(1, std::memory_order_relaxed);
    return used_up("max_sealed_bytes", limits.max_sealed_bytes);
  }

  // `out` has room for the message and its tag.
  template <class Pieces>
  Status seal(const Nonce& nonce, std::string_view beside, const Pieces& plain, char* out) {
    if (Status s = admit(plain.size(), beside.size()); !s.is_ok()) return s;
    std::unique_ptr<AeadCipher> with = cipher(Direction::sealing);
    bool is_fine = with && with->begin(nonce, beside);
    for (std::size_t i = 0; is_fine && i < plain.piece_count(); ++i) {
      is_fine = with->update(plain.piece(i), out);
      out += plain.piece(i).size();
    }
    if (!is_fine || !with->finish_sealing(out)) {
      return impl::openssl_failed(Code::internal, "libcrypto could not seal a message");
    }
    spare(Direction::sealing).put(std::move(with));
    return {};
  }

  // The message to `out`, which has the size of the sealed text without its tag.
  template <class Pieces>
  Status open(const Nonce& nonce, std::string_view beside, const Pieces& sealed_text,
              std::string_view tag, char* const out) {
    if (forged.load(std::memory_order_relaxed) >= limits.max_forged) {
      return used_up("max_forged", limits.max_forged);
    }
    if (Status s = check_size("a message", sealed_text.size()); !s.is_ok()) return s;
    if (Status s = check_size("associated data", beside.size()); !s.is_ok()) return s;
    std::unique_ptr<AeadCipher> with = cipher(Direction::opening);
    bool is_fine = with && with->begin(nonce, beside);
    char* to = out;
    for (std::size_t i = 0; is_fine && i < sealed_text.piece_count(); ++i) {
      is_fine = with->update(sealed_text.piece(i), to);
      to += sealed_text.piece(i).size();
    }
    const bool is_authentic = is_fine && with->finish_opening(tag);
    if (is_fine) spare(Direction::opening).put(std::move(with));
    if (is_authentic) return {};
    wipe({out, sealed_text.size()});
    Status broken = impl::openssl_failed(Code::internal, "libcrypto could not open a message");
    if (!is_fine) return broken;
    forged.fetch_add(1, std::memory_order_relaxed);
    return {Code::data_loss,
            "a sealed message cannot be opened: it, its nonce or what stands beside it was "
            "changed, or it was sealed with another key"};
  }
};

AeadKey::AeadKey(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
AeadKey::AeadKey(AeadKey&& other) noexcept = default;
AeadKey& AeadKey::operator=(AeadKey&& other) noexcept = default;
AeadKey::~AeadKey() = default;

Result<AeadKey> AeadKey::create(AeadAlgorithm algorithm, const Secret& key,
                                const AeadLimits& limits) {
  PARLEY_ASSERT(limits.max_message_bytes <= most_message_bytes,
                "AeadLimits::max_message_bytes is at most 1 GiB");
  PARLEY_ASSERT(limits.max_sealed > 0 && limits.max_forged > 0,
                "AeadLimits::max_sealed and max_forged are at least 1");
  if (key.size() != aead_key_bytes) {
    return Status(Code::invalid_argument, "a key of " + std::string(name_of(algorithm)) +
                                              " has 32 bytes, not " + std::to_string(key.size()));
  }
  auto state = std::make_unique<State>(algorithm, key, limits);
  std::unique_ptr<AeadCipher> first = state->cipher(Direction::sealing);
  if (!first) {
    return impl::openssl_failed(Code::unimplemented, "libcrypto does not offer " +
                                                         std::string(name_of(algorithm)) + " here");
  }
  state->spare(Direction::sealing).put(std::move(first));
  return AeadKey(std::move(state));
}

AeadAlgorithm AeadKey::algorithm() const noexcept { return state_->algorithm; }

Result<Bytes> AeadKey::seal_behind(std::string_view front, const Nonce& nonce,
                                   std::string_view beside, const Bytes& plain) const {
  // First of all: nothing is allocated for what is refused.
  if (Status s = state_->check_size("a message", plain.size()); !s.is_ok()) return s;
  const std::size_t size = front.size() + plain.size() + aead_tag_bytes;
  BlockRef block(Block::allocate(size));
  front.copy(block->data(), front.size());
  if (Status s = state_->seal(nonce, beside, plain, block->data() + front.size()); !s.is_ok()) {
    return s;
  }
  return Bytes::view_of(std::move(block), 0, size);
}

Result<Bytes> AeadKey::seal(const Nonce& nonce, std::string_view beside, const Bytes& plain) const {
  return seal_behind({}, nonce, beside, plain);
}

Result<Bytes> AeadKey::open(const Nonce& nonce, std::string_view beside,
                            const Bytes& sealed) const {
  if (sealed.size() < aead_tag_bytes) return no_room_for_a_tag(sealed.size());
  const std::size_t size = sealed.size() - aead_tag_bytes;
  if (Status s = state_->check_size("a message", size); !s.is_ok()) return s;
  std::array<char, aead_tag_bytes> tag{};
  sealed.slice(size, aead_tag_bytes).copy_to(tag.data());
  BlockRef block(Block::allocate(size));
  if (Status s = state_->open(nonce, beside, sealed.slice(0, size), {tag.data(), tag.size()},
                              block->data());
      !s.is_ok()) {
    return s;
  }
  return Bytes::view_of(std::move(block), 0, size);
}

Result<Bytes> AeadKey::seal_alone(std::string_view beside, const Bytes& plain) const {
  Nonce nonce;
  if (Status s = fill_random(nonce.bytes); !s.is_ok()) return s;
  return seal_behind(nonce.view(), nonce, beside, plain);
}

Result<Bytes> AeadKey::open_alone(std::string_view beside, const Bytes& sealed) const {
  if (sealed.size() < Nonce::size + aead_tag_bytes) {
    return Status(Code::data_loss,
                  std::to_string(sealed.size()) +
                      " bytes have no room for the nonce and the tag of a sealed message");
  }
  Nonce nonce;
  sealed.slice(0, Nonce::size).copy_to(nonce.bytes.data());
  return open(nonce, beside, sealed.slice(Nonce::size, sealed.size()));
}

Status AeadKey::seal_to(const Nonce& nonce, std::string_view beside, std::string_view plain,
                        std::span<char> out) const {
  PARLEY_ASSERT(out.size() == plain.size() + aead_tag_bytes,
                "room for a sealed message is 16 bytes longer than it");
  PARLEY_ASSERT(!overlaps(plain, out), "a message is sealed in place, or somewhere else");
  return state_->seal(nonce, beside, OnePiece{plain}, out.data());
}

Status AeadKey::open_to(const Nonce& nonce, std::string_view beside, std::string_view sealed,
                        std::span<char> out) const {
  if (sealed.size() < aead_tag_bytes) return no_room_for_a_tag(sealed.size());
  PARLEY_ASSERT(sealed.size() == out.size() + aead_tag_bytes,
                "room for an opened message is 16 bytes shorter than it was sealed");
  PARLEY_ASSERT(!overlaps(sealed, out), "a message is opened in place, or somewhere else");
  return state_->open(nonce, beside, OnePiece{sealed.substr(0, out.size())},
                      sealed.substr(out.size()), out.data());
}

}  // namespace parley::crypto
