// A site by itself: http::Server with the files of a folder, uploads, events and a WebSocket, by
// https where it is given a certificate; and http::Client, which asks for all of that.
//
//   http FOLDER                                        # asks itself, and prints what was answered
//   http FOLDER site.pem site.key                      # the same by https, and so by HTTP/2
//   http FOLDER site.pem site.key tcp://0.0.0.0:8443   # until Ctrl-C:
//   curl -k -F leaf=@leaf.png https://localhost:8443/upload
//   curl -kN https://localhost:8443/events
#include <parley/http/client.h>
#include <parley/http/event_stream.h>
#include <parley/http/multipart.h>
#include <parley/http/server.h>
#include <parley/http/static_files.h>
#include <parley/http/websocket_client.h>
#include <parley/http/websocket_handshake.h>
#include <parley/net/tls_network.h>
#include <parley/parley.h>

#include <cstdio>
#include <memory>
#include <string>

namespace http = parley::http;
namespace net = parley::net;
using parley::Status;
using namespace std::chrono_literals;

// Each part is read as it comes: none of it is kept.
Status upload(http::ServerExchange& exchange) {
  auto form = http::MultipartReader::of(exchange, {.max_part_bytes = 1'000'000});
  if (!form) return form.error();  // 415, or 413
  std::string told;
  for (;;) {
    const auto part = form->next();
    if (!part) return part.error();
    if (*part == nullptr) return exchange.answer(200, told);
    std::size_t bytes = 0;
    for (;;) {
      const auto piece = form->read();
      if (!piece) return piece.error();
      if (piece->empty()) break;
      bytes += piece->size();
    }
    told += (*part)->name + ": " + std::to_string(bytes) + " bytes\n";
  }
}

Status events(http::ServerExchange& exchange) {
  auto stream = http::EventStream::begin(exchange);
  if (!stream) return stream.error();
  for (int cups = 2; cups >= 0; --cups) {
    const std::string left = std::to_string(cups) + " left";
    if (Status sent = stream->send({.type = "cups", .data = left}); !sent.is_ok()) return sent;
  }
  return {};
}

Status echo(http::ServerExchange& exchange) {
  return http::accept_websocket(exchange, {}, [](std::unique_ptr<http::WebSocket> socket) {
    while (auto message = socket->receive_message()) {
      if (!socket->send_text(message->payload.to_string()).is_ok()) return;
    }
  });
}

http::Handler site_of(const std::string& folder) {
  const auto files = http::StaticFiles::open(folder, {.prefix = "/files/"});
  return [files = files.value()](http::ServerExchange& exchange) -> Status {
    const std::string_view path = exchange.request().path();
    if (path.starts_with("/files/")) return files(exchange);
    if (path == "/upload") return upload(exchange);
    if (path == "/events") return events(exchange);
    if (path == "/echo") return echo(exchange);
    return exchange.answer(404, "not here\n");
  };
}

void ask(http::Client& client, const std::string& site) {
  const auto file = client.get(site + "/files/tea.txt").value();
  std::printf("%s: %s", std::string(http::name_of(file.protocol)).c_str(), file.body.c_str());

  http::MultipartWriter form;
  (void)form.add("tea", "assam");
  (void)form.add_file("leaf", "leaf.png", "image/png", std::string(10'000, 'x'));
  const std::string body = form.end();
  std::printf("%s", client.post(site + "/upload", body, form.content_type()).value().body.c_str());

  http::ClientRequest request{.url = site + "/events"};
  const auto exchange = client.begin(request, http::BodySize::none()).value();
  http::EventStreamReader reader;
  for (;;) {
    const auto read = exchange->read();
    if (!read || read->empty()) break;
    for (std::string_view piece = *read; reader.next(piece).value();) {
      std::printf("%s: %s\n", reader.event().type.c_str(), reader.event().data.c_str());
    }
  }

  auto socket = http::connect_websocket(client, {.url = site + "/echo"}).value();
  (void)socket->send_text("more tea");
  std::printf("echo: %s\n", socket->receive_message().value().payload.to_string().c_str());
  (void)socket->close();
}

int main(int argc, char** argv) {
  return parley::run([&] {
    const std::string folder = argc > 1 ? argv[1] : ".";
    const bool is_secure = argc > 3;
    net::SocketNetwork sockets;
    std::unique_ptr<net::TlsServer> identity;
    std::unique_ptr<net::TlsClient> trust;
    if (is_secure) {
      identity =
          net::TlsServer::create({.identities = {{.chain_file = argv[2], .key_file = argv[3]}},
                                  .alpn = {"h2", "http/1.1"}})
              .value();
      trust = net::TlsClient::create({.ca_file = argv[2]}).value();
    }
    net::TlsNetwork secure({.below = &sockets, .server = identity.get()});
    net::Network& network = is_secure ? static_cast<net::Network&>(secure) : sockets;
    const std::string address = argc > 4 ? argv[4] : "tcp://127.0.0.1:0";
    const auto listener = network.listen(net::Address::parse(address).value()).value();
    http::Server server(*listener, site_of(folder));
    parley::rt::Scope scope;
    scope.go("site", [&] { (void)server.serve(); });
    if (argc > 4) {
      (void)parley::rt::wait_signal({SIGINT, SIGTERM});
    } else {
      http::Client client(sockets, {.tls = trust.get()});
      ask(client, (is_secure ? "https" : "http") + listener->address().to_string().substr(3));
    }
    (void)server.shutdown(parley::rt::Deadline::after(5s));  // requests under way are answered
  });
}
