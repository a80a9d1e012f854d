#include "parley/http/impl/http2_tunnel.h"

#include <algorithm>
#include <utility>

namespace parley::http::impl {
Http2Tunnel::Http2Tunnel(std::shared_ptr<Http2Link> link, SharedStream stream)
    : link_(std::move(link)), stream_(std::move(stream)) {
  pollable_.watch_memory();
  link_->tell(*stream_, &pollable_);
}

Http2Tunnel::~Http2Tunnel() {
  link_->tell(*stream_, nullptr);
  link_->let_go(*stream_);
}

Result<std::optional<std::size_t>> Http2Tunnel::try_read(std::span<char> into) {
  if (rest_.empty()) {
    const auto piece = link_->try_read(*stream_);
    if (!piece) return piece.error();
    if (!*piece) return std::optional<std::size_t>();
    rest_ = **piece;
  }
  const std::size_t size = std::min(into.size(), rest_.size());
  std::copy_n(rest_.data(), size, into.data());
  rest_.remove_prefix(size);
  return std::optional(size);
}

Result<bool> Http2Tunnel::wait_readable(rt::Deadline deadline) {
  if (!rest_.empty()) return true;
  if (Status waited = link_->wait_readable(*stream_, deadline); !waited.is_ok()) return waited;
  return link_->unread(*stream_) != Unread::ended;
}

Result<std::size_t> Http2Tunnel::read(std::span<char> into, rt::Deadline deadline) {
  for (;;) {
    const auto size = try_read(into);
    if (!size) return size.error();
    if (*size) return **size;
    if (const auto waited = wait_readable(deadline); !waited) return waited.error();
  }
}

Result<std::size_t> Http2Tunnel::write_some(std::string_view from, rt::Deadline deadline) {
  const auto size = link_->write_some(*stream_, from.substr(0, 16 * 1024), deadline);
  if (!size) return size;
  if (Status s = link_->flush(*stream_); !s.is_ok()) return s;
  return size;
}

Status Http2Tunnel::close_write() { return link_->finish(*stream_); }

void Http2Tunnel::close() { link_->reset(*stream_, Http2Error::cancel); }

const net::Address& Http2Tunnel::local_address() const { return link_->local_address(); }
const net::Address& Http2Tunnel::remote_address() const { return link_->remote_address(); }

net::Stream::Unread Http2Tunnel::unread() {
  return rest_.empty() ? link_->unread(*stream_) : Unread::perhaps;
}

}  // namespace parley::http::impl
