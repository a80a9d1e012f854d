// Client: asks servers over HTTP/1.1 and HTTP/2, and keeps the connections to ask again. Follows
// redirects, sends again what was certainly not processed, and bounds every wait, queue and answer.
//
// Over TLS the server chooses the version (ALPN); a connection of HTTP/2 carries many requests at
// once, and while the first to an origin is made, all who ask there wait for it.
//
// Make it, use it and destroy it inside fibers; any number of them at the same time, on any worker.
// Every wait also ends with the calling fiber's context. Exchanges may outlive it, but get nothing
// more: its destructor closes all connections.
//
//   net::SocketNetwork network;
//   http::Client client(network);
//   auto answer = client.get("http://shop.example/tea?sort=price");
//   if (!answer) return answer.error();
//   if (answer->status != 200) return no_tea(answer->status);
//   drink(answer->body);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/base/result.h"
#include "parley/http/body_size.h"
#include "parley/http/exchange.h"
#include "parley/http/framing.h"
#include "parley/http/headers.h"
#include "parley/http/http2_options.h"
#include "parley/http/method.h"
#include "parley/http/url.h"
#include "parley/http/versions.h"
#include "parley/net/network.h"
#include "parley/net/tls_client.h"
#include "parley/rt/deadline.h"

namespace parley::http {

namespace impl {
class ClientConnection;
class ClientPool;
struct Target;
}  // namespace impl

// Durations: Duration::max() is without limit.
struct ClientOptions {
  // all: HTTP/2 where a server of https chooses it by ALPN, else HTTP/1.1. http_1: HTTP/1.1 only.
  // http_2: HTTP/2 only, in clear with prior knowledge; a server of https that does not choose it
  // is failed_precondition. A request with Upgrade goes over HTTP/1.1, on connections of its own;
  // http_2 refuses it with invalid_argument. CONNECT with Upgrade goes over HTTP/2 (an extended
  // CONNECT, RFC 8441): invalid_argument where that is not allowed, failed_precondition where the
  // server chose HTTP/1.1 or takes none. The client never asks for HTTP/2 by Upgrade: h2c, which
  // RFC 9113 3.1 took away; our server still takes it, for clients of old.
  Versions versions = Versions::all;
  // For https; its server_name is replaced by the host of the URL, its alpn by what `versions`
  // says. Must outlive the client. Null: https is refused with failed_precondition.
  net::TlsClient* tls = nullptr;
  // Where the server of a URL listens, for those that are not found by host and port: a Unix
  // socket, another port behind a tunnel. Null: tcp://host:port.
  std::function<Result<net::Address>(const Url&)> address_of{};

  // Connections to one origin (scheme, host and port) at once, and requests that may wait for one,
  // in their order. One of HTTP/2 is full with as many requests as its server allows, and
  // http2.limits.max_streams. Those that take no more (GOAWAY, max_age) do not count while they
  // finish, up to as many again.
  std::size_t max_connections_per_origin = 64;
  std::size_t max_waiting = 1024;
  // Connections at rest, of all origins; the one that rests longest goes first.
  std::size_t max_idle = 256;
  // How long one may rest. Less than what servers allow (60 to 75 s is usual).
  Duration idle_timeout = std::chrono::seconds(45);
  // No request begins on a connection older than this, so that new addresses of a name are found.
  Duration max_age = std::chrono::minutes(30);
  // A connection of HTTP/2 on which nothing came for so long is sent a PING, and ends when
  // http2.ping_timeout later nothing has come. Zero, and Duration::max(), is never.
  Duration ping_after = std::chrono::seconds(30);

  // For making a connection, TLS included.
  Duration connect_timeout = std::chrono::seconds(10);
  // From the end of the request to the head of its answer.
  Duration answer_timeout = std::chrono::seconds(60);
  // For the next piece of a body, to come or to be taken.
  Duration body_timeout = std::chrono::seconds(60);
  // With Expect: 100-continue: then the body is sent without having been asked for.
  Duration continue_timeout = std::chrono::seconds(1);

  // Redirects followed by get(), post() and send(); one more is resource_exhausted. 0: they are
  // answers like others.
  std::size_t max_redirects = 10;
  // Whether one may lead from https to http. Otherwise it is permission_denied.
  bool follow_to_insecure = false;

  // How often a request is sent at most, see Client. 1: once.
  std::size_t max_tries = 3;
  // Before the second try; twice that before the third, and so on; half of it is random.
  Duration retry_pause = std::chrono::milliseconds(50);

  // Bytes of the body of an Answer. Exchanges of begin() have no limit but `limits`.
  std::size_t max_answer_bytes = 16 * 1024 * 1024;
  // Of heads and trailers that come, and of every body.
  Http1Limits limits = {.max_body_bytes = std::numeric_limits<std::uint64_t>::max()};
  // Of HTTP/2: heads, windows, requests at once, and how a connection that says nothing is looked
  // after. Its idle_timeout, ping_after and limits.max_body_bytes are those above.
  Http2Options http2{};
  // User-Agent where the request has none. Empty: none is sent.
  std::string user_agent = "parley";
  // Called with each exchange as it begins, and returns what is used instead: one that takes the
  // coding off the answer, for example. Null: nothing is put around them.
  std::function<std::unique_ptr<ClientExchange>(std::unique_ptr<ClientExchange>)> around{};
};

// What is asked. A plain value.
struct ClientRequest {
  Method method = Method::get;
  std::string other_method{};  // its name, when `method` is other
  std::string url{};
  // Sent instead of path and query of the URL: host:port of CONNECT, * of OPTIONS.
  std::string target{};
  // Host is added where it is missing. What frames the body is the client's business.
  Headers headers{};
  std::string body{};  // of send() only
  // Ends all of it: waiting for a connection, tries, redirects, the answer. begin(): until the
  // exchange is there, which then takes deadlines of its own.
  rt::Deadline deadline{};
};

// What came, whole.
struct Answer {
  StatusCode status = 0;
  Headers headers{};
  std::string body{};
  Headers trailers{};
  std::string url{};  // which answered: another one than was asked after redirects
  Protocol protocol = Protocol::http_1_1;
};

struct ClientCounts {
  std::uint64_t dialled = 0;    // connections so far
  std::size_t connections = 0;  // now, those being made included
  std::size_t idle = 0;         // of them at rest
  std::size_t waiting = 0;      // requests that wait for a connection
};

class Client {
 public:
  // `network` must outlive the client.
  explicit Client(net::Network& network, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // An Answer, whatever its status; an error where there is none.
  // * A request of which nobody can have seen the whole head (not_sent) is sent again, and one that
  //   may run twice (is_idempotent) also when a connection that was used before ended without a
  //   byte of an answer: max_tries times at most.
  // * Redirects (301, 302, 303, 307, 308 with a Location) are followed as RFC 9110 15.4 says: 303,
  //   and 301 or 302 to POST, go on as GET without the body. Authorization, Proxy-Authorization,
  //   Cookie and Host do not go along to another origin.
  // * While a large body goes out its answer is read already; an error among them (4xx, 5xx) stops
  //   the body.
  // Errors: invalid_argument for a URL, header or answer that breaks the rules; not_sent when no
  // connection could be made or the request did not leave; unavailable when it left and no answer
  // came; data_loss when the connection ended within the answer or the server cut it; cancelled
  // when an HTTP/2 server took the request back without one; deadline_exceeded;
  // resource_exhausted for a limit of the options; not_found for an unknown host; unauthenticated
  // for a wrong certificate; the context's status.
  Result<Answer> send(const ClientRequest& request);
  Result<Answer> get(std::string_view url, rt::Deadline deadline = {});
  Result<Answer> post(std::string_view url, std::string_view body, std::string_view content_type,
                      rt::Deadline deadline = {});

  // Begins an exchange whose bodies stream both ways; `request.body` is not looked at. With
  // BodySize::none() the request is on its way. No redirect is followed, and only what did not
  // leave is tried again.
  Result<std::unique_ptr<ClientExchange>> begin(const ClientRequest& request, BodySize size);

  // Ends all connections and exchanges and wakes who waits, with unavailable. Twice is fine.
  void close();
  [[nodiscard]] ClientCounts counts() const;

 private:
  struct Begun;
  Result<std::shared_ptr<impl::ClientConnection>> connect(const impl::Target& target,
                                                          rt::Deadline deadline) const;
  Result<Begun> begin_once(const ClientRequest& request, const Url& url, BodySize size);
  Result<Answer> send_to(const ClientRequest& request, const Url& url);
  Result<Answer> ask_once(const ClientRequest& request, const Url& url, bool& is_reused);
  Status pause_before(std::size_t attempt, rt::Deadline deadline) const;

  net::Network& network_;
  const ClientOptions options_;
  const std::shared_ptr<impl::ClientPool> pool_;
};

}  // namespace parley::http
