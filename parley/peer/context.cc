#include "parley/peer/context.h"

#include "parley/peer/body.h"
#include "parley/peer/impl/accept.h"
#include "parley/peer/impl/connection.h"
#include "parley/peer/impl/line.h"

namespace parley {

const Session& Context::session() const {
  is_used_ = true;
  if (!session_) session_.emplace(connection_.shared_from_this(), number_);
  return *session_;
}

std::string Context::real_ip() const { return impl::kept_with(connection_).real_ip(); }

const PeerOptions& Context::options() const { return connection_.extras().options(); }

void Context::log(const std::string& line) const { connection_.log_request(line); }

wire::BodyCodec Context::reply_codec() const {
  if (reply_codec_) return *reply_codec_;
  if (!request_->metadata.empty()) {
    const auto asked = impl::accepted_body_codec(request_->metadata);
    if (asked && impl::is_known(options(), *asked)) return *asked;
  }
  const wire::BodyCodec own = request_->body_codec;
  return own == wire::BodyCodec::json || impl::is_known(options(), own) ? own
                                                                        : options().body_codec;
}

RawStream Context::stream() const {
  return {connection_.shared_from_this(), stream_->shared_from_this()};
}

}  // namespace parley
