#include "parley/rt/rw_mutex.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include <memory>
#include <mutex>

#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "parley/base/testing/allocations.h"
#include "parley/rt/event.h"
#include "parley/rt/impl/membarrier.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/testing/sentences.h"
#include "parley/rt/time.h"
#include "parley/rt/wait_group.h"

namespace parley::rt {
namespace {

using testing::wait_until;
using testing::wait_until_waiting;

constexpr const char* reading = "rw mutex, shared";
constexpr const char* writing = "rw mutex";
constexpr const char* draining = "rw mutex, for readers to leave";

void read_often(RwMutex& mutex) {
  for (std::uint32_t i = 0; i < RwMutex::reads_before_bias; ++i) {
    const std::shared_lock lock(mutex);
  }
}

// A row: what it says, for a mutex that nobody holds, whatever happened to it before.
struct Row {
  const char* says;
  void (*holds)(RwMutex& mutex);
};

const Row rows[] = {
    {"any number of readers are inside at once",
     [](RwMutex& mutex) {
       WaitGroup inside;
       inside.add(5);
       Event leave;
       Scope scope;
       for (int i = 0; i < 5; ++i) {
         scope.go("reader", [&] {
           const std::shared_lock lock(mutex);
           inside.done();
           EXPECT_TRUE(leave.wait().is_ok());
         });
       }
       EXPECT_TRUE(inside.wait().is_ok());
       leave.set();
     }},
    {"a writer is alone",
     [](RwMutex& mutex) {
       const std::unique_lock lock(mutex);
       EXPECT_FALSE(mutex.try_lock());
       EXPECT_FALSE(mutex.try_lock_shared());
     }},
    {"a new one is unlocked, and one that was unlocked can be locked again",
     [](RwMutex& mutex) {
       for (int i = 0; i < 3; ++i) {
         EXPECT_TRUE(mutex.try_lock());
         mutex.unlock();
         EXPECT_TRUE(mutex.try_lock_shared());
         mutex.unlock_shared();
       }
     }},
    {"a writer waits for a reader inside",
     [](RwMutex& mutex) {
       std::atomic<bool> entered{false};
       mutex.lock_shared();
       Scope scope;
       scope.go("writer", [&] {
         const std::unique_lock lock(mutex);
         entered = true;
       });
       wait_until_waiting(draining, 1);
       EXPECT_FALSE(entered);
       mutex.unlock_shared();
       scope.join();
       EXPECT_TRUE(entered);
     }},
    {"a writer waits for a writer inside",
     [](RwMutex& mutex) {
       std::atomic<bool> entered{false};
       mutex.lock();
       Scope scope;
       scope.go("writer", [&] {
         const std::unique_lock lock(mutex);
         entered = true;
       });
       wait_until_waiting(writing, 1);
       EXPECT_FALSE(entered);
       mutex.unlock();
       scope.join();
       EXPECT_TRUE(entered);
     }},
    {"while a writer waits for readers, new readers wait until it has been inside and left",
     [](RwMutex& mutex) {
       std::string order;
       mutex.lock_shared();
       Scope scope;
       scope.go("writer", [&] {
         const std::unique_lock lock(mutex);
         order += "writer ";
       });
       wait_until_waiting(draining, 1);
       EXPECT_FALSE(mutex.try_lock_shared());
       scope.go("reader", [&] {
         const std::shared_lock lock(mutex);
         order += "reader";
       });
       wait_until_waiting(reading, 1);
       mutex.unlock_shared();
       scope.join();
       EXPECT_EQ(order, "writer reader");
     }},
    {"readers that waited go in together when the writer leaves, before the next writer",
     [](RwMutex& mutex) {
       std::atomic<int> inside{0};
       std::atomic<bool> written{false};
       Event leave;
       mutex.lock();
       Scope scope;
       scope.go("next writer", [&] {
         const std::unique_lock lock(mutex);
         EXPECT_EQ(inside, 3);
         written = true;
       });
       wait_until_waiting(writing, 1);
       for (int i = 0; i < 3; ++i) {
         scope.go("reader", [&] {
           const std::shared_lock lock(mutex);
           ++inside;
           EXPECT_TRUE(leave.wait().is_ok());
           EXPECT_FALSE(written);
         });
       }
       wait_until_waiting(reading, 3);
       mutex.unlock();
       wait_until([&] { return inside == 3; });
       EXPECT_FALSE(mutex.try_lock_shared()) << "the next writer keeps new readers out";
       leave.set();
       scope.join();
       EXPECT_TRUE(written);
     }},
    {"unlock_shared undoes one lock_shared and lets other readers be",
     [](RwMutex& mutex) {
       mutex.lock_shared();
       mutex.lock_shared();
       mutex.unlock_shared();
       EXPECT_FALSE(mutex.try_lock());
       mutex.unlock_shared();
       EXPECT_TRUE(mutex.try_lock());
       mutex.unlock();
     }},
    {"try_lock and try_lock_shared tell whether they locked, and never wait",
     [](RwMutex& mutex) {
       EXPECT_TRUE(mutex.try_lock_shared());
       EXPECT_TRUE(mutex.try_lock_shared());
       EXPECT_FALSE(mutex.try_lock());
       mutex.unlock_shared();
       mutex.unlock_shared();
       EXPECT_TRUE(mutex.try_lock());
       EXPECT_FALSE(mutex.try_lock());
       EXPECT_FALSE(mutex.try_lock_shared());
       mutex.unlock();
     }},
    {"a failed try_lock leaves no trace",
     [](RwMutex& mutex) {
       mutex.lock_shared();
       EXPECT_FALSE(mutex.try_lock());
       EXPECT_TRUE(mutex.try_lock_shared());
       mutex.unlock_shared();
       mutex.unlock_shared();
     }},
    {"one fiber may lock and another unlock",
     [](RwMutex& mutex) {
       const auto elsewhere = [](auto unlock) {
         Scope scope;
         scope.go("other", unlock);
       };
       mutex.lock_shared();
       elsewhere([&] { mutex.unlock_shared(); });
       mutex.lock();
       elsewhere([&] { mutex.unlock(); });
       EXPECT_TRUE(mutex.try_lock());
       mutex.unlock();
     }},
    {"the next writers come in the order in which they came",
     [](RwMutex& mutex) {
       std::string order;
       mutex.lock();
       Scope scope;
       for (std::size_t i = 0; i < 3; ++i) {
         scope.go("writer", [&, i] {
           const std::unique_lock lock(mutex);
           order += static_cast<char>('a' + i);
           // Those that wait must not overtake each other, whoever else may overtake them.
           wait_until_waiting(writing, 2 - i);
         });
         wait_until_waiting(writing, i + 1);
       }
       mutex.unlock();
       scope.join();
       EXPECT_EQ(order, "abc");
     }},
    {"it is unlocked at once by a reader that another worker resumed",
     [](RwMutex& mutex) {
       Scope scope;
       for (int i = 0; i < 8; ++i) {
         scope.go("reader", [&] {
           for (int k = 0; k < 20; ++k) {
             const std::shared_lock lock(mutex);
             yield();
           }
         });
       }
       scope.join();
       EXPECT_TRUE(mutex.try_lock());
       mutex.unlock();
     }},
};

enum class Past { none, much_read, read_then_written, no_membarrier };

void check_rows(Past past) {
  std::vector<testing::Sentence> sentences;
  for (const Row& row : rows) {
    sentences.push_back({row.says, [&row, past] {
                           RwMutex mutex;
                           if (past != Past::none) read_often(mutex);
                           EXPECT_EQ(mutex.is_biased(),
                                     past == Past::much_read || past == Past::read_then_written);
                           if (past == Past::read_then_written) {
                             mutex.lock();
                             mutex.unlock();
                             EXPECT_FALSE(mutex.is_biased());
                           }
                           row.holds(mutex);
                         }});
  }
  testing::check(sentences);
}

TEST(RwMutex, does_what_is_said_of_it) { check_rows(Past::none); }
TEST(RwMutex, does_so_when_readers_are_counted_by_worker) { check_rows(Past::much_read); }
TEST(RwMutex, does_so_when_a_writer_has_ended_that) { check_rows(Past::read_then_written); }

TEST(RwMutex, does_so_on_a_kernel_without_membarrier) {
  const bool had = impl::has_membarrier.exchange(false);
  check_rows(Past::no_membarrier);
  impl::has_membarrier = had;
}

PARLEY_FIBER_TEST(RwMutex, counts_readers_by_worker_after_many_reads_until_a_writer_comes) {
  RwMutex mutex;
  for (int round = 0; round < 3; ++round) {
    read_often(mutex);
    EXPECT_TRUE(mutex.is_biased());
    mutex.lock();
    EXPECT_FALSE(mutex.is_biased());
    mutex.unlock();
    // Writers every now and then: no writer after the first pays.
    for (std::uint32_t i = 0; i < 3 * RwMutex::reads_before_bias; ++i) {
      mutex.lock_shared();
      mutex.unlock_shared();
      if (i % 100 == 0) {
        mutex.lock();
        mutex.unlock();
      }
    }
    EXPECT_FALSE(mutex.is_biased());
  }
}

PARLEY_FIBER_TEST(RwMutex, can_be_used_by_one_runtime_after_another) {
  RwMutex mutex;
  read_often(mutex);
  std::thread([&] {
    Runtime({.workers = 2}).run([&] {
      read_often(mutex);
      mutex.lock();
      mutex.unlock();
      read_often(mutex);
    });
  }).join();
  mutex.lock_shared();
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock_shared();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

void stress(std::size_t writer_every, int rounds) {
  testing::run_fiber_test(
      [&] {
        RwMutex mutex;
        std::array<int, 2> both{};  // changed together
        std::atomic<int> written{0};
        Scope scope;
        for (int i = 0; i < 8; ++i) {
          scope.go("fiber", [&, i] {
            for (int k = 0; k < rounds; ++k) {
              const auto turn = static_cast<std::size_t>(k * 8 + i);
              if (turn % writer_every == 0) {
                const std::unique_lock lock(mutex);
                ++both[0];
                if (turn % 3 == 0) yield();
                ++both[1];
                ++written;
              } else if (turn % 41 == 0 && mutex.try_lock()) {
                EXPECT_EQ(both[0], both[1]);
                mutex.unlock();
              } else if (turn % 37 != 0) {
                const std::shared_lock lock(mutex);
                EXPECT_EQ(both[0], both[1]);
                if (turn % 17 == 0) yield();
              } else if (mutex.try_lock_shared()) {
                EXPECT_EQ(both[0], both[1]);
                mutex.unlock_shared();
              }
            }
          });
        }
        scope.join();
        EXPECT_EQ(both[0], written);
        EXPECT_EQ(both[1], written);
      },
      {.workers = 4});
}

TEST(RwMutex, keeps_writers_alone_under_stress) { stress(7, 4'000); }
TEST(RwMutex, keeps_writers_alone_under_stress_of_mostly_readers) { stress(9'001, 20'000); }

// Whoever has it last may destroy it, though another thread may still be on its way out of
// unlocking.
TEST(RwMutex, may_be_destroyed_by_whoever_locks_it_after_the_others) {
  for (const std::size_t workers : {1U, 4U}) {
    testing::run_fiber_test(
        [] {
          for (int i = 0; i < 300; ++i) {
            auto mutex = std::make_unique<RwMutex>();
            if (i % 2 == 0) read_often(*mutex);
            WaitGroup inside;
            inside.add(3);
            Scope scope;
            for (int k = 0; k < 3; ++k) {
              scope.go("reader", [&] {
                const std::shared_lock lock(*mutex);
                inside.done();
                yield();
              });
            }
            EXPECT_TRUE(inside.wait().is_ok());
            mutex->lock();
            mutex->unlock();
            mutex.reset();
          }
        },
        {.workers = workers});
  }
}

PARLEY_FIBER_TEST(RwMutex, readers_are_counted_apart_again_soon_where_writers_come_seldom) {
  RwMutex mutex;
  const auto read = [&mutex](std::uint32_t times) {
    for (std::uint32_t i = 0; i < times; ++i) {
      const std::shared_lock lock(mutex);
    }
  };
  const auto write = [&mutex] { const std::lock_guard lock(mutex); };
  read(RwMutex::reads_before_bias + 4 * RwMutex::reads_worth_bias);
  write();
  EXPECT_FALSE(mutex.is_biased());
  read(RwMutex::reads_before_next_bias - 1);
  EXPECT_FALSE(mutex.is_biased());
  read(1);
  EXPECT_TRUE(mutex.is_biased());
  // After some that were too few it takes all of them again.
  int rounds = 0;
  for (; mutex.is_biased() && rounds < 20; ++rounds) {
    write();
    read(RwMutex::reads_before_next_bias);
  }
  EXPECT_GT(rounds, 1);
  EXPECT_LT(rounds, 20);
  read(RwMutex::reads_before_bias - RwMutex::reads_before_next_bias - 1);
  EXPECT_FALSE(mutex.is_biased());
  read(1);
  EXPECT_TRUE(mutex.is_biased());
}

void lock_and_count_allocations() {
  const std::size_t before = parley::testing::allocations().count;
  RwMutex mutex;
  for (std::uint32_t i = 1; i < RwMutex::reads_before_bias; ++i) {
    const std::shared_lock lock(mutex);
  }
  mutex.lock();
  mutex.unlock();
  EXPECT_EQ(parley::testing::allocations().count, before);
  for (int round = 0; round < 3; ++round) {
    read_often(mutex);
    mutex.lock();
    mutex.unlock();
  }
  EXPECT_EQ(parley::testing::allocations().count, before + 2) << "the table and its slots";
}

TEST(RwMutex, allocates_once_for_its_table_and_never_to_lock) {
  testing::run_fiber_test(lock_and_count_allocations, testing::without_reports());
}

// Each in a runtime of its own, where it ends the program.
void dies(void (*misuse)(RwMutex& mutex), const char* message) {
  for (const bool much_read : {false, true}) {
    EXPECT_DEATH(parley::run([&] {
                   RwMutex mutex;
                   if (much_read) read_often(mutex);
                   misuse(mutex);
                 }),
                 message);
  }
}

TEST(RwMutex, misuse_is_a_bug_with_a_name) {
  dies([](RwMutex& mutex) { mutex.unlock(); }, "unlocked that is not locked");
  dies([](RwMutex& mutex) { mutex.lock_shared(), mutex.unlock(); }, "unlocked that is not locked");
  dies([](RwMutex& mutex) { mutex.lock(), mutex.unlock(), mutex.unlock_shared(); },
       "more often than lock_shared");
  dies([](RwMutex& mutex) { mutex.lock(); }, "locked RwMutex was destroyed");
  dies([](RwMutex& mutex) { mutex.lock_shared(); }, "locked RwMutex was destroyed");
#ifndef NDEBUG
  dies([](RwMutex& mutex) { mutex.unlock_shared(); }, "more often than lock_shared");
#endif
}

TEST(RwMutex, outside_a_fiber_it_is_refused) {
  EXPECT_DEATH(RwMutex().lock(), "RwMutex::lock was called outside a fiber");
  EXPECT_DEATH(RwMutex().lock_shared(), "RwMutex::lock_shared was called outside a fiber");
  EXPECT_DEATH((void)RwMutex().try_lock(), "RwMutex::try_lock was called outside a fiber");
  EXPECT_DEATH((void)RwMutex().try_lock_shared(), "outside a fiber");
}

}  // namespace
}  // namespace parley::rt
