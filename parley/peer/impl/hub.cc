#include "parley/peer/impl/hub.h"

#include <charconv>
#include <mutex>
#include <utility>

#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/line.h"
#include "parley/rt/random.h"

namespace parley::impl {
namespace {

// Ids that nobody gave begin so, and no others: none can be taken by mistake.
constexpr char own_mark = '#';

std::string own_id(SessionNumber number) { return own_mark + std::to_string(number.value()); }

// Also while it is dialled again.
bool takes_calls(Connection& connection) {
  const Line* const line = connection.extras().line();
  return line == nullptr ? connection.is_open() : line->is_open();
}

Status has_ended() {
  return {Code::failed_precondition, "the session takes no calls any more, and no id"};
}

}  // namespace

Status check_id(std::string_view id) {
  if (id.empty()) return {Code::invalid_argument, "the id of a session must not be empty"};
  if (id.front() == own_mark) {
    return {Code::invalid_argument,
            "ids that begin with # belong to sessions that were given none: choose another one"};
  }
  if (id.size() <= Session::max_id_bytes) return {};
  return {Code::invalid_argument, "the id of a session has at most " +
                                      std::to_string(Session::max_id_bytes) + " bytes, not " +
                                      std::to_string(id.size())};
}

Status Hub::add(const std::shared_ptr<Connection>& connection, std::size_t most) {
  const std::lock_guard lock(lock_);
  if (all_.size() >= most) {
    return {Code::resource_exhausted,
            "max_sessions: " + std::to_string(most) + " sessions are open"};
  }
  entries_.emplace(connection->number(), Entry{.place = all_.size(), .id = {}});
  all_.push_back(connection);
  return {};
}

void Hub::remove(const Connection& connection) {
  std::shared_ptr<Connection> last;  // it may end with this, outside the lock
  const std::lock_guard lock(lock_);
  const auto at = entries_.find(connection.number());
  if (!at->second.id.empty()) given_.erase(at->second.id);
  const std::size_t place = at->second.place;
  entries_.erase(at);
  last = std::exchange(all_[place], std::move(all_.back()));
  all_.pop_back();
  if (place < all_.size()) entries_.at(all_[place]->number()).place = place;
}

void Hub::replace(const std::shared_ptr<Connection>& connection) {
  std::shared_ptr<Connection> before = connection;  // it may end with this, outside the lock
  const std::lock_guard lock(lock_);
  const auto at = entries_.find(connection->number());
  if (at != entries_.end()) std::swap(all_[at->second.place], before);
}

Status Hub::give(Connection& connection, std::string_view id) {
  if (Status s = check_id(id); !s.is_ok()) return s;
  std::shared_ptr<Connection> before;
  {
    const std::lock_guard lock(lock_);
    const auto at = entries_.find(connection.number());
    // Once it is closing others may have its id, and it must not take theirs.
    if (at == entries_.end() || !takes_calls(connection)) return has_ended();
    if (at->second.id == id) return {};
    const auto holder = given_.find(id);
    if (holder != given_.end()) {
      Entry& theirs = entries_.at(holder->second);
      theirs.id.clear();
      // From here on it takes no calls: nobody meets two sessions of one id.
      const std::shared_ptr<Connection>& old = all_[theirs.place];
      const Status why(Code::aborted,
                       "another session has taken over the id " + printable(std::string(id)));
      Line* const line = old->extras().line();
      if (line == nullptr ? old->begin_close(why) : line->begin_close(why)) before = old;
      holder->second = connection.number();
    } else {
      given_.emplace(id, connection.number());
    }
    if (!at->second.id.empty()) given_.erase(at->second.id);
    at->second.id = id;
  }
  if (before == nullptr) return {};
  Line* const line = before->extras().line();
  line == nullptr ? before->close_aside() : line->close_aside();
  return {};
}

std::string Hub::id_of(const Connection& connection) const {
  const std::lock_guard lock(lock_);
  const auto at = entries_.find(connection.number());
  if (at != entries_.end() && !at->second.id.empty()) return at->second.id;
  return own_id(connection.number());
}

std::shared_ptr<Connection> Hub::find(std::string_view id) const {
  std::uint64_t number = 0;
  const bool is_own = !id.empty() && id.front() == own_mark;
  if (is_own) {
    const auto [_, error] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
    if (error != std::errc() || own_id(SessionNumber(number)) != id) return nullptr;
  }
  const std::lock_guard lock(lock_);
  if (!is_own) {
    const auto given = given_.find(id);
    if (given == given_.end()) return nullptr;
    number = given->second.value();
  }
  const auto at = entries_.find(SessionNumber(number));
  // One that was given another id is found by that one only.
  if (at == entries_.end() || is_own != at->second.id.empty()) return nullptr;
  const std::shared_ptr<Connection>& found = all_[at->second.place];
  return takes_calls(*found) ? found : nullptr;
}

std::shared_ptr<Connection> Hub::any() const {
  const std::lock_guard lock(lock_);
  // Those that are closing are few; when they are not, one is looked for among those that are open.
  constexpr int tries = 4;
  for (int i = 0; i < tries && !all_.empty(); ++i) {
    const std::shared_ptr<Connection>& one = all_[rt::random_below(all_.size())];
    if (takes_calls(*one)) return one;
  }
  std::vector<const std::shared_ptr<Connection>*> open;
  for (const std::shared_ptr<Connection>& each : all_) {
    if (takes_calls(*each)) open.push_back(&each);
  }
  return open.empty() ? nullptr : *open[rt::random_below(open.size())];
}

std::vector<std::shared_ptr<Connection>> Hub::all() const {
  const std::lock_guard lock(lock_);
  return all_;
}

std::size_t Hub::size() const {
  const std::lock_guard lock(lock_);
  return all_.size();
}

std::shared_ptr<Errands> Hub::errands(rt::ReadyQueue& queue, const rt::Context& parent) {
  const std::lock_guard lock(lock_);
  if (errands_ == nullptr && !has_finished_errands_) errands_ = Errands::make(queue, parent);
  return errands_;
}

void Hub::finish_errands() {
  std::unique_lock lock(lock_);
  has_finished_errands_ = true;
  const std::shared_ptr<Errands> errands = std::exchange(errands_, nullptr);
  lock.unlock();
  if (errands != nullptr) errands->finish(Duration::zero());
}

}  // namespace parley::impl
