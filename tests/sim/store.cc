// A store on a disk that loses power and fails: a log that is synced for many at once, and a
// snapshot that takes its place. What was promised must be there afterwards.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/memory_files.h"
#include "parley/base/result.h"
#include "parley/rt/blocking.h"
#include "parley/rt/cond.h"
#include "parley/rt/mutex.h"
#include "parley/rt/random.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_bytes = 1U << 20U;
constexpr const char* log_path = "/log";
constexpr const char* snapshot_path = "/snapshot";

// "7 49\n": the number, and its square to tell a torn line from a whole one. That of two torn lines
// may be any.
std::string line_of(int number) {
  const std::int64_t square = std::int64_t{number} * number;
  return std::to_string(number) + " " + std::to_string(square) + "\n";
}

// As far as the lines are whole.
std::set<int> numbers_in(std::string_view text) {
  std::set<int> numbers;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    int number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end == std::string_view::npos || parsed.ec != std::errc()) break;
    if (text.substr(0, end + 1) != line_of(number)) break;
    numbers.insert(number);
    text.remove_prefix(end + 1);
  }
  return numbers;
}

// From its opening to its first failure: then it is to be opened anew.
class Store {
 public:
  static Result<std::unique_ptr<Store>> open(Files& files) {
    auto store = std::unique_ptr<Store>(new Store(files));
    const Status recovered = rt::blocking([&] { return store->recover(); });
    if (!recovered.is_ok()) return recovered;
    return store;
  }

  // Ok: it will be there, whatever happens.
  Status put(int number) {
    std::unique_lock lock(mutex_);
    if (numbers_.contains(number)) return {};
    const std::uint64_t own = ++last_;
    waiting_.push_back(number);
    while (synced_ < own && failure_.is_ok()) {
      if (syncing_) {
        (void)changed_.wait(lock);
      } else {
        sync_waiting(lock);
      }
    }
    return synced_ >= own ? Status() : failure_;
  }

  [[nodiscard]] std::set<int> numbers() const {
    const std::lock_guard lock(mutex_);
    return numbers_;
  }

 private:
  explicit Store(Files& files) : files_(files) {}

  // All that can be read goes into a new snapshot first: what a sync failed on can be read and may
  // still be lost.
  Status recover() {
    for (const char* path : {snapshot_path, log_path}) {
      const auto text = read_file(files_, path, most_bytes);
      if (!text && text.error().code() != Code::not_found) return text.error();
      if (text) numbers_.merge(numbers_in(*text));
    }
    if (Status status = write_snapshot(numbers_); !status.is_ok()) return status;
    auto log = files_.open(log_path, OpenMode::create);
    if (!log) return log.error();
    log_ = *std::move(log);
    if (Status status = log_->truncate(0); !status.is_ok()) return status;
    if (Status status = log_->sync(); !status.is_ok()) return status;
    return files_.sync_directory("/");
  }

  Status write_snapshot(const std::set<int>& numbers) {
    std::string text;
    for (const int number : numbers) text += line_of(number);
    return replace_file(files_, snapshot_path, text);
  }

  // For all that wait; without the lock meanwhile.
  void sync_waiting(std::unique_lock<rt::Mutex>& lock) {
    syncing_ = true;
    const std::vector<int> batch = std::exchange(waiting_, {});
    const std::uint64_t upto = last_;
    std::set<int> after = numbers_;
    after.insert(batch.begin(), batch.end());
    lock.unlock();
    const Status status = write(batch, after);
    lock.lock();
    syncing_ = false;
    if (status.is_ok()) {
      synced_ = upto;
      numbers_ = std::move(after);
    } else {
      failure_ = status;
    }
    changed_.broadcast();
  }

  Status write(const std::vector<int>& batch, const std::set<int>& after) {
    if (once_in(6)) {
      // In place of the log, which may be cut once the snapshot is there.
      const Status written = rt::blocking([&] { return write_snapshot(after); });
      return written.is_ok() ? rt::blocking([&] { return log_->truncate(0); }) : written;
    }
    for (const int number : batch) {
      const Status status = rt::blocking([&] { return log_->append(line_of(number)); });
      if (!status.is_ok()) return status;
      pause(1ms);
    }
    return rt::blocking([&] { return log_->sync(); });
  }

  Files& files_;
  std::unique_ptr<File> log_;
  mutable rt::Mutex mutex_;  // of what follows
  rt::Cond changed_;
  std::set<int> numbers_;
  std::vector<int> waiting_;
  std::uint64_t last_ = 0;
  std::uint64_t synced_ = 0;
  bool syncing_ = false;
  Status failure_;
};

MemoryFilesOptions disk_options() {
  MemoryFilesOptions options{.seed = rt::random_bits(), .sector = 4};
  constexpr std::array unsynced = {Unsynced::lost, Unsynced::torn, Unsynced::torn, Unsynced::kept};
  options.unsynced = unsynced.at(rt::random_below(unsynced.size()));
  if (once_in(4)) options.error_chance = 0.02;
  return options;
}

class Machine {
 public:
  void run() {
    open_anew(nullptr);
    rt::Scope writers;
    for (int writer = 0; writer < 4; ++writer) {
      writers.go("writer", [this, writer] {
        for (int i = 0; i < 10; ++i) keep(writer * 100 + i);
      });
    }
    const int strikes = draw(0, 5);
    for (int i = 0; i < strikes; ++i) {
      (void)rt::sleep(draw(0, 10'000) * 1us);
      strike();
    }
    writers.join();
    disk_.crash();
    open_anew(store_);
    const std::set<int> found = store_->numbers();
    must(std::includes(found.begin(), found.end(), promised_.begin(), promised_.end()),
         "what was promised survives");
    must(std::includes(tried_.begin(), tried_.end(), found.begin(), found.end()),
         "nothing is there that nobody put");
  }

 private:
  // As somebody who does not give up.
  void keep(int number) {
    tried_.insert(number);
    for (int attempt = 0; attempt < 50; ++attempt) {
      const std::shared_ptr<Store> store = store_;
      if (store->put(number).is_ok()) {
        promised_.insert(number);
        rt::trace_event("promised", {static_cast<std::uint64_t>(number)});
        return;
      }
      open_anew(store);
      pause(1ms);
    }
  }

  // In place of one that failed, unless another fiber has done it.
  void open_anew(const std::shared_ptr<Store>& failed) {
    const std::lock_guard lock(opening_);
    if (store_ != failed) return;
    for (int attempt = 0; attempt < 100; ++attempt) {
      auto opened = Store::open(disk_);
      if (opened) {
        store_ = *std::move(opened);
        return;
      }
      pause(1ms);
    }
    must(false, "a store can be opened once its disk works");
  }

  void strike() {
    if (once_in(2)) {
      rt::trace_event("power goes");
      disk_.crash();
      return;
    }
    const bool write = once_in(2);
    rt::trace_event("disk fails", {write ? 1U : 0U});
    disk_.fail({.operation = write ? FileOperation::write : FileOperation::sync});
  }

  MemoryFiles disk_{disk_options()};
  rt::Mutex opening_;
  std::shared_ptr<Store> store_;
  std::set<int> tried_;
  std::set<int> promised_;
};

}  // namespace

void store() {
  Machine machine;
  machine.run();
}

}  // namespace parley::sim
