// Hub: the sessions of a peer, by number and by the ids they have been given. Private to peer.
//
// Fiber-safe, inside a fiber only. Its lock is taken before that of a session, never after it.
//
//   hub.add(connection);
//   Status status = hub.give(*connection, "ann");      // closes who had that id
//   std::shared_ptr<Connection> ann = hub.find("ann");
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parley/base/status.h"
#include "parley/peer/session.h"
#include "parley/rt/mutex.h"

namespace parley::rt {
class Context;
class ReadyQueue;
}  // namespace parley::rt

namespace parley::impl {

class Connection;
class Errands;

// Whether a session may be given that id.
Status check_id(std::string_view id);

class Hub {
 public:
  // resource_exhausted when there are `most`.
  Status add(const std::shared_ptr<Connection>& connection, std::size_t most);
  void remove(const Connection& connection);
  // Puts a further connection of a session, which has its number, into the place of the one before.
  void replace(const std::shared_ptr<Connection>& connection);

  // See Session::set_id.
  Status give(Connection& connection, std::string_view id);
  [[nodiscard]] std::string id_of(const Connection& connection) const;

  // Null when there is none that is open.
  [[nodiscard]] std::shared_ptr<Connection> find(std::string_view id) const;
  // One of those that are open, each as likely as the others; null when there is none.
  [[nodiscard]] std::shared_ptr<Connection> any() const;
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> all() const;
  [[nodiscard]] std::size_t size() const;

  // What the peer has to do at some time, for plugins: made when it is asked for first, and null
  // once it was finished, which is after the last session.
  [[nodiscard]] std::shared_ptr<Errands> errands(rt::ReadyQueue& queue, const rt::Context& parent);
  void finish_errands();

 private:
  struct Entry {
    std::size_t place = 0;  // in all_
    std::string id;         // empty: none was given
  };

  mutable rt::Mutex lock_;  // of what follows
  std::vector<std::shared_ptr<Connection>> all_;
  std::unordered_map<SessionNumber, Entry> entries_;
  std::map<std::string, SessionNumber, std::less<>> given_;
  std::shared_ptr<Errands> errands_;
  bool has_finished_errands_ = false;
};

}  // namespace parley::impl
