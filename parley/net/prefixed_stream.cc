#include "parley/net/prefixed_stream.h"

#include <algorithm>
#include <utility>

#include "parley/rt/pollable.h"

namespace parley::net {

PrefixedStream::PrefixedStream(std::string prefix, std::unique_ptr<Stream> below)
    : prefix_(std::move(prefix)), below_(std::move(below)) {
  if (rt::Pollable* readiness = below_->readiness(); readiness != nullptr && !prefix_.empty()) {
    readiness->tell_readable();
  }
}

std::size_t PrefixedStream::take(std::span<char> into) {
  const std::size_t size = prefix_.copy(into.data(), into.size(), at_);
  at_ += size;
  if (at_ < prefix_.size()) return size;
  prefix_ = {};
  at_ = 0;
  return size;
}

Result<std::size_t> PrefixedStream::read(std::span<char> into, rt::Deadline deadline) {
  return prefix_.empty() ? below_->read(into, deadline) : take(into);
}

Result<std::optional<std::size_t>> PrefixedStream::try_read(std::span<char> into) {
  if (prefix_.empty()) return below_->try_read(into);
  return std::optional(take(into));
}

Result<bool> PrefixedStream::wait_readable(rt::Deadline deadline) {
  return prefix_.empty() ? below_->wait_readable(deadline) : true;
}

Result<std::size_t> PrefixedStream::peek(std::span<char> into, std::size_t at_least,
                                         rt::Deadline deadline) {
  const std::size_t have = prefix_.copy(into.data(), into.size(), at_);
  if (have >= at_least) return have;
  const auto more = below_->peek(into.subspan(have), at_least - have, deadline);
  if (!more) return more.error();
  return have + *more;
}

}  // namespace parley::net
