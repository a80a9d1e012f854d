// Stream: an ordered, reliable flow of bytes both ways, in blocking style on fibers.
//
// One fiber may read while another writes; two readers or two writers at once are a bug. close()
// may come from any fiber. Every wait also ends with the calling fiber's context.
//
//   std::array<char, 4096> buffer;
//   while (auto size = stream.read(buffer)) {
//     if (*size == 0) break;                                   // the other side has finished
//     if (Status s = stream.write({buffer.data(), *size}); !s.is_ok()) return s;
//   }
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/rt/deadline.h"

namespace parley::net {

class Stream {
 public:
  virtual ~Stream() = default;
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // At least one byte and at most `into.size()`, as soon as there are any; 0 when the other side
  // has finished writing. unavailable when the connection is broken or closed here;
  // deadline_exceeded, or the context's status, when that came first: nothing is lost then, read
  // again.
  virtual Result<std::size_t> read(std::span<char> into, rt::Deadline deadline = {}) = 0;

  // Hands at least one byte to the network and returns how many. Waits while the other side does
  // not take any. Errors as for read.
  virtual Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline = {}) = 0;

  // Hands over everything. After an error it is unknown how much went out.
  Status write(std::string_view from, rt::Deadline deadline = {});

  // Says that no more will be written (half-close): the other side reads to its end. Reading goes
  // on.
  virtual Status close_write() = 0;

  // Ends both directions at once and wakes whoever reads or writes, with unavailable. Twice is
  // fine.
  virtual void close() = 0;

  [[nodiscard]] virtual const Address& local_address() const = 0;
  [[nodiscard]] virtual const Address& remote_address() const = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The next connection. unavailable once the listener is closed; resource_exhausted when the
  // process is out of descriptors (the connection waits in the kernel: try again later);
  // deadline_exceeded, or the context's status, when that came first.
  virtual Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline = {}) = 0;

  // Accepts no more and wakes accept(). Twice is fine.
  virtual void close() = 0;

  // With the real port where 0 was asked for.
  [[nodiscard]] virtual const Address& address() const = 0;
};

}  // namespace parley::net
