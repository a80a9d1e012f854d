// Stream: an ordered, reliable flow of bytes both ways, in blocking style on fibers.
//
// One fiber may read (or peek) while another writes, each on any worker; two readers or two writers
// at once are a bug. close() may come from any fiber. Every wait also ends with the calling fiber's
// context. The descriptor goes with the object, not with close().
//
//   std::array<char, 4096> buffer;
//   while (auto size = stream.read(buffer)) {
//     if (*size == 0) break;                                   // the other side has finished
//     if (Status s = stream.write({buffer.data(), *size}); !s.is_ok()) return s;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "parley/base/result.h"
#include "parley/net/address.h"
#include "parley/rt/deadline.h"

namespace parley::rt {
class Pollable;
}

namespace parley::net {

struct InProcessEnd;

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

  // The same without waiting: nothing when there is nothing now.
  virtual Result<std::optional<std::size_t>> try_read(std::span<char> into);

  // Waits until a read would bring something, and may return a little too early: use try_read then.
  // False when the other side has finished and everything was read. Errors as for read;
  // unimplemented where a stream cannot do it.
  virtual Result<bool> wait_readable(rt::Deadline deadline = {});

  // Copies what the next read would give to `into` and leaves it to be read, as soon as at least
  // `at_least` bytes (from 1 to into.size(); a few hundred, since all of them must fit the kernel's
  // buffer) have come. Fewer, or 0, when the other side has finished and no more will come. Errors
  // as for read; unimplemented where a stream cannot do it.
  virtual Result<std::size_t> peek(std::span<char> into, std::size_t at_least = 1,
                                   rt::Deadline deadline = {});

  // Hands at least one byte to the network and returns how many. Waits while the other side does
  // not take any. Errors as for read. Without bytes it does nothing.
  virtual Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline = {}) = 0;

  // The same for texts that follow one another, as one writev(2): returns the bytes taken of all of
  // them, in order. Streams that know no better way hand over the first that is not empty.
  virtual Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                            rt::Deadline deadline = {});

  // Hands over everything. After an error it is unknown how much went out.
  Status write(std::string_view from, rt::Deadline deadline = {});
  Status write_all_of(std::span<const std::string_view> pieces, rt::Deadline deadline = {});

  // Says that no more will be written (half-close): the other side reads to its end. Reading goes
  // on.
  virtual Status close_write() = 0;

  // Ends both directions at once and wakes whoever reads or writes, with unavailable. Twice is
  // fine.
  virtual void close() = 0;

  [[nodiscard]] virtual const Address& local_address() const = 0;
  [[nodiscard]] virtual const Address& remote_address() const = 0;

  // What tells that more may have come, for those who want to be started by it instead of waiting
  // in a read (see serve.h). Null: this stream has no such thing.
  [[nodiscard]] virtual rt::Pollable* readiness() { return nullptr; }

  // What is left to be read, by the one who reads.
  enum class Unread : std::uint8_t {
    nothing,  // readiness() will tell when that changes
    perhaps,
    ended,  // and never will be: the other side has finished
  };
  [[nodiscard]] virtual Unread unread() { return Unread::perhaps; }

  // The socket's descriptor, for what this interface does not know; -1 when there is none. It stays
  // the stream's: do not close, read or write it.
  [[nodiscard]] virtual int descriptor() const { return -1; }

  // What it has in common with the other side, where that is in this process
  // (in_process_network.h); null elsewhere.
  [[nodiscard]] virtual const InProcessEnd* in_process() { return nullptr; }
};

// What a listener did so far.
struct ListenerCounts {
  std::uint64_t accepted = 0;
  // Times accept() found no descriptor (or memory) left and paused.
  std::uint64_t pauses = 0;
};

class Listener {
 public:
  virtual ~Listener() = default;
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // The next connection; any number of fibers may accept at once. While the process or the machine
  // has no descriptor left, connections stay in the kernel's queue and this waits, asking again
  // after 5 ms, then twice that, up to 250 ms (ListenerCounts::pauses). unavailable once the
  // listener is closed; deadline_exceeded, or the context's status, when that came first.
  virtual Result<std::unique_ptr<Stream>> accept(rt::Deadline deadline = {}) = 0;

  // Accepts no more, wakes accept() and refuses who is in the queue. Removes the file of a Unix
  // socket if it is still this one's. Twice is fine. May come from any fiber.
  virtual void close() = 0;

  // With the real port where 0 was asked for.
  [[nodiscard]] virtual const Address& address() const = 0;

  [[nodiscard]] virtual ListenerCounts counts() const { return {}; }

  // As for Stream.
  [[nodiscard]] virtual int descriptor() const { return -1; }

  // Says that another process has this socket as well (see handover.h): close() then leaves the
  // socket, its queue and its file to that process.
  virtual void set_shared() {}
};

}  // namespace parley::net
