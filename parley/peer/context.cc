#include "parley/peer/context.h"

#include "parley/peer/impl/connection.h"

namespace parley {

const Session& Context::session() const {
  if (!session_) session_.emplace(connection_.shared_from_this(), number_);
  return *session_;
}

std::string Context::real_ip() const { return connection_.extras().real_ip(); }

RawStream Context::stream() const {
  return {connection_.shared_from_this(), stream_->shared_from_this()};
}

}  // namespace parley
