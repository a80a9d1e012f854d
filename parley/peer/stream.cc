#include "parley/peer/stream.h"

#include "parley/base/assert.h"
#include "parley/peer/impl/connection.h"
#include "parley/rt/blocking.h"

namespace parley {

RawStream::~RawStream() {
  if (core_ != nullptr) connection_->release_stream(*core_);
}

RawStream& RawStream::operator=(RawStream&& other) noexcept {
  const RawStream gone(std::move(*this));
  std::swap(connection_, other.connection_);
  std::swap(core_, other.core_);
  return *this;
}

Result<std::optional<Bytes>> RawStream::receive(rt::Deadline deadline) {
  return connection_->receive(*core_, deadline);
}

Status RawStream::send(Bytes body, rt::Deadline deadline) {
  Status status = connection_->send_on(*core_, std::move(body), deadline);
  rt::checkpoint();  // as Session::push_raw
  return status;
}

Status RawStream::finish() {
  PARLEY_ASSERT(core_->is_own, "a handler ends its stream by returning, not by finish()");
  return connection_->finish_stream(*core_);
}

void RawStream::cancel() {
  PARLEY_ASSERT(core_->is_own, "a handler ends its stream by returning, not by cancel()");
  connection_->cancel_stream(*core_);
}

Result<wire::Metadata> RawStream::end_metadata() const { return connection_->metadata_of(*core_); }

wire::BodyCodec RawStream::body_codec() const { return core_->codec; }

wire::FilterPipe RawStream::filters() const { return core_->filters; }

void RawStream::keep_filtered() { core_->is_filtered = true; }

const PeerOptions& RawStream::options() const { return connection_->extras().options(); }

}  // namespace parley
