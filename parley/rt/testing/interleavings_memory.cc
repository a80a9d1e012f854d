#include "parley/rt/testing/interleavings_memory.h"

#include <string_view>

namespace parley::rt::testing {

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_consume ||
         order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

std::string place_name(std::source_location where) {
  const std::string_view file = where.file_name();
  return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(where.line());
}

void InterleavedMemory::clear() {
  threads_ = {};
  locations_.resize(1);
  cells_.resize(1);
  fenced_ = heavy_fenced_ = {};
  seq_cst_ = 0;
  tick(0);
}

void InterleavedMemory::begin_thread(std::size_t thread) {
  threads_[thread].now = threads_[0].now;
  tick(thread);
}

void InterleavedMemory::join_all() {
  for (const Thread& thread : threads_) threads_[0].now.join(thread.now);
  tick(0);
}

void InterleavedMemory::tick(std::size_t thread) {
  Knowledge& now = threads_[thread].now;
  ++now.before.of[thread];
  now.seen.of[thread] = now.before.of[thread];
}

InterleavedMemory::Place InterleavedMemory::add(std::size_t thread, std::uint64_t bits) {
  const std::uint32_t now = threads_[thread].now.before.of[thread];
  Location& location = locations_.emplace_back();
  location.creator = thread;
  location.created = now;
  Store& first = location.stores.emplace_back();
  first.bits = bits;
  first.seen_by.of[thread] = now;
  return static_cast<Place>(locations_.size() - 1);
}

std::string InterleavedMemory::touch(std::size_t thread, Place place, Where where) {
  Location& location = locations_[place];
  const VectorClock& before = threads_[thread].now.before;
  if (!location.alive) return place_name(where) + " uses an atomic that is destroyed";
  if (location.created > before.of[location.creator]) {
    return place_name(where) + " uses an atomic whose construction did not happen before";
  }
  location.accessed.of[thread] = before.of[thread];
  return {};
}

std::string InterleavedMemory::remove(std::size_t thread, Place place, Where where) {
  Location& location = locations_[place];
  if (!location.alive) return place_name(where) + " destroys an atomic twice";
  location.alive = false;
  if (threads_[thread].now.before.covers(location.accessed)) return {};
  return place_name(where) + " destroys an atomic while another thread may still use it";
}

std::size_t InterleavedMemory::oldest(std::size_t thread, Place place, bool seq_cst) const {
  const Location& location = locations_[place];
  const Knowledge& now = threads_[thread].now;
  for (std::size_t i = location.stores.size() - 1; i > 0; --i) {
    const Store& store = location.stores[i];
    if (store.seq_cst != 0 && (seq_cst || store.seq_cst <= now.seq_cst)) return i;
    for (std::size_t other = 0; other < most_interleaved; ++other) {
      const std::uint32_t seen = store.seen_by.of[other];
      if (seen == 0) continue;
      if (seen <= now.seen.of[other] || (seq_cst && seen <= fenced_.of[other])) return i;
    }
  }
  return 0;
}

bool InterleavedMemory::is_worn(std::size_t thread, Place place, std::size_t index,
                                unsigned limit) const {
  const auto& stores = locations_[place].stores;
  return index + 1 < stores.size() && stores[index].read_late[thread] >= limit;
}

std::uint64_t InterleavedMemory::load(std::size_t thread, Place place, std::size_t index,
                                      std::memory_order order) {
  Location& location = locations_[place];
  Store& store = location.stores[index];
  Thread& self = threads_[thread];
  if (index + 1 < location.stores.size()) ++store.read_late[thread];
  std::uint32_t& seen = store.seen_by.of[thread];
  if (seen == 0) seen = self.now.before.of[thread];
  (acquires(order) ? self.now : self.read).join(store.released);
  return store.bits;
}

std::uint64_t InterleavedMemory::load_last(std::size_t thread, Place place,
                                           std::memory_order order) {
  return load(thread, place, locations_[place].stores.size() - 1, order);
}

void InterleavedMemory::store(std::size_t thread, Place place, std::uint64_t bits,
                              std::memory_order order, bool continues_release) {
  Location& location = locations_[place];
  const Thread& self = threads_[thread];
  Store store;
  store.bits = bits;
  store.released = releases(order) ? self.now : self.release_fence;
  if (continues_release) store.released.join(location.stores.back().released);
  store.seen_by.of[thread] = self.now.before.of[thread];
  if (order == std::memory_order_seq_cst) store.seq_cst = ++seq_cst_;
  location.stores.push_back(store);
}

void InterleavedMemory::fence(std::size_t thread, std::memory_order order) {
  Thread& self = threads_[thread];
  if (acquires(order)) self.now.join(self.read);
  if (order == std::memory_order_seq_cst) {
    self.now.seen.join(fenced_);
    fenced_.join(self.now.seen);
    self.now.seq_cst = ++seq_cst_;
  }
  if (releases(order)) self.release_fence = self.now;
}

// As in P1202: between a light and a heavy fence as between two seq_cst fences, between two light
// ones nothing.
void InterleavedMemory::light_fence(std::size_t thread) {
  Thread& self = threads_[thread];
  self.now.seen.join(heavy_fenced_);
  self.light_fence = self.now.seen;
}

void InterleavedMemory::heavy_fence(std::size_t thread) {
  Thread& self = threads_[thread];
  for (const Thread& other : threads_) self.now.seen.join(other.light_fence);
  fence(thread, std::memory_order_seq_cst);
  heavy_fenced_.join(self.now.seen);
}

void InterleavedMemory::lock(std::size_t thread, Place place) {
  threads_[thread].now.join(locations_[place].unlocked);
  locations_[place].locked = true;
}

void InterleavedMemory::unlock(std::size_t thread, Place place) {
  locations_[place].unlocked = threads_[thread].now;
  locations_[place].locked = false;
}

InterleavedMemory::Place InterleavedMemory::add_cell(std::size_t thread, Where where) {
  Cell& cell = cells_.emplace_back();
  cell.writer = thread;
  cell.written = threads_[thread].now.before.of[thread];
  cell.last_write = where;
  return static_cast<Place>(cells_.size() - 1);
}

std::string InterleavedMemory::read_cell(std::size_t thread, Place place, Where where) {
  Cell& cell = cells_[place];
  const VectorClock& before = threads_[thread].now.before;
  if (!cell.alive) return place_name(where) + " reads a variable that is destroyed";
  if (cell.written > before.of[cell.writer]) {
    return "data race: " + place_name(where) + " reads what was written at " +
           place_name(cell.last_write) + ", and nothing orders the two";
  }
  cell.read.of[thread] = before.of[thread];
  cell.last_read = where;
  return {};
}

std::string InterleavedMemory::write_cell(std::size_t thread, Place place, Where where, bool ends) {
  Cell& cell = cells_[place];
  const VectorClock& before = threads_[thread].now.before;
  const std::string what = ends ? " destroys" : " writes";
  if (!cell.alive) return place_name(where) + what + " a variable that is destroyed";
  if (cell.written > before.of[cell.writer]) {
    return "data race: " + place_name(where) + what + " what was written at " +
           place_name(cell.last_write) + ", and nothing orders the two";
  }
  if (!before.covers(cell.read)) {
    return "data race: " + place_name(where) + what + " what is read at " +
           place_name(cell.last_read) + ", and nothing orders the two";
  }
  cell.writer = thread;
  cell.written = before.of[thread];
  cell.last_write = where;
  cell.alive = !ends;
  return {};
}

}  // namespace parley::rt::testing
