// The client with somebody else's server: nginx, in clear and over TLS, and Python's http.server.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/http/client.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using parley::testing::Witness;

std::string find_nginx() {
  for (const char* path : {"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

// A program that runs until it is destroyed.
class Running {
 public:
  explicit Running(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawnp(&pid_, words[0].c_str(), nullptr, nullptr, arguments.data(), environ),
              0);
  }
  ~Running() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  [[nodiscard]] bool is_running() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_ = -1;
};

constexpr std::string_view nginx_config = R"(
user root;
daemon off;
worker_processes 1;
error_log stderr crit;
pid PATH/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path PATH/body;
  proxy_temp_path PATH/proxy;
  fastcgi_temp_path PATH/fastcgi;
  uwsgi_temp_path PATH/uwsgi;
  scgi_temp_path PATH/scgi;
  gzip on;
  gzip_min_length 1;
  gzip_types text/plain;
  default_type text/plain;
  server {
    listen unix:PATH/plain.sock;
    listen unix:PATH/tls.sock ssl;
    ssl_certificate PATH/cert.pem;
    ssl_certificate_key PATH/key.pem;
    root PATH/www;
    location /moved { return 301 /tea.txt; }
    location /down { return 302 http://shop.example/none; }
    location /circle { return 302 /circle; }
    location /kept { return 307 /none; }
    location /none { return 204; }
    location /once { keepalive_timeout 0; return 200 "once"; }
  }
}
)";

class Nginx {
 public:
  explicit Nginx(const std::string& program) {
    std::string config(nginx_config);
    for (std::size_t at = 0; (at = config.find("PATH")) != std::string::npos;) {
      config.replace(at, 4, folder());
    }
    witness_.write("nginx.conf", config);
    std::filesystem::create_directory(witness_.path("www"));
    witness_.write("www/tea.txt", std::string(100'000, 't'));
    EXPECT_EQ(witness_
                  .ask("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                       "-keyout key.pem -out cert.pem -days 2 -subj /CN=shop.example "
                       "-addext subjectAltName=DNS:shop.example")
                  .code,
              0);
    running_ = std::make_unique<Running>(
        std::vector<std::string>{program, "-p", folder(), "-c", witness_.path("nginx.conf")});
  }
  // Unix sockets: no port that another test may take.
  [[nodiscard]] std::string folder() const {
    const std::string path = witness_.path("x");
    return path.substr(0, path.size() - 2);
  }
  [[nodiscard]] Result<net::Address> address_of(const Url& url) const {
    return net::Address::parse("unix://" +
                               witness_.path(url.is_secure() ? "tls.sock" : "plain.sock"));
  }
  [[nodiscard]] std::string certificate() const { return witness_.read("cert.pem"); }
  [[nodiscard]] bool wait_until_up(Client& client) const {
    while (running_->is_running()) {
      if (client.get("http://shop.example/none")) return true;
      rt::yield();
    }
    return false;
  }

 private:
  const Witness witness_;
  std::unique_ptr<Running> running_;
};

void ask_everything(Client& client, const std::string& server) {
  const auto tea = client.get(server + "/tea.txt");
  ASSERT_TRUE(tea) << tea.error();
  ASSERT_TRUE(tea->body == std::string(100'000, 't')) << tea->status;
  ClientRequest head{.method = Method::head, .url = server + "/tea.txt"};
  EXPECT_EQ(client.send(head)->headers.get("Content-Length"), "100000");
  const auto moved = client.get(server + "/moved");
  ASSERT_TRUE(moved) << moved.error();
  EXPECT_EQ(moved->url, server + "/tea.txt");
  EXPECT_EQ(client.get(server + "/circle").error().code(), Code::resource_exhausted);
  EXPECT_EQ(client.post(server + "/kept", "leaves", "text/plain")->status, 204);
  EXPECT_EQ(client.get(server + "/nowhere")->status, 404);
  ClientRequest again{.url = server + "/tea.txt"};
  EXPECT_TRUE(again.headers.add("If-None-Match", *tea->headers.get("ETag")).is_ok());
  const auto unchanged = client.send(again);
  EXPECT_EQ(unchanged->status, 304);
  EXPECT_EQ(unchanged->body, "");
  // Compressed as it goes out, so in chunks; nothing here takes that off again.
  ClientRequest zipped{.url = server + "/tea.txt"};
  EXPECT_TRUE(zipped.headers.add("Accept-Encoding", "gzip").is_ok());
  const auto small = client.send(zipped);
  ASSERT_TRUE(small) << small.error();
  EXPECT_EQ(small->headers.get("Content-Encoding"), "gzip");
  EXPECT_EQ(small->headers.get("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(small->body.starts_with("\x1f\x8b"));
  EXPECT_EQ(client.counts().connections, 1u);
  EXPECT_EQ(client.get(server + "/once")->body, "once");
  EXPECT_EQ(client.counts().connections, 0u);
}

PARLEY_FIBER_TEST(ClientForeign, nginx_answers_whatever_it_is_asked) {
  const std::string program = find_nginx();
  if (program.empty()) GTEST_SKIP() << "there is no nginx: nobody else serves HTTP to us";
  const auto nginx = rt::blocking([&] { return std::make_unique<Nginx>(program); });
  const auto tls = rt::blocking([&] {
    return *net::TlsClient::create({.ca_pem = nginx->certificate(), .alpn = {"http/1.1"}});
  });
  net::SocketNetwork network;
  const ClientOptions options{.tls = tls.get(),
                              .address_of = [&](const Url& url) { return nginx->address_of(url); }};
  Client client(network, options);
  ASSERT_TRUE(nginx->wait_until_up(client));
  const std::uint64_t before = client.counts().dialled;
  ask_everything(client, "http://shop.example");
  EXPECT_EQ(client.counts().dialled, before);
  ask_everything(client, "https://shop.example");
  EXPECT_EQ(client.counts().dialled, before + 1);
  EXPECT_EQ(client.get("https://shop.example/down").error().code(), Code::permission_denied);
  ClientOptions careless = options;
  careless.follow_to_insecure = true;
  EXPECT_EQ(Client(network, careless).get("https://shop.example/down")->status, 204);
  EXPECT_EQ(client.get("https://other.example/").error().code(), Code::unauthenticated);
}

// Says its port to who started it.
constexpr std::string_view python_server = R"(
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/moved":
            self.send_response(303)
            self.send_header("Location", "/there?was=" + body.decode())
        else:
            self.send_response(201, "Brewed")
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
import os
os.rename("port.new", "port")
server.serve_forever()
)";

PARLEY_FIBER_TEST(ClientForeign, python_answers_as_http_1_0_to_the_end_of_each_connection) {
  const Witness witness;
  const std::string python = rt::blocking([&] { return witness.python_with("http.server"); });
  if (python.empty()) GTEST_SKIP() << "python3 does not run here: nobody else serves HTTP to us";
  witness.write("server.py", python_server);
  const std::string folder = witness.path("");
  const Running running({"sh", "-c", "cd '" + folder + "' && exec " + python + " server.py"});
  while (witness.read("port").empty() && running.is_running()) rt::yield();
  const std::string server = "http://127.0.0.1:" + witness.read("port");
  net::SocketNetwork network;
  Client client(network);
  const auto made = client.post(server + "/tea", "leaves", "text/plain");
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(made->body, "leaves");
  EXPECT_EQ(made->protocol, Protocol::http_1_0);
  const auto moved = client.post(server + "/moved", "leaves", "text/plain");
  ASSERT_TRUE(moved) << moved.error();
  EXPECT_EQ(moved->body, "/there?was=leaves");
  EXPECT_EQ(client.counts().dialled, 3u);
  EXPECT_EQ(client.counts().connections, 0u);
}

}  // namespace
}  // namespace parley::http
