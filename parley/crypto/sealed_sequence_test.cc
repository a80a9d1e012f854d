#include "parley/crypto/sealed_sequence.h"

#include <map>
#include <set>

#include "parley/base/random.h"
#include "parley/crypto/hkdf.h"
#include "parley/crypto/testing/vectors.h"

namespace parley::crypto {
namespace {

using testing::secret;

const std::string salt = "random bytes of both sides";
constexpr std::array algorithms{AeadAlgorithm::aes256_gcm, AeadAlgorithm::chacha20_poly1305};

SequenceOptions basic(AeadAlgorithm algorithm = AeadAlgorithm::aes256_gcm) {
  SequenceOptions options;
  options.algorithm = algorithm;
  options.salt = salt;
  options.context = "shop";
  return options;
}

struct Both {
  SealedSequences dialer;
  SealedSequences listener;
};

Both both(SequenceOptions options, std::string_view shared = "sixteen bytes and more") {
  options.side = Side::dialer;
  SealedSequences dialer = derive_sequences(secret(shared), options).value();
  options.side = Side::listener;
  return {std::move(dialer), derive_sequences(secret(shared), options).value()};
}

Bytes text(int number) { return Bytes::from("message " + std::to_string(number)); }

Code code_of(const Result<Bytes>& result) { return result.error().code(); }

TEST(SealedSequence, messages_go_both_ways_in_order) {
  for (const AeadAlgorithm algorithm : algorithms) {
    Both sides = both(basic(algorithm));
    for (int i = 0; i < 100; ++i) {
      const Bytes there = sides.dialer.sealing.seal(text(i), "there").value();
      const Bytes back = sides.listener.sealing.seal(text(-i), "back").value();
      EXPECT_EQ(there.size(), text(i).size() + sequence_overhead);
      EXPECT_EQ(*sides.listener.opening.open(there, "there"), text(i));
      EXPECT_EQ(*sides.dialer.opening.open(back, "back"), text(-i));
    }
    EXPECT_EQ(sides.dialer.sealing.count(), 100u);
    EXPECT_EQ(sides.listener.opening.count(), 100u);
  }
}

TEST(SealedSequence, empty_large_and_cut_messages_come_whole) {
  Both sides = both(basic());
  for (const std::size_t size : {0, 1, 1000, 3'000'000}) {
    const std::string plain(size, 't');
    const Bytes sealed = sides.dialer.sealing.seal(testing::in_pieces(plain, 4096)).value();
    EXPECT_EQ(sealed.piece_count(), 1u);
    const auto opened =
        sides.listener.opening.open(testing::in_pieces(sealed.to_string(), 100'001));
    ASSERT_TRUE(opened) << opened.error();
    EXPECT_TRUE(*opened == plain);
  }
}

// The page docs/protocols/sealed.md has this vector; it was computed by another program.
TEST(SealedSequence, is_what_its_page_says) {
  const auto first = [](AeadAlgorithm algorithm, Side side) {
    SequenceOptions options = basic(algorithm);
    options.side = side;
    options.salt = testing::counting(0, 32);
    options.messages_per_key = 2;
    SealedSequences sealed = derive_sequences(secret(testing::counting(0x40, 32)), options).value();
    std::vector<std::string> messages;
    for (const std::string_view plain : {"tea", "", "more tea"}) {
      messages.push_back(
          testing::to_hex(sealed.sealing.seal(Bytes::copy_of(plain), "beside")->to_string()));
    }
    return messages;
  };
  using Messages = std::vector<std::string>;
  EXPECT_EQ(first(AeadAlgorithm::aes256_gcm, Side::dialer),
            (Messages{"000000000000000063dc39be7249e97aa4764546ff542eac80b2e8",
                      "00000000000000012337491aa754cb859313ec0a9886a7f0",
                      "00000000000000026d5a77cf3184624ccfc75b43fc09b5db7140106ef75cedc8"}));
  EXPECT_EQ(first(AeadAlgorithm::aes256_gcm, Side::listener),
            (Messages{"00000000000000008e1eba414f07ce5033acf57e4f4fd9b46574d9",
                      "0000000000000001f2a3048d060203f5c8948dda0db29bc8",
                      "0000000000000002cb81308a39f5eb183e3c97a0b5ab930e8415d71712f20055"}));
  EXPECT_EQ(first(AeadAlgorithm::chacha20_poly1305, Side::dialer),
            (Messages{"00000000000000001a0bd989a5a29436b6b53b3c3dc785eae025ce",
                      "000000000000000173b0625bd4f7f24c22026dc3a2fb448c",
                      "0000000000000002b5427d4ee46a8cfe7c4f1428f0f34cde71e7872257323afc"}));
}

TEST(SealedSequence, a_message_that_comes_again_is_refused) {
  for (const std::size_t window : {0, 8}) {
    SequenceOptions options = basic();
    options.window = window;
    Both sides = both(options);
    std::vector<Bytes> sent;
    for (int i = 0; i < 20; ++i) {
      sent.push_back(sides.dialer.sealing.seal(text(i)).value());
      EXPECT_TRUE(sides.listener.opening.open(sent.back()));
      for (const Bytes& old : sent) {
        EXPECT_EQ(code_of(sides.listener.opening.open(old)), Code::already_exists);
      }
    }
    EXPECT_EQ(sides.listener.opening.count(), 20u);
  }
}

TEST(SealedSequence, without_a_window_each_message_has_its_place) {
  Both sides = both(basic());
  const Bytes first = sides.dialer.sealing.seal(text(0)).value();
  const Bytes second = sides.dialer.sealing.seal(text(1)).value();
  const Result<Bytes> early = sides.listener.opening.open(second);
  EXPECT_EQ(code_of(early), Code::out_of_range);
  EXPECT_NE(early.error().message().find("message 1"), std::string::npos) << early.error();
  // It changed nothing.
  EXPECT_EQ(*sides.listener.opening.open(first), text(0));
  EXPECT_EQ(*sides.listener.opening.open(second), text(1));
}

TEST(SealedSequence, a_window_lets_messages_pass_each_other) {
  for (const std::uint64_t messages_per_key : {16, 20, 1000}) {
    SequenceOptions options = basic();
    options.window = 16;
    options.messages_per_key = messages_per_key;
    Both sides = both(options);
    Random random(messages_per_key);
    // Of up to 16 that are on their way any is next.
    std::map<std::uint64_t, Bytes> on_their_way;
    int sealed = 0;
    std::set<std::string> opened;
    while (opened.size() < 500) {
      const std::uint64_t oldest =
          on_their_way.empty() ? static_cast<std::uint64_t>(sealed) : on_their_way.begin()->first;
      if (sealed < 500 && static_cast<std::uint64_t>(sealed) < oldest + 16 && random.chance(0.6)) {
        on_their_way[static_cast<std::uint64_t>(sealed)] =
            sides.dialer.sealing.seal(text(sealed)).value();
        ++sealed;
      } else if (!on_their_way.empty()) {
        auto next = on_their_way.begin();
        std::advance(next, static_cast<long>(random.below(on_their_way.size())));
        const auto plain = sides.listener.opening.open(next->second);
        ASSERT_TRUE(plain) << plain.error();
        EXPECT_TRUE(opened.insert(plain->to_string()).second);
        EXPECT_EQ(code_of(sides.listener.opening.open(next->second)), Code::already_exists);
        on_their_way.erase(next);
      }
    }
    EXPECT_EQ(sides.listener.opening.count(), 500u);
  }
}

TEST(SealedSequence, what_is_further_away_than_the_window_is_refused) {
  SequenceOptions options = basic();
  options.window = 2;
  Both sides = both(options);
  std::vector<Bytes> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(sides.dialer.sealing.seal(text(i)).value());
  EXPECT_EQ(code_of(sides.listener.opening.open(sent[2])), Code::out_of_range);
  EXPECT_TRUE(sides.listener.opening.open(sent[1]));
  EXPECT_TRUE(sides.listener.opening.open(sent[3]));
  EXPECT_EQ(code_of(sides.listener.opening.open(sent[0])), Code::already_exists);
  EXPECT_TRUE(sides.listener.opening.open(sent[2]));
}

TEST(SealedSequence, a_changed_bit_anywhere_is_refused_and_changes_nothing) {
  for (const std::size_t window : {0, 8}) {
    SequenceOptions options = basic();
    options.window = window;
    Both sides = both(options);
    const std::string sealed = sides.dialer.sealing.seal(text(0), "beside")->to_string();
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
      std::string other = sealed;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      EXPECT_FALSE(sides.listener.opening.open(Bytes::from(other), "beside")) << bit;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      EXPECT_EQ(code_of(sides.listener.opening.open(Bytes::from(sealed.substr(0, size)), "beside")),
                Code::data_loss);
    }
    EXPECT_EQ(code_of(sides.listener.opening.open(Bytes::copy_of(sealed), "besides")),
              Code::data_loss);
    EXPECT_EQ(*sides.listener.opening.open(Bytes::copy_of(sealed), "beside"), text(0));
  }
}

TEST(SealedSequence, a_message_does_not_open_on_the_side_that_sealed_it) {
  Both sides = both(basic());
  const Bytes sealed = sides.dialer.sealing.seal(text(0)).value();
  EXPECT_EQ(code_of(sides.dialer.opening.open(sealed)), Code::data_loss);
  EXPECT_TRUE(sides.listener.opening.open(sealed));
}

TEST(SealedSequence, both_sides_must_have_the_same_secret_and_options) {
  const Bytes sealed = both(basic()).dialer.sealing.seal(text(0)).value();
  const auto opened_with = [&](const SequenceOptions& options,
                               std::string_view shared = "sixteen bytes and more") {
    return code_of(both(options, shared).listener.opening.open(sealed));
  };
  EXPECT_EQ(opened_with(basic()), Code::ok);
  EXPECT_EQ(opened_with(basic(), "sixteen bytes and less"), Code::data_loss);
  EXPECT_EQ(opened_with(basic(AeadAlgorithm::chacha20_poly1305)), Code::data_loss);
  SequenceOptions other = basic();
  other.salt += '!';
  EXPECT_EQ(opened_with(other), Code::data_loss);
  other = basic();
  other.context = "Shop";
  EXPECT_EQ(opened_with(other), Code::data_loss);
  other = basic();
  other.messages_per_key = 65'535;
  EXPECT_EQ(opened_with(other), Code::data_loss);
  other = basic();
  other.window = 5;  // that is for each side to say
  EXPECT_EQ(opened_with(other), Code::ok);
}

TEST(SealedSequence, the_key_changes_after_messages_per_key) {
  // That it is another key, and which, is_what_its_page_says shows; here both sides keep step, and
  // what is sealed never comes twice.
  const auto sealed = [](std::uint64_t messages_per_key, int count) {
    SequenceOptions options = basic();
    options.messages_per_key = messages_per_key;
    Both sides = both(options);
    std::set<std::string> seen;
    for (int i = 0; i < count; ++i) {
      const Bytes message = sides.dialer.sealing.seal(Bytes::copy_of("the same")).value();
      EXPECT_TRUE(seen.insert(message.slice(8, message.size()).to_string()).second);
      const auto opened = sides.listener.opening.open(message);
      EXPECT_TRUE(opened) << i << opened.error();
    }
    return sides.listener.opening.count();
  };
  for (const std::uint64_t messages_per_key : {1, 2, 3, 50}) {
    EXPECT_EQ(sealed(messages_per_key, 100), 100u);
  }
}

// A forged message of the key to come makes the opener look ahead, and go on as before.
TEST(SealedSequence, a_forged_message_does_not_move_the_key) {
  SequenceOptions options = basic();
  options.window = 2;
  options.messages_per_key = 2;
  Both sides = both(options);
  std::vector<Bytes> sent;
  for (int i = 0; i < 6; ++i) sent.push_back(sides.dialer.sealing.seal(text(i)).value());
  EXPECT_TRUE(sides.listener.opening.open(sent[0]));
  std::string forged = sent[2].to_string();
  forged.back() = static_cast<char>(forged.back() ^ 1);
  EXPECT_EQ(code_of(sides.listener.opening.open(Bytes::from(forged))), Code::data_loss);
  EXPECT_TRUE(sides.listener.opening.open(sent[2]));
  EXPECT_TRUE(sides.listener.opening.open(sent[1]));  // of the key before
  EXPECT_EQ(code_of(sides.listener.opening.open(sent[0])), Code::already_exists);
  for (std::size_t i = 3; i < 6; ++i) EXPECT_TRUE(sides.listener.opening.open(sent[i]));
}

TEST(SequenceLimits, max_messages_ends_both_sides) {
  for (const std::uint64_t most : {2, 3}) {
    SequenceOptions options = basic();
    options.max_messages = most;
    Both sides = both(options);
    SequenceOptions longer = basic();
    Both others = both(longer);
    for (std::uint64_t i = 0; i < most; ++i) {
      EXPECT_TRUE(sides.listener.opening.open(others.dialer.sealing.seal(text(1)).value()));
      EXPECT_TRUE(sides.dialer.sealing.seal(text(1)));
    }
    const Result<Bytes> end = sides.dialer.sealing.seal(text(1));
    EXPECT_EQ(code_of(end), Code::resource_exhausted);
    EXPECT_NE(end.error().message().find("max_messages"), std::string::npos) << end.error();
    EXPECT_EQ(code_of(sides.listener.opening.open(others.dialer.sealing.seal(text(1)).value())),
              Code::resource_exhausted);
  }
}

TEST(SequenceLimits, a_message_too_long_takes_no_number) {
  for (const std::size_t most : {9, 10}) {
    SequenceOptions options = basic();
    options.max_message_bytes = most;
    options.max_forged = 1;  // nor does it count for forged
    Both sides = both(options);
    const Result<Bytes> ten = sides.dialer.sealing.seal(Bytes::copy_of("0123456789"));
    EXPECT_EQ(code_of(ten), most == 10 ? Code::ok : Code::resource_exhausted);
    EXPECT_EQ(sides.dialer.sealing.count(), most == 10 ? 1u : 0u);
    const Bytes other = both(basic()).dialer.sealing.seal(Bytes::copy_of("0123456789")).value();
    EXPECT_EQ(code_of(sides.listener.opening.open(other)),
              most == 10 ? Code::ok : Code::resource_exhausted);
    const std::uint64_t count = sides.dialer.sealing.count();
    EXPECT_EQ(code_of(sides.dialer.sealing.seal({}, "01234567890")), Code::resource_exhausted);
    EXPECT_EQ(sides.dialer.sealing.count(), count);
    const Bytes next = both(options).dialer.sealing.seal({}).value();
    EXPECT_EQ(code_of(sides.listener.opening.open(next, "01234567890")), Code::resource_exhausted);
    EXPECT_EQ(code_of(sides.listener.opening.open(next)),
              most == 10 ? Code::already_exists : Code::ok);
  }
}

TEST(SequenceLimits, one_message_may_be_overtaken_by_as_many_as_the_window_has_places) {
  for (const std::size_t window : {std::size_t{4'096}, SequenceOptions::max_window}) {
    SequenceOptions options = basic();
    options.window = window;
    options.messages_per_key = 65'536;
    Both sides = both(options);
    const Bytes late = sides.dialer.sealing.seal(text(0)).value();
    for (int i = 0; i < 5'000; ++i) {
      const Bytes next = sides.dialer.sealing.seal({}).value();
      ASSERT_TRUE(sides.listener.opening.open(next));
    }
    EXPECT_EQ(code_of(sides.listener.opening.open(late)),
              window < 5'000 ? Code::already_exists : Code::ok);
  }
}

TEST(SequenceLimits, max_forged_ends_opening) {
  for (const std::uint64_t most : {1, 4}) {
    SequenceOptions options = basic();
    options.max_forged = most;
    Both sides = both(options);
    const Bytes good = sides.dialer.sealing.seal(text(0)).value();
    for (std::uint64_t i = 0; i < most; ++i) {
      // One that is too short to be any counts as well.
      const Bytes bad = i % 2 == 0 ? good : good.slice(0, sequence_overhead - 1);
      EXPECT_EQ(code_of(sides.listener.opening.open(bad, "other")), Code::data_loss);
    }
    const Result<Bytes> end = sides.listener.opening.open(good);
    EXPECT_EQ(code_of(end), Code::resource_exhausted);
    EXPECT_NE(end.error().message().find("max_forged"), std::string::npos) << end.error();
    EXPECT_TRUE(sides.listener.sealing.seal(text(0)));
  }
}

TEST(SequenceLimits, options_out_of_their_range_are_refused_by_name) {
  const auto refused = [](const char* name, auto change, std::size_t shared = 16) {
    SequenceOptions options = basic();
    change(options);
    const Status status = derive_sequences(secret(std::string(shared, 's')), options).error();
    EXPECT_EQ(status.code(), Code::invalid_argument) << name;
    EXPECT_NE(status.message().find(name), std::string::npos) << status;
  };
  const auto none = [](SequenceOptions& /*options*/) {};
  refused("shared secret", none, 15);
  refused("salt", [](SequenceOptions& options) { options.salt.resize(15); });
  refused("salt", [](SequenceOptions& options) { options.salt.resize(513); });
  refused("context", [](SequenceOptions& options) { options.context.resize(513); });
  refused("window", [](SequenceOptions& options) {
    options.window = 65'537;
    options.max_message_bytes = 1;
    options.messages_per_key = 100'000;
  });
  refused("window", [](SequenceOptions& options) {
    options.window = 11;
    options.messages_per_key = 10;
  });
  refused("messages_per_key", [](SequenceOptions& options) { options.messages_per_key = 0; });
  refused("messages_per_key", [](SequenceOptions& options) { options.messages_per_key = 65'537; });
  refused("max_message_bytes", [](SequenceOptions& options) { options.max_message_bytes = 0; });
  refused("max_message_bytes", [](SequenceOptions& options) {
    options.max_message_bytes = (std::size_t{1} << 30) + 1;
    options.messages_per_key = 1;
  });
  refused("max_messages", [](SequenceOptions& options) { options.max_messages = 0; });
  refused("max_forged", [](SequenceOptions& options) { options.max_forged = 0; });
  SequenceOptions largest = basic();
  largest.salt.resize(512);
  largest.context.resize(512);
  largest.window = 1;
  largest.messages_per_key = std::uint64_t{1} << 40;
  largest.max_message_bytes = 1;
  EXPECT_TRUE(derive_sequences(secret(std::string(16, 's')), largest));
}

}  // namespace
}  // namespace parley::crypto
