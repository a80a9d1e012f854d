// The memory of a run of interleavings.h: what each load may read, by the rules of C++20.
//
// Every atomic location keeps all its stores in the order they were made. A thread knows a part of
// what the others did (a vector clock); a load may read any store that is not hidden from it by a
// later one it knows of. Plain cells must only be touched by who knows of the last write.
//
// Where this is not all of C++20: the modification order of a location is the order in which the
// stores were made, and so is the single total order of seq_cst operations. A compare-exchange
// that fails reads the last store. Not thread-safe: all threads of a run are one.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace parley::rt::testing {

// Threads of one run; the test itself, which begins and ends it, is the first.
inline constexpr std::size_t most_interleaved = 6;

// How much of each thread.
struct VectorClock {
  std::array<std::uint32_t, most_interleaved> of{};

  void join(const VectorClock& other) {
    for (std::size_t i = 0; i < of.size(); ++i) of[i] = std::max(of[i], other.of[i]);
  }
  [[nodiscard]] bool covers(const VectorClock& other) const {
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (other.of[i] > of[i]) return false;
    }
    return true;
  }
};

// What a thread knows: what happened before (races are judged by this), which stores it may no
// longer overlook (more, because seq_cst fences add to it), and up to which seq_cst store.
struct Knowledge {
  VectorClock before;
  VectorClock seen;
  std::uint32_t seq_cst = 0;

  void join(const Knowledge& other) {
    before.join(other.before);
    seen.join(other.seen);
    seq_cst = std::max(seq_cst, other.seq_cst);
  }
};

class InterleavedMemory {
 public:
  using Place = std::uint32_t;  // 0: none
  using Where = std::source_location;

  struct Store {
    std::uint64_t bits = 0;
    Knowledge released;   // by an acquire that reads it
    VectorClock seen_by;  // when each thread first read or made it
    std::uint32_t seq_cst = 0;
    std::array<std::uint8_t, most_interleaved> read_late{};
  };

  void clear();
  void begin_thread(std::size_t thread);
  void join_all();  // the first thread learns all

  // Atomic locations. Each of the accesses returns what was wrong with it, if anything.
  Place add(std::size_t thread, std::uint64_t bits);
  std::string remove(std::size_t thread, Place place, Where where);
  std::string touch(std::size_t thread, Place place, Where where);
  // The oldest store that a load may read, and how many there are.
  [[nodiscard]] std::size_t oldest(std::size_t thread, Place place, bool seq_cst) const;
  [[nodiscard]] std::size_t stores(Place place) const { return locations_[place].stores.size(); }
  [[nodiscard]] const Store& store_at(Place place, std::size_t index) const {
    return locations_[place].stores[index];
  }
  // A thread gets to read the same store so often after there is a later one.
  [[nodiscard]] bool is_worn(std::size_t thread, Place place, std::size_t index,
                             unsigned limit) const;
  std::uint64_t load(std::size_t thread, Place place, std::size_t index, std::memory_order order);
  void store(std::size_t thread, Place place, std::uint64_t bits, std::memory_order order,
             bool continues_release);
  // The first half of a read-modify-write.
  std::uint64_t load_last(std::size_t thread, Place place, std::memory_order order);
  void fence(std::size_t thread, std::memory_order order);
  void light_fence(std::size_t thread);
  void heavy_fence(std::size_t thread);
  // A lock that just works: learns what was known when it was released.
  void lock(std::size_t thread, Place place);
  void unlock(std::size_t thread, Place place);
  [[nodiscard]] bool is_locked(Place place) const { return locations_[place].locked; }

  // Plain cells.
  Place add_cell(std::size_t thread, Where where);
  std::string read_cell(std::size_t thread, Place place, Where where);
  std::string write_cell(std::size_t thread, Place place, Where where, bool ends);

  // Around each step, so that what follows it is later than what it made known.
  void tick(std::size_t thread);
  [[nodiscard]] const Knowledge& known_to(std::size_t thread) const { return threads_[thread].now; }

 private:
  struct Location {
    std::vector<Store> stores;
    VectorClock accessed;
    Knowledge unlocked;
    std::uint32_t created = 0;
    std::size_t creator = 0;
    bool alive = true;
    bool locked = false;
  };
  struct Cell {
    VectorClock read;
    std::uint32_t written = 0;
    std::size_t writer = 0;
    bool alive = true;
    Where last_write;
    Where last_read;
  };
  struct Thread {
    Knowledge now;
    Knowledge read;           // by relaxed loads: an acquire fence learns it
    Knowledge release_fence;  // relaxed stores make it known
    VectorClock light_fence;
  };

  std::array<Thread, most_interleaved> threads_;
  std::vector<Location> locations_;
  std::vector<Cell> cells_;
  VectorClock fenced_;        // known to whoever passes a seq_cst fence next
  VectorClock heavy_fenced_;  // and a light one
  std::uint32_t seq_cst_ = 0;
};

[[nodiscard]] bool acquires(std::memory_order order);
[[nodiscard]] bool releases(std::memory_order order);
// "channel.h:120".
[[nodiscard]] std::string place_name(std::source_location where);

}  // namespace parley::rt::testing
