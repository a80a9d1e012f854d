// What threads may share in crypto: keys, and both ends of sealed sequences. For ThreadSanitizer.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "parley/crypto/aead.h"
#include "parley/crypto/key_agreement.h"
#include "parley/crypto/legacy_ecb.h"
#include "parley/crypto/sealed_sequence.h"
#include "parley/crypto/signature.h"
#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::secret;

// Runs it on four threads at once.
template <class Run>
void on_four(Run run) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&run, i] { run(i); });
  for (std::thread& thread : threads) thread.join();
}

// Of one sequence.
struct BothEnds {
  explicit BothEnds(SequenceOptions options)
      : dialer(end(options, Side::dialer)), listener(end(options, Side::listener)) {}

  static SealedSequences end(SequenceOptions options, Side side) {
    options.salt = "random bytes of both sides";
    options.side = side;
    return derive_sequences(secret(std::string(32, 's')), options).value();
  }

  SealedSequences dialer;
  SealedSequences listener;
};

TEST(CryptoThreads, share_a_key_of_sealed_messages) {
  for (const AeadAlgorithm algorithm :
       {AeadAlgorithm::aes256_gcm, AeadAlgorithm::chacha20_poly1305}) {
    const AeadKey key =
        AeadKey::create(algorithm, secret(std::string(32, 'k')), {.max_sealed = 1000}).value();
    std::atomic<int> sealed{0};
    std::atomic<int> opened{0};
    on_four([&](int thread) {
      for (int i = 0; i < 300; ++i) {
        const Bytes text = Bytes::from(std::to_string(thread) + " " + std::to_string(i));
        const auto message = key.seal_alone("beside", text);
        if (!message) continue;
        ++sealed;
        const auto back = key.open_alone("beside", *message);
        if (back && *back == text && !key.open_alone("besides", *message)) ++opened;
      }
    });
    // The limit holds for all of them together.
    EXPECT_EQ(sealed, 1000);
    EXPECT_EQ(opened, 1000);
  }
}

TEST(CryptoThreads, share_both_ends_of_a_sequence) {
  BothEnds ends({.window = 4096, .messages_per_key = 5000});
  constexpr int each = 400;
  // A message goes once, or twice, and is opened by whoever has it first.
  std::atomic<int> opened{0};
  std::atomic<int> again{0};
  std::mutex mutex;
  std::vector<Bytes> kept;
  std::set<std::string> seen;
  on_four([&](int thread) {
    for (int i = 0; i < each; ++i) {
      const Bytes text = Bytes::from(std::to_string(thread) + " " + std::to_string(i));
      const Bytes message = ends.dialer.sealing.seal(text).value();
      Bytes other;
      {
        const std::scoped_lock lock(mutex);
        kept.push_back(message);
        other = kept[kept.size() / 2];
      }
      for (const Bytes& one : {message, other}) {
        const auto plain = ends.listener.opening.open(one);
        if (!plain) {
          if (plain.error().code() == Code::already_exists) ++again;
          continue;
        }
        ++opened;
        const std::scoped_lock lock(mutex);
        EXPECT_TRUE(seen.insert(plain->to_string()).second);
      }
    }
  });
  EXPECT_EQ(opened, 4 * each);
  EXPECT_EQ(again, 4 * each);
  EXPECT_EQ(ends.dialer.sealing.count(), 4u * each);
  EXPECT_EQ(ends.listener.opening.count(), 4u * each);
}

TEST(CryptoThreads, open_a_message_once_when_all_have_it_at_the_same_time) {
  for (const std::size_t window : {0, 16}) {
    BothEnds ends({.window = window});
    // Long enough for all to be at work with it before the first is done.
    const Bytes plain = Bytes::from(std::string(2'000'000, 't'));
    for (int i = 0; i < 10; ++i) {
      const Bytes message = ends.dialer.sealing.seal(plain).value();
      std::atomic<int> there{0};
      std::atomic<int> opened{0};
      std::atomic<int> again{0};
      on_four([&](int /*thread*/) {
        ++there;
        while (there < 4) std::this_thread::yield();
        const auto result = ends.listener.opening.open(message);
        if (result) ++opened;
        if (result.error().code() == Code::already_exists) ++again;
      });
      EXPECT_EQ(opened, 1);
      EXPECT_EQ(again, 3);
    }
  }
}

TEST(CryptoThreads, change_the_key_of_a_sequence_under_each_other) {
  BothEnds ends({.window = 64, .messages_per_key = 64});
  // Handed out in blocks no longer than the window, so that nobody is left behind.
  for (int block = 0; block < 20; ++block) {
    std::atomic<int> opened{0};
    on_four([&](int /*thread*/) {
      for (int i = 0; i < 16; ++i) {
        const Bytes message = ends.dialer.sealing.seal(Bytes::copy_of("tea")).value();
        if (ends.listener.opening.open(message)) ++opened;
      }
    });
    ASSERT_EQ(opened, 64) << block;
  }
}

TEST(CryptoThreads, share_pairs_signing_keys_and_legacy_keys) {
  const X25519Pair mine = X25519Pair::generate().value();
  const X25519Pair theirs = X25519Pair::generate().value();
  const Secret agreed = mine.agree(theirs.public_key()).value();
  const SigningKey signing = SigningKey::generate().value();
  const LegacyEcbKey legacy = LegacyEcbKey::create(secret(std::string(16, 'k'))).value();
  std::atomic<int> right{0};
  on_four([&](int thread) {
    for (int i = 0; i < 20; ++i) {
      const std::string text = std::to_string(thread) + " " + std::to_string(i);
      const auto same = mine.agree(theirs.public_key());
      if (same && *same == agreed) ++right;
      const auto signature = signing.sign(text);
      if (signature && signing.public_key().verify(text, signature->bytes()).is_ok()) ++right;
      if (legacy.decrypt(legacy.encrypt(text).value()).value() == text) ++right;
    }
  });
  EXPECT_EQ(right, 4 * 20 * 3);
}

}  // namespace
}  // namespace parley::crypto
