// What every listener over a socket does, whatever it makes of the accepted descriptors: waiting,
// running out of descriptors, closing, the file of a Unix socket. Private to net.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "parley/base/fd.h"
#include "parley/base/result.h"
#include "parley/net/impl/doorbell.h"
#include "parley/net/impl/socket.h"
#include "parley/net/options.h"
#include "parley/net/stream.h"

namespace parley::net::impl {

// Without a descriptor left: how long accept() waits before it asks again, growing twofold.
inline constexpr Duration first_accept_pause = std::chrono::milliseconds(5);
inline constexpr Duration longest_accept_pause = std::chrono::milliseconds(250);

// The file of a Unix socket that this process made. Removes nothing it did not make.
class SocketFile {
 public:
  SocketFile() = default;
  // The file at `path` as it is now.
  explicit SocketFile(std::string path);
  // Removes the file if the same one is still there. Call it while the socket is open: the kernel
  // then keeps the inode's number from being given to another.
  void remove();
  // Leaves it to somebody else.
  void forget() { path_.clear(); }

 private:
  std::string path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

class ListeningSocket {
 public:
  // `fd` listens and does not block. `shared`: other processes have it as well, so that close()
  // must leave its queue alone; the file, if there is one, is still this process's to remove.
  static Result<std::unique_ptr<ListeningSocket>> make(Fd fd, SocketFile file, bool shared = false);
  ~ListeningSocket() { close(); }
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  // As Listener::accept.
  Result<Fd> accept(SocketAddress& from, rt::Deadline deadline);
  void close();
  // As Listener::set_shared: from now on the file is another's as well.
  void set_shared() {
    shared_ = true;
    file_is_others_ = true;
  }

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] ListenerCounts counts() const { return {.accepted = accepted_, .pauses = pauses_}; }

  // After a connection that could not be taken: waits for `length`, doubles it, and is ok when it
  // is time to try again.
  Status pause(Duration& length, rt::Deadline deadline);

 private:
  ListeningSocket(Fd fd, SocketFile file, bool shared);
  Status closed();

  Fd fd_;
  Doorbell bell_;  // ends its watch before fd_ is closed
  SocketFile file_;
  const Address address_;
  std::atomic<bool> closed_ = false;
  std::atomic<bool> shared_;
  std::atomic<bool> file_is_others_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> pauses_ = 0;
};

// A socket of `type` that listens on `address` as Network::listen says, without its "listen on".
// `file` becomes the socket file, if one was made.
Result<Fd> open_listening(const Address& address, int type, const ListenOptions& options,
                          SocketFile& file);

// The Listener over a listening, non-blocking stream socket; arguments as for
// ListeningSocket::make.
Result<std::unique_ptr<Listener>> make_listener(Fd fd, SocketFile file, bool shared = false);

}  // namespace parley::net::impl
