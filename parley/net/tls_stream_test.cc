// What a TlsStream does once the handshake is over.
#include <array>
#include <atomic>
#include <functional>

#include "parley/net/network.h"
#include "parley/net/testing/stream_over.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/testing/tls_pair.h"
#include "parley/rt/context.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::net {
namespace {

using namespace std::chrono_literals;
using testing::memory_streams;
using testing::read_to_end;
using testing::shake_hands;
using testing::TestAuthority;
using testing::TlsPair;

struct Setting {
  TlsVersion version = TlsVersion::tls1_3;
  TlsLimits server = {};
  TlsLimits client = {};
  testing::MemoryStreamOptions memory = {};
};

constexpr std::array versions{TlsVersion::tls1_2, TlsVersion::tls1_3};

// A connection over `streams`, or over memory.
TlsPair connect(const Setting& setting = {},
                std::optional<std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>> streams =
                    std::nullopt) {
  const TestAuthority authority("Tea CA");
  const auto server = TlsServer::create({.identities = {authority.issue({.dns_names = {"shop"}})},
                                         .max_version = setting.version,
                                         .limits = setting.server});
  const auto client = TlsClient::create(
      {.server_name = "shop", .ca_pem = authority.pem(), .limits = setting.client});
  TlsPair pair = shake_hands(**server, **client,
                             streams ? *std::move(streams) : memory_streams(setting.memory));
  EXPECT_TRUE(pair.client_status.is_ok()) << pair.client_status;
  EXPECT_TRUE(pair.server_status.is_ok()) << pair.server_status;
  return pair;
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> tcp_streams() {
  TcpNetwork network;
  auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
  auto client = network.dial((*listener)->address());
  return {*std::move(client), (*listener)->accept().value()};
}

// A stream whose bytes somebody changes on their way in, or that takes none for a while.
class Meddled final : public testing::StreamOver {
 public:
  using StreamOver::StreamOver;
  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override {
    auto size = StreamOver::read(into, deadline);
    if (size && flip_next_ && *size > 0) {
      into[*size - 1] = static_cast<char>(into[*size - 1] ^ 1);
      flip_next_ = false;
    }
    return size;
  }

  void flip_next() { flip_next_ = true; }

 private:
  std::atomic<bool> flip_next_ = false;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 31 + i / 251) & 0xff);
  return text;
}

// Sends `much` both ways at once and checks what arrives.
void exchange(const TlsPair& pair, const std::string& much, std::size_t write_size) {
  rt::Scope scope;
  for (TlsStream* stream : {pair.client.get(), pair.server.get()}) {
    scope.go("writer", [&much, stream, write_size] {
      for (std::size_t at = 0; at < much.size(); at += write_size) {
        const Status written = stream->write(std::string_view(much).substr(at, write_size));
        ASSERT_TRUE(written.is_ok()) << written;
      }
      EXPECT_TRUE(stream->close_write().is_ok());
    });
    scope.go("reader", [&much, stream] {
      Status how;
      EXPECT_TRUE(read_to_end(*stream, how) == much);
      EXPECT_TRUE(how.is_ok()) << how;
    });
  }
}

void much_both_ways() {
  const std::string much = pattern(8 << 20);
  for (const TlsVersion version : versions) {
    exchange(connect({.version = version}, tcp_streams()), much, much.size());
    exchange(connect({.version = version, .memory = {.max_pieces = 2}}), much, 100'000);
  }
}

PARLEY_FIBER_TEST(TlsStream, carries_much_both_ways_at_the_same_time) { much_both_ways(); }

TEST(TlsStream, carries_much_both_ways_on_many_workers) {
  rt::testing::run_fiber_test(&much_both_ways, {.workers = 4});
}

PARLEY_FIBER_TEST(TlsStream, a_network_of_single_bytes_is_enough) {
  const std::string some = pattern(3000);
  for (const TlsVersion version : versions) {
    exchange(connect({.version = version, .memory = {.piece_bytes = 1, .max_pieces = 1}}), some, 7);
  }
}

void keys_change_both_ways() {
  const std::string much = pattern(1 << 20);
  for (const std::uint64_t records : {std::uint64_t{3}, TlsLimits().records_per_key}) {
    const TlsLimits limits{.records_per_key = records};
    const TlsPair pair = connect({.server = limits, .client = limits}, tcp_streams());
    exchange(pair, much, 5000);
    // Each is also asked by the other to change.
    const std::uint64_t least = records == 3 ? (1 << 20) / 5000 / 3 - 1 : 0;
    EXPECT_GE(pair.client->key_updates(), least);
    EXPECT_GE(pair.server->key_updates(), least);
    if (records != 3) {
      EXPECT_EQ(pair.client->key_updates(), 0u);
    }
  }
}

PARLEY_FIBER_TEST(TlsStream, keys_change_while_both_sides_write) { keys_change_both_ways(); }

TEST(TlsStream, keys_change_while_both_sides_write_on_many_workers) {
  rt::testing::run_fiber_test(&keys_change_both_ways, {.workers = 4});
}

PARLEY_FIBER_TEST(TlsStream, keys_change_in_one_direction_while_nobody_writes_in_the_other) {
  const TlsPair pair = connect({.client = {.records_per_key = 1}});
  rt::Scope scope;
  scope.go("writer", [&] {
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pair.client->write("x").is_ok());
    EXPECT_TRUE(pair.client->close_write().is_ok());
  });
  scope.go("reader of answers", [&] {
    Status how;
    EXPECT_EQ(read_to_end(*pair.client, how), "done");
    EXPECT_TRUE(how.is_ok()) << how;
  });
  Status how;
  EXPECT_EQ(read_to_end(*pair.server, how), std::string(500, 'x'));
  EXPECT_TRUE(how.is_ok()) << how;
  EXPECT_TRUE(pair.server->write("done").is_ok());
  EXPECT_TRUE(pair.server->close_write().is_ok());
  EXPECT_GE(pair.client->key_updates(), 499u);
}

// It asks for a new key with every byte and reads none of the answers.
PARLEY_FIBER_TEST(TlsStream, max_unsent_bytes_bounds_answers_nobody_takes) {
  for (const std::size_t limit : {std::size_t{2000}, TlsLimits().max_unsent_bytes}) {
    const TlsPair pair = connect({.server = {.max_unsent_bytes = limit},
                                  .client = {.records_per_key = 1},
                                  .memory = {.max_pieces = 16}});
    rt::Scope scope;
    scope.go("greedy", [&] {
      for (int i = 0; i < 300; ++i) {
        if (!pair.client->write("x").is_ok()) return;
      }
      (void)pair.client->close_write();
    });
    Status how;
    const std::string text = read_to_end(*pair.server, how);
    if (limit == 2000) {
      EXPECT_EQ(how.code(), Code::resource_exhausted) << how;
      EXPECT_NE(how.message().find("max_unsent_bytes"), std::string::npos);
    } else {
      EXPECT_TRUE(how.is_ok()) << how;
      EXPECT_EQ(text.size(), 300u);
    }
    pair.server->close();
  }
}

// A ticket that holds a large client certificate takes more than one record. While half of it is
// there, OpenSSL does not write before it has read the rest.
PARLEY_FIBER_TEST(TlsStream, a_write_reads_the_rest_of_a_ticket_itself_or_waits_for_the_reader) {
  const TestAuthority authority("Tea CA");
  testing::TestLeaf wordy{.name = "wordy"};
  for (int i = 0; i < 2500; ++i) wordy.dns_names.push_back("n" + std::to_string(i) + ".example");
  const auto server = TlsServer::create({.identities = {authority.issue({.dns_names = {"shop"}})},
                                         .client_certificates = ClientCertificates::required,
                                         .client_ca_pem = authority.pem()});
  for (const bool with_reader : {true, false}) {
    const auto client = TlsClient::create(
        {.server_name = "shop", .ca_pem = authority.pem(), .identity = authority.issue(wordy)});
    const TlsPair pair = shake_hands(**server, **client, memory_streams({.max_pieces = 5}));
    ASSERT_TRUE(pair.server) << pair.server_status;
    ASSERT_FALSE(pair.server->info().resumed);
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.client->read(buffer, rt::Deadline::after(1ms)).error().code(),
              Code::deadline_exceeded);
    EXPECT_EQ(pair.client->write("ping", rt::Deadline::after(1ms)).code(), Code::deadline_exceeded);
    rt::Scope scope;
    if (with_reader) {
      scope.go("reader", [&] {
        std::array<char, 16> room{};
        EXPECT_EQ(pair.client->read(room).value(), 2u);
      });
    }
    scope.go("writer", [&] { EXPECT_TRUE(pair.client->write("ping").is_ok()); });
    for (int i = 0; i < 10; ++i) rt::yield();
    // And the rest of the tickets before it.
    scope.go("server", [&] { EXPECT_TRUE(pair.server->write("go").is_ok()); });
    EXPECT_EQ(pair.server->read(buffer).value(), 4u);
    if (!with_reader) {
      EXPECT_EQ(pair.client->read(buffer).value(), 2u);
    }
  }
}

PARLEY_FIBER_TEST(TlsStream, half_close_ends_one_direction_only) {
  for (const TlsVersion version : versions) {
    for (const bool client_first : {true, false}) {
      const TlsPair pair = connect({.version = version}, tcp_streams());
      TlsStream& first = client_first ? *pair.client : *pair.server;
      TlsStream& second = client_first ? *pair.server : *pair.client;
      Status how;
      EXPECT_TRUE(first.write("question").is_ok());
      EXPECT_TRUE(first.close_write().is_ok());
      EXPECT_TRUE(first.close_write().is_ok());
      EXPECT_EQ(first.write("more").code(), Code::unavailable);
      EXPECT_EQ(read_to_end(second, how), "question");
      EXPECT_TRUE(how.is_ok()) << how;
      EXPECT_EQ(read_to_end(second, how), "");
      EXPECT_TRUE(second.write("answer").is_ok());
      EXPECT_TRUE(second.close_write().is_ok());
      EXPECT_EQ(read_to_end(first, how), "answer");
      EXPECT_TRUE(how.is_ok()) << how;
    }
  }
}

PARLEY_FIBER_TEST(TlsStream, a_cut_connection_is_told_from_a_clean_end) {
  for (const TlsVersion version : versions) {
    auto streams = tcp_streams();
    Stream* const wire = streams.first.get();
    const TlsPair pair = connect({.version = version}, std::move(streams));
    EXPECT_TRUE(pair.client->write("half of what").is_ok());
    EXPECT_TRUE(wire->close_write().is_ok());  // an attacker ends it below TLS
    Status how;
    EXPECT_EQ(read_to_end(*pair.server, how), "half of what");
    EXPECT_EQ(how.code(), Code::data_loss);
    EXPECT_NE(how.message().find("without close_notify"), std::string::npos) << how;
  }
}

PARLEY_FIBER_TEST(TlsStream, a_record_altered_on_its_way_is_data_loss) {
  for (const TlsVersion version : versions) {
    auto streams = memory_streams();
    auto meddled = std::make_unique<Meddled>(std::move(streams.second));
    Meddled* const meddler = meddled.get();
    const TlsPair pair =
        connect({.version = version}, std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>(
                                          std::move(streams.first), std::move(meddled)));
    EXPECT_TRUE(pair.client->write("fine").is_ok());
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.server->read(buffer).value(), 4u);
    meddler->flip_next();
    EXPECT_TRUE(pair.client->write("pay 10").is_ok());
    const Status altered = pair.server->read(buffer).error();
    EXPECT_EQ(altered.code(), Code::data_loss) << altered;
    EXPECT_NE(altered.message().find("altered"), std::string::npos) << altered;
    EXPECT_EQ(pair.server->write("more").code(), Code::data_loss);
    // The other side is told, and knows what it means.
    const Status told = pair.client->read(buffer).error();
    EXPECT_EQ(told.code(), Code::data_loss) << told;
  }
}

PARLEY_FIBER_TEST(TlsStream, deadlines_and_contexts_end_a_read_and_nothing_is_lost) {
  const TlsPair pair = connect();
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.server->read(buffer, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  rt::Scope scope;
  scope.go("reader", [&] {
    std::array<char, 16> room{};
    EXPECT_EQ(pair.server->read(room).error().code(), Code::cancelled);
  });
  rt::yield();
  scope.cancel();
  scope.join();
  EXPECT_TRUE(pair.client->write("still here").is_ok());
  EXPECT_EQ(pair.server->read(buffer).value(), 10u);
}

PARLEY_FIBER_TEST(TlsStream, a_write_that_ran_out_of_time_goes_on_with_the_same_bytes) {
  const std::string much = pattern(300'000);
  const TlsPair pair = connect({.memory = {.max_pieces = 2}});
  std::string_view left = much;
  Status stuck;
  while (stuck.is_ok()) {
    const auto size = pair.client->write_some(left, rt::Deadline::after(1ms));
    stuck = size.error();
    if (size) left.remove_prefix(*size);
  }
  EXPECT_EQ(stuck.code(), Code::deadline_exceeded);
  rt::Scope scope;
  scope.go("reader", [&] {
    Status how;
    EXPECT_TRUE(read_to_end(*pair.server, how) == much);
    EXPECT_TRUE(how.is_ok()) << how;
  });
  // In smaller pieces than before, even.
  for (int i = 0; i < 10; ++i) {
    const auto size = pair.client->write_some(left.substr(0, 100));
    ASSERT_TRUE(size) << size.error();
    left.remove_prefix(*size);
  }
  EXPECT_TRUE(pair.client->write(left).is_ok());
  EXPECT_TRUE(pair.client->close_write().is_ok());
}

PARLEY_FIBER_TEST(TlsStream, a_write_that_ran_out_of_time_does_not_go_on_with_other_bytes) {
  const TlsPair pair = connect({.memory = {.max_pieces = 1}});
  Status stuck;
  while (stuck.is_ok()) stuck = pair.client->write(pattern(1000), rt::Deadline::after(1ms));
  rt::Scope scope;
  scope.go("reader", [&] {
    Status how;
    (void)read_to_end(*pair.server, how);
    EXPECT_EQ(how.code(), Code::data_loss) << how;  // and the end is no clean one
  });
  const Status other = pair.client->write("something else");
  EXPECT_EQ(other.code(), Code::failed_precondition);
  EXPECT_NE(other.message().find("go on with the same bytes"), std::string::npos);
  pair.client->close();
}

// Otherwise a caller could believe that nothing of it was read over there.
PARLEY_FIBER_TEST(TlsStream, a_write_of_which_a_part_has_left_is_taken) {
  const TlsPair pair = connect({.memory = {.piece_bytes = 4096, .max_pieces = 1}});
  const std::string much = pattern(9000);
  // But for the last byte, without which the caller would not come back to send the rest.
  EXPECT_EQ(pair.client->write_some(much, rt::Deadline::after(1ms)).value(), much.size() - 1);
  EXPECT_EQ(pair.client->write(much.substr(much.size() - 1), rt::Deadline::after(1ms)).code(),
            Code::deadline_exceeded);
  rt::Scope scope;
  scope.go("reader", [&] {
    Status how;
    EXPECT_TRUE(read_to_end(*pair.server, how) == much + "tail");
    EXPECT_TRUE(how.is_ok()) << how;
  });
  EXPECT_TRUE(pair.client->write(much.substr(much.size() - 1) + "tail").is_ok());
  EXPECT_TRUE(pair.client->close_write().is_ok());
}

// Also where nothing of it had left when the time was over at first.
PARLEY_FIBER_TEST(TlsStream, a_write_is_taken_when_a_part_leaves_at_the_second_try) {
  const TlsPair pair = connect({.memory = {.piece_bytes = 4096, .max_pieces = 1}});
  const std::string much = pattern(9000);
  EXPECT_TRUE(pair.client->write("x").is_ok());
  EXPECT_EQ(pair.client->write_some(much, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  std::array<char, 1> buffer{};
  EXPECT_EQ(pair.server->read(buffer).value(), 1u);  // which makes room for a piece
  EXPECT_EQ(pair.client->write_some(much, rt::Deadline::after(1ms)).value(), much.size() - 1);
  rt::Scope scope;
  scope.go("reader", [&] {
    Status how;
    EXPECT_TRUE(read_to_end(*pair.server, how) == much);
    EXPECT_TRUE(how.is_ok()) << how;
  });
  EXPECT_TRUE(pair.client->write(much.substr(much.size() - 1)).is_ok());
  EXPECT_TRUE(pair.client->close_write().is_ok());
}

void close_wakes_both() {
  const TlsPair pair = connect({}, tcp_streams());
  rt::Scope scope;
  scope.go("reader", [&] {
    std::array<char, 16> buffer{};
    EXPECT_EQ(pair.client->read(buffer).error().code(), Code::unavailable);
  });
  scope.go("writer", [&] {
    EXPECT_EQ(pair.client->write(std::string(64 << 20, 'm')).code(), Code::unavailable);
  });
  rt::yield();
  pair.client->close();
  pair.client->close();
  scope.join();
  EXPECT_EQ(pair.client->close_write().code(), Code::unavailable);
}

PARLEY_FIBER_TEST(TlsStream, close_wakes_reader_and_writer) { close_wakes_both(); }

TEST(TlsStream, close_wakes_reader_and_writer_on_many_workers) {
  rt::testing::run_fiber_test(
      [] {
        for (int i = 0; i < 20; ++i) close_wakes_both();
      },
      {.workers = 4});
}

PARLEY_FIBER_TEST(TlsStream, close_and_destruction_say_goodbye_when_nothing_is_unfinished) {
  for (const TlsVersion version : versions) {
    for (const bool destroy : {false, true}) {
      TlsPair pair = connect({.version = version}, tcp_streams());
      EXPECT_TRUE(pair.server->write("all of it").is_ok());
      pair.server->close();
      if (destroy) pair.server.reset();
      Status how;
      EXPECT_EQ(read_to_end(*pair.client, how), "all of it");
      EXPECT_TRUE(how.is_ok()) << how;
    }
  }
}

PARLEY_FIBER_TEST(TlsStream, close_timeout_ends_a_half_close_that_nobody_takes) {
  const TlsPair pair = connect({.client = {.close_timeout = 5ms}, .memory = {.max_pieces = 1}});
  Status stuck;
  while (stuck.is_ok()) stuck = pair.client->write("x", rt::Deadline::after(1ms));
  const Status status = pair.client->close_write();
  EXPECT_EQ(status.code(), Code::deadline_exceeded);
  EXPECT_NE(status.message().find("close_timeout (5 ms)"), std::string::npos) << status;
  // Behind a writer too, who has more time.
  rt::Scope stuck_there(rt::OnExit::cancel);
  stuck_there.go("writer", [&] { EXPECT_FALSE(pair.client->write("x").is_ok()); });
  rt::yield();
  EXPECT_EQ(pair.client->close_write().message(), status.message());
  // With time it leaves.
  const TlsPair patient = connect({.memory = {.max_pieces = 1}});
  rt::Scope scope;
  scope.go("reader", [&] {
    Status how;
    EXPECT_EQ(read_to_end(*patient.server, how), "xyz");
    EXPECT_TRUE(how.is_ok()) << how;
  });
  EXPECT_TRUE(patient.client->write("xyz").is_ok());
  EXPECT_TRUE(patient.client->close_write().is_ok());
}

PARLEY_FIBER_TEST(TlsStream, peek_shows_bytes_of_several_records_and_leaves_them) {
  const TlsPair pair = connect();
  std::array<char, 16> buffer{};
  EXPECT_EQ(pair.server->peek(buffer, 1, rt::Deadline::after(1ms)).error().code(),
            Code::deadline_exceeded);
  for (const char* piece : {"ab", "cd", "ef"}) EXPECT_TRUE(pair.client->write(piece).is_ok());
  EXPECT_EQ(pair.server->peek(buffer, 5).value(), 6u);
  EXPECT_EQ(std::string(buffer.data(), 6), "abcdef");
  EXPECT_EQ(pair.server->peek(std::span(buffer).first(2)).value(), 2u);
  EXPECT_EQ(pair.server->read(std::span(buffer).first(3)).value(), 3u);
  EXPECT_EQ(std::string(buffer.data(), 3), "abc");
  EXPECT_TRUE(pair.client->write("g").is_ok());
  EXPECT_TRUE(pair.client->close_write().is_ok());
  EXPECT_EQ(pair.server->peek(buffer, 10).value(), 4u);
  Status how;
  EXPECT_EQ(read_to_end(*pair.server, how), "defg");
  EXPECT_TRUE(how.is_ok()) << how;
  EXPECT_EQ(pair.server->peek(buffer).value(), 0u);
}

PARLEY_FIBER_TEST(TlsStream, texts_written_together_arrive_in_order) {
  const TlsPair pair = connect();
  const std::string large = pattern(40'000);
  const std::array<std::string_view, 5> pieces{"head", "", large, "tail", large};
  rt::Scope scope;
  scope.go("writer", [&] {
    EXPECT_TRUE(pair.client->write_all_of(pieces).is_ok());
    EXPECT_TRUE(pair.client->close_write().is_ok());
  });
  Status how;
  EXPECT_TRUE(read_to_end(*pair.server, how) == "head" + large + "tail" + large);
  EXPECT_EQ(pair.client->write_some("").value(), 0u);
}

PARLEY_FIBER_TEST(TlsStream, has_the_addresses_of_the_stream_below) {
  const TlsPair pair = connect({}, tcp_streams());
  EXPECT_EQ(pair.client->local_address(), pair.server->remote_address());
  EXPECT_GE(pair.client->descriptor(), 0);
}

}  // namespace
}  // namespace parley::net
