#include "parley/net/impl/tls_sessions.h"

#include <algorithm>
#include <iterator>

namespace parley::net::impl {
namespace {

// Servers send two at a time; more of one server would only push out those of others.
constexpr std::size_t sessions_per_name = 4;

}  // namespace

void ClientSessions::put(const std::string& server_name, SslSessionPtr session) {
  std::list<Entry> dropped;  // freed after the lock
  const std::lock_guard lock(mutex_);
  entries_.push_front({server_name, std::move(session)});
  std::size_t same = 0;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto entry = at++;
    if (entry->server_name == server_name && ++same > sessions_per_name) {
      dropped.splice(dropped.end(), entries_, entry);
    }
  }
  while (entries_.size() > max_sessions_) {
    dropped.splice(dropped.end(), entries_, std::prev(entries_.end()));
  }
}

SslSessionPtr ClientSessions::take(const std::string& server_name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.server_name == server_name;
  });
  if (found == entries_.end()) return nullptr;
  if (SSL_SESSION_get_protocol_version(found->session.get()) >= TLS1_3_VERSION) {
    SslSessionPtr session = std::move(found->session);
    entries_.erase(found);
    return session;
  }
  entries_.splice(entries_.begin(), entries_, found);
  SSL_SESSION_up_ref(found->session.get());
  return SslSessionPtr(found->session.get());
}

std::size_t ClientSessions::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace parley::net::impl
