// TlsConnection: a TlsStream out of a TlsEngine and the Stream below. Private to net.
//
// Three things keep a reader and a writer on different threads apart and let neither stop the
// other:
// * engine_mutex_ guards the engine and is never held across a wait;
// * turn_to_send_ orders what leaves and is held while a writer waits for the stream below. Who
//   reads and has something to send (the answer to a key update) only tries it: whoever holds it
//   sends that as well;
// * one fiber at a time reads the stream below: nearly always the reader; a writer when OpenSSL has
//   half of a handshake message and wants the rest before it writes on. The other waits for what
//   that one brings.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/net/impl/tls_engine.h"
#include "parley/net/tls.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/semaphore.h"

namespace parley::net::impl {

class TlsConnection final : public TlsStream {
 public:
  TlsConnection(std::unique_ptr<Stream> stream, TlsEngine engine, const TlsLimits& limits);
  ~TlsConnection() override;

  // Once, before anybody else has this object.
  Status handshake(rt::Deadline deadline);

  Result<std::size_t> read(std::span<char> into, rt::Deadline deadline) override;
  Result<std::size_t> peek(std::span<char> into, std::size_t at_least,
                           rt::Deadline deadline) override;
  Result<std::size_t> write_some(std::string_view from, rt::Deadline deadline) override;
  Result<std::size_t> write_some_of(std::span<const std::string_view> pieces,
                                    rt::Deadline deadline) override;
  Status close_write() override;
  void close() override;
  [[nodiscard]] const Address& local_address() const override { return stream_->local_address(); }
  [[nodiscard]] const Address& remote_address() const override { return stream_->remote_address(); }

  [[nodiscard]] int descriptor() const override { return stream_->descriptor(); }

  [[nodiscard]] rt::Pollable* readiness() override { return stream_->readiness(); }
  [[nodiscard]] Unread unread() override;

  [[nodiscard]] const TlsInfo& info() const override { return info_; }
  [[nodiscard]] std::uint64_t key_updates() const override { return key_updates_; }

 private:
  class Turn;
  using Step = TlsEngine::Step;

  Status run_handshake(rt::Deadline deadline);
  Status send_all(rt::Deadline deadline);
  void send_what_can_leave();
  Result<std::size_t> decrypt(std::span<char> into, rt::Deadline deadline);
  Status fill(std::uint64_t seen, rt::Deadline deadline);
  Result<std::size_t> encrypt(std::string_view from, rt::Deadline deadline);
  Step encrypt_record(std::string_view from, std::size_t& size);
  Result<std::size_t> resume_unfinished(std::string_view from, std::size_t kept);
  std::size_t output_size();
  Status failed(const char* what) const;
  Status not_taken(const Status& status, rt::Deadline deadline) const;

  std::unique_ptr<Stream> stream_;
  const TlsLimits limits_;
  TlsInfo info_;
  std::atomic<bool> closed_ = false;
  std::atomic<std::uint64_t> key_updates_ = 0;

  std::string ahead_;  // peeked at and not yet read; the reader's own

  rt::Mutex engine_mutex_;
  TlsEngine engine_;
  std::uint64_t records_ = 0;       // written under the present key
  std::uint64_t fills_ = 0;         // how often something came from below
  std::size_t unsent_answers_ = 0;  // of the engine's output, what reading brought about
  bool filling_ = false;
  bool input_ended_ = false;
  bool starved_ = false;      // the engine has no whole record left
  bool ended_by_it_ = false;  // close_notify was read
  rt::Event filled_;

  rt::Semaphore turn_to_send_{1};  // a mutex for which one can wait until a deadline
  std::string sending_;
  std::size_t sent_ = 0;    // of sending_
  std::uint64_t left_ = 0;  // bytes in all, ever
  // Of a write of whose records nothing had left when it ended: what the caller will come with
  // again.
  std::string unfinished_;
  bool write_closed_ = false;
};

}  // namespace parley::net::impl
