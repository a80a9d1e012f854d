#include "parley/http/client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "parley/http/http1_connection.h"
#include "parley/http/impl/client_pool.h"
#include "parley/http/impl/http2_pooled.h"
#include "parley/http/syntax.h"
#include "parley/rt/context.h"
#include "parley/rt/random.h"
#include "parley/rt/scope.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

// What an error is about: "GET http://shop.example/tea".
Status of_request(const Status& why, const ClientRequest& request, const Url& url) {
  const std::string_view method =
      request.method == Method::other ? request.other_method : name_of(request.method);
  std::string text = url.to_string();
  constexpr std::size_t most = 128;
  if (text.size() > most) text = text.substr(0, most) + "...";
  return why.with_context(std::string(method) + " " + text);
}

// A body up to here fits what a socket takes without being read; a larger one gets a fiber.
constexpr std::size_t small_body = std::size_t{16} << 10U;

bool is_redirect(StatusCode status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Result<Request> head_of(const ClientRequest& request, const Url& url,
                        const std::string& user_agent) {
  Request head{.method = request.method, .other_method = request.other_method};
  head.target = request.target.empty() ? url.target() : request.target;
  const bool is_tunnel = request.method == Method::connect && !request.headers.get("Upgrade");
  if (request.headers.count("Host") == 0) {
    if (Status s = head.headers.add("Host", is_tunnel ? head.target : url.authority()); !s.is_ok())
      return s;
  }
  for (const auto [name, value] : request.headers) {
    if (Status s = head.headers.add(name, value); !s.is_ok()) return s;
  }
  if (!user_agent.empty() && head.headers.count("User-Agent") == 0) {
    if (Status s = head.headers.add("User-Agent", user_agent); !s.is_ok()) return s;
  }
  return head;
}

Status write_all(ClientExchange& exchange, std::string_view body, rt::Deadline deadline) {
  if (Status status = exchange.write(body, deadline); !status.is_ok()) return status;
  return exchange.end(deadline);
}

Result<Answer> read_answer(ClientExchange& exchange, const Url& url, std::size_t most,
                           rt::Deadline deadline) {
  const auto response = exchange.response(deadline);
  if (!response) return response.error();
  Answer answer{.status = (*response)->status,
                .headers = (*response)->headers,
                .url = url.to_string(),
                .protocol = exchange.protocol()};
  Result<std::string> body = exchange.read_all(most, deadline);
  if (!body) return body.error();
  answer.body = *std::move(body);
  answer.trailers = exchange.trailers();
  return answer;
}

// Where a redirect leads, and with what; false when it is an answer like others.
Result<bool> redirect(const Answer& answer, bool follow_to_insecure, ClientRequest& request,
                      Url& url) {
  const auto location = answer.headers.get("Location");
  if (!is_redirect(answer.status) || !location) return false;
  Result<Url> next = url.resolve(*location);
  if (!next) return next.error().with_context("a redirect of " + quoted(url.to_string(), 128));
  if (url.is_secure() && !next->is_secure() && !follow_to_insecure) {
    return Status(Code::permission_denied,
                  "a redirect leads from https to " + quoted(next->to_string(), 128) +
                      ", where everybody can read it; ask there yourself, or set "
                      "follow_to_insecure");
  }
  const bool becomes_get =
      (answer.status == 303 && request.method != Method::get && request.method != Method::head) ||
      ((answer.status == 301 || answer.status == 302) && request.method == Method::post);
  if (becomes_get) {
    request.method = Method::get;
    request.body.clear();
    for (const char* name : {"Content-Type", "Content-Encoding", "Content-Language",
                             "Content-Location", "Digest", "Expect", "Last-Modified"}) {
      (void)request.headers.remove(name);
    }
  }
  if (next->origin() != url.origin()) {
    for (const char* name : {"Authorization", "Proxy-Authorization", "Cookie", "Host"}) {
      (void)request.headers.remove(name);
    }
  }
  url = *std::move(next);
  return true;
}

// What TLS offers; its order is ours.
const std::vector<std::string>& alpn_of(Versions versions) {
  static const std::vector<std::string> all = {"h2", "http/1.1"};
  static const std::vector<std::string> http_1 = {"http/1.1"};
  static const std::vector<std::string> http_2 = {"h2"};
  if (versions == Versions::all) return all;
  return versions == Versions::http_1 ? http_1 : http_2;
}

// The times of the pool hold for connections of both versions, and so does the limit of a body.
ClientOptions settled(ClientOptions options) {
  options.http2.idle_timeout = Duration::zero();
  options.http2.ping_after = options.ping_after;
  options.http2.limits.max_body_bytes = options.limits.max_body_bytes;
  return options;
}

// What a failed dial means for the request: it did not leave.
Status not_connected(const Status& why, const Url& url, rt::Deadline own, rt::Deadline deadline) {
  const std::string where = "connecting to " + url.origin();
  const bool is_own =
      why.code() == Code::deadline_exceeded && own < deadline && !rt::Context::current().is_done();
  if (is_own) {
    return Status(Code::not_sent, where + " took longer than connect_timeout allows")
        .with_cause(why.message());
  }
  if (why.code() == Code::unavailable && !rt::Context::current().is_done()) {
    return Status(Code::not_sent, where + " failed: " + why.message()).with_cause(why.cause());
  }
  return why.with_context(where);
}

}  // namespace

struct Client::Begun {
  std::unique_ptr<ClientExchange> exchange;
  bool is_reused = false;
};

Client::Client(net::Network& network, ClientOptions options)
    : network_(network),
      options_(settled(std::move(options))),
      pool_(std::make_shared<impl::ClientPool>(
          impl::PoolLimits{.max_connections_per_origin =
                               std::max<std::size_t>(options_.max_connections_per_origin, 1),
                           .max_waiting = options_.max_waiting,
                           .max_idle = options_.max_idle,
                           .idle_timeout = options_.idle_timeout,
                           .max_age = options_.max_age},
          [this](const impl::Target& target, rt::Deadline deadline) {
            const rt::Deadline own = rt::Deadline::after(options_.connect_timeout);
            auto made = connect(target, std::min(own, deadline));
            if (!made) made = not_connected(made.error(), target.url, own, deadline);
            return made;
          })) {}

Client::~Client() {
  close();
  pool_->join();
}

Result<std::shared_ptr<impl::ClientConnection>> Client::connect(const impl::Target& target,
                                                                rt::Deadline deadline) const {
  const Url& url = target.url;
  Result<net::Address> address = net::Address{.host = url.host, .port = url.port};
  if (options_.address_of) address = options_.address_of(url);
  if (!address) return address.error();
  auto stream = network_.dial(*address, deadline);
  if (!stream) return stream.error();
  bool is_http_2 = target.versions == Versions::http_2;
  if (url.is_secure()) {
    auto tls =
        options_.tls->connect_to(url.host, *std::move(stream), deadline, alpn_of(target.versions));
    if (!tls) return tls.error();
    const bool chose_http_2 = (*tls)->info().alpn == "h2";
    if (is_http_2 && !chose_http_2) {
      return Status(Code::failed_precondition,
                    "the server did not choose HTTP/2 by ALPN, and ClientOptions::versions allows "
                    "nothing else");
    }
    is_http_2 = chose_http_2;
    stream = std::unique_ptr<net::Stream>(*std::move(tls));
  }
  const ExchangeTimes times{.answer_timeout = options_.answer_timeout,
                            .body_timeout = options_.body_timeout,
                            .continue_timeout = options_.continue_timeout};
  if (is_http_2) {
    return std::shared_ptr<impl::ClientConnection>(impl::http2_client_connection(
        *std::move(stream), url.is_secure() ? "https" : "http", options_.http2, times));
  }
  return std::shared_ptr<impl::ClientConnection>(Http1Connection::create(
      *std::move(stream),
      {.limits = options_.limits, .is_secure = url.is_secure(), .times = times}));
}

void Client::close() { pool_->close(); }

ClientCounts Client::counts() const {
  const impl::PoolCounts counts = pool_->counts();
  return {.dialled = counts.dialled,
          .connections = counts.connections,
          .idle = counts.idle,
          .waiting = counts.waiting};
}

Result<Client::Begun> Client::begin_once(const ClientRequest& request, const Url& url,
                                         BodySize size) {
  if (url.is_secure() && options_.tls == nullptr) {
    return Status(Code::failed_precondition,
                  "https needs a TLS client; make a net::TlsClient and set ClientOptions::tls");
  }
  Result<Request> head = head_of(request, url, options_.user_agent);
  if (!head) return head.error();
  impl::Target target{.url = url, .versions = options_.versions};
  std::string origin = url.origin();
  const bool upgrades = request.headers.count("Upgrade") > 0;
  const bool extends = upgrades && request.method == Method::connect;
  if (extends && !target.may_be_http_2()) {
    return Status(Code::invalid_argument,
                  "CONNECT with Upgrade is one of HTTP/2 (RFC 8441), which the URL and "
                  "ClientOptions::versions do not allow here; ask with GET");
  }
  if (upgrades && !extends) {
    if (target.versions == Versions::http_2) {
      return Status(Code::invalid_argument,
                    "HTTP/2 knows no Upgrade (RFC 9113 8.2.2); ask with CONNECT, or allow HTTP/1.1 "
                    "in ClientOptions::versions");
    }
    if (target.may_be_http_2()) origin += " http/1.1";
    target.versions = Versions::http_1;
  }
  auto taken = pool_->take(origin, target, request.deadline);
  if (!taken) {
    const Status& why = taken.error();
    const bool is_time = why.code() == Code::deadline_exceeded;
    return is_time ? why.with_context("waiting for a connection") : why;
  }
  if (extends && !taken->connection->is_multiplexed()) {
    taken->connection->unreserve();
    return Status(Code::failed_precondition,
                  "the server chose HTTP/1.1, which has no CONNECT with Upgrade; ask with GET");
  }
  auto exchange = taken->connection->begin(*std::move(head), size, request.deadline);
  if (!exchange) return exchange.error();
  Begun begun{.exchange = *std::move(exchange), .is_reused = taken->is_reused};
  if (options_.around) begun.exchange = options_.around(std::move(begun.exchange));
  return begun;
}

Status Client::pause_before(std::size_t attempt, rt::Deadline deadline) const {
  Duration pause = options_.retry_pause;
  for (std::size_t i = 2; i < attempt && pause < std::chrono::minutes(1); ++i) pause *= 2;
  if (pause <= Duration::zero()) return rt::Context::current().status();
  const auto half = static_cast<std::uint64_t>(pause.count() / 2);
  pause = Duration(static_cast<Duration::rep>(half + rt::random_below(half + 1)));
  if (rt::Deadline::after(pause) >= deadline) {
    return Status(Code::deadline_exceeded, "no time was left to try again");
  }
  return rt::sleep(pause);
}

Result<std::unique_ptr<ClientExchange>> Client::begin(const ClientRequest& request, BodySize size) {
  const Result<Url> url = Url::parse(request.url);
  if (!url) return url.error();
  for (std::size_t attempt = 1;; ++attempt) {
    Result<Begun> begun = begin_once(request, *url, size);
    if (begun) return std::move(begun->exchange);
    const bool again = begun.error().code() == Code::not_sent && attempt < options_.max_tries;
    if (!again || !pause_before(attempt + 1, request.deadline).is_ok()) {
      return of_request(begun.error(), request, *url);
    }
  }
}

// `is_reused`: on a connection that had been at rest, which its server may have ended.
Result<Answer> Client::ask_once(const ClientRequest& request, const Url& url, bool& is_reused) {
  const std::string& body = request.body;
  const BodySize size = body.empty() ? BodySize::none() : BodySize::of(body.size());
  Result<Begun> begun = begin_once(request, url, size);
  if (!begun) return begun.error();
  is_reused = begun->is_reused;
  ClientExchange& exchange = *begun->exchange;
  Status written;
  rt::Scope writing(rt::OnExit::cancel);
  if (!body.empty() && body.size() <= small_body) {
    written = write_all(exchange, body, request.deadline);
  } else if (!body.empty()) {
    writing.go("http body", [&] { written = write_all(exchange, body, request.deadline); });
  }
  // A server that answers before it took everything may close: its answer counts.
  Result<Answer> answer = read_answer(exchange, url, options_.max_answer_bytes, request.deadline);
  if (!answer || answer->status >= 400) writing.cancel();
  writing.join();
  if (!answer && written.code() == Code::not_sent) return written;
  return answer;
}

Result<Answer> Client::send_to(const ClientRequest& request, const Url& url) {
  bool has_left = false;  // by a try before, which nobody answered
  for (std::size_t attempt = 1;; ++attempt) {
    bool is_reused = false;
    Result<Answer> answer = ask_once(request, url, is_reused);
    if (answer) return answer;
    const Code code = answer.error().code();
    if (code == Code::not_sent && has_left) {
      answer = Status(Code::unavailable,
                      "a try before left and got no answer, and the next one did not leave: " +
                          answer.error().message())
                   .with_cause(answer.error().cause());
    }
    const bool was_at_rest =
        code == Code::unavailable && is_reused && is_idempotent(request.method);
    if (attempt >= options_.max_tries || (code != Code::not_sent && !was_at_rest)) return answer;
    has_left = has_left || was_at_rest;
    if (!pause_before(attempt + 1, request.deadline).is_ok()) return answer;
  }
}

Result<Answer> Client::send(const ClientRequest& request) {
  Result<Url> url = Url::parse(request.url);
  if (!url) return url.error();
  ClientRequest now = request;
  for (std::size_t followed = 0;; ++followed) {
    Result<Answer> answer = send_to(now, *url);
    if (!answer) return of_request(answer.error(), now, *url);
    if (options_.max_redirects == 0) return answer;
    const Result<bool> goes_on = redirect(*answer, options_.follow_to_insecure, now, *url);
    if (!goes_on) return goes_on.error();
    if (!*goes_on) return answer;
    if (followed == options_.max_redirects) {
      return Status(Code::resource_exhausted,
                    "more than max_redirects (" + std::to_string(options_.max_redirects) +
                        ") redirects, the last to " + quoted(url->to_string(), 128) +
                        "; they may lead in a circle");
    }
    now.target.clear();
  }
}

Result<Answer> Client::get(std::string_view url, rt::Deadline deadline) {
  return send({.url = std::string(url), .deadline = deadline});
}

Result<Answer> Client::post(std::string_view url, std::string_view body,
                            std::string_view content_type, rt::Deadline deadline) {
  ClientRequest request{.method = Method::post,
                        .url = std::string(url),
                        .body = std::string(body),
                        .deadline = deadline};
  if (Status bad = request.headers.add("Content-Type", content_type); !bad.is_ok()) return bad;
  return send(request);
}

}  // namespace parley::http
