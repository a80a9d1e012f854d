// Feeds arbitrary bytes, cut anywhere, to the handshake of a server that asks for everything it can
// ask for, and to the handshake of a client. What must hold: it ends, with a status that says
// something, and holds no more than it may.
//
// The first byte says who reads (even: server) and how large the pieces are.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "parley/base/assert.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_client.h"
#include "parley/net/tls_server.h"
#include "parley/rt/runtime.h"

namespace {

using namespace parley;

// Gives the bytes in pieces, then the end; takes whatever is written.
class Recital final : public net::Stream {
 public:
  Recital(std::string_view text, std::size_t piece) : left_(text), piece_(piece) {}

  Result<std::size_t> read(std::span<char> into, rt::Deadline /*deadline*/) override {
    const std::size_t size = std::min({into.size(), left_.size(), piece_});
    std::copy_n(left_.begin(), size, into.begin());
    left_.remove_prefix(size);
    return size;
  }
  Result<std::size_t> write_some(std::string_view from, rt::Deadline /*deadline*/) override {
    return from.size();
  }
  Status close_write() override { return {}; }
  void close() override {}
  [[nodiscard]] const net::Address& local_address() const override { return address_; }
  [[nodiscard]] const net::Address& remote_address() const override { return address_; }

 private:
  std::string_view left_;
  const std::size_t piece_;
  const net::Address address_{.network = "tcp", .host = "192.0.2.1", .port = 1};
};

struct Ends {
  Ends() {
    const net::testing::TestAuthority authority("Fuzz CA");
    net::TlsServerOptions options;
    options.identities = {authority.issue({.dns_names = {"shop.example", "*.shop.example"}})};
    options.alpn = {"parley", "h2"};
    options.client_certificates = net::ClientCertificates::optional;
    options.client_ca_pem = authority.pem();
    server = net::TlsServer::create(std::move(options)).value();
    client = net::TlsClient::create(
                 {.server_name = "shop.example", .ca_pem = authority.pem(), .alpn = {"parley"}})
                 .value();
  }
  std::unique_ptr<net::TlsServer> server;
  std::unique_ptr<net::TlsClient> client;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Ends ends;  // keys take too long to make for each input
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = std::size_t{1} << (data[0] / 2 % 14);
  rt::Runtime().run([&] {
    auto stream = std::make_unique<Recital>(text, piece);
    const Status status = data[0] % 2 == 0 ? ends.server->accept(std::move(stream)).error()
                                           : ends.client->connect(std::move(stream)).error();
    // Nobody finishes a handshake without the keys.
    PARLEY_ASSERT(!status.is_ok() && !status.message().empty(), "a fuzzer got through a handshake");
    return 0;
  });
  PARLEY_ASSERT(ends.server->handshakes_running() == 0, "a place for a handshake was lost");
  return 0;
}
