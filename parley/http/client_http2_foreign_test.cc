// HTTP/2 in the client's pool with somebody else's server: nginx over TLS, and nghttpd both ways.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/http/client.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/time.h"

namespace parley::http {
namespace {

using parley::testing::Witness;

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

constexpr std::string_view make_certificate =
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem "
    "-out cert.pem -days 2 -subj /CN=shop.example -addext subjectAltName=DNS:shop.example";

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
  default_type text/plain;
  ssl_certificate PATH/cert.pem;
  ssl_certificate_key PATH/key.pem;
  http2_max_concurrent_streams 128;
  server {
    listen unix:PATH/both.sock ssl http2;
    root PATH/www;
    keepalive_requests 100000;
    location /moved { return 301 /tea.txt; }
    location /none { return 204; }
  }
  server {
    listen unix:PATH/few.sock ssl http2;
    keepalive_requests 20;
    location / { return 200 "few"; }
  }
}
)";

class Folder {
 public:
  Folder() {
    EXPECT_EQ(witness_.ask(std::string(make_certificate)).code, 0);
    std::filesystem::create_directory(witness_.path("www"));
    witness_.write("www/tea.txt", std::string(100'000, 't'));
  }
  [[nodiscard]] std::string path() const {
    const std::string path = witness_.path("x");
    return path.substr(0, path.size() - 2);
  }
  [[nodiscard]] const Witness& witness() const { return witness_; }

 private:
  const Witness witness_;
};

bool wait_until_up(const Running& running, Client& client, const std::string& url) {
  while (running.is_running()) {
    if (client.get(url)) return true;
    rt::yield();
  }
  return false;
}

// So many at once; how many were answered as they should over HTTP/2.
int ask(Client& client, const std::string& url, int many, const std::string& expected) {
  std::atomic<int> good = 0;
  rt::Scope scope;
  for (int i = 0; i < many; ++i) {
    scope.go("asker", [&] {
      const auto answer = client.get(url);
      ASSERT_TRUE(answer) << answer.error();
      const bool is_good = answer->body == expected && answer->protocol == Protocol::http_2;
      good += is_good ? 1 : 0;
    });
  }
  scope.join();
  return good;
}

PARLEY_FIBER_TEST(ClientHttp2Foreign, nginx_answers_many_at_once_over_one_connection) {
  const std::string program = "/usr/sbin/nginx";
  if (::access(program.c_str(), X_OK) != 0) GTEST_SKIP() << "there is no nginx";
  const auto folder = rt::blocking([] { return std::make_unique<Folder>(); });
  std::string config(nginx_config);
  for (std::size_t at = 0; (at = config.find("PATH")) != std::string::npos;) {
    config.replace(at, 4, folder->path());
  }
  folder->witness().write("nginx.conf", config);
  const Running nginx({program, "-p", folder->path(), "-c", folder->witness().path("nginx.conf")});
  const auto tls = rt::blocking(
      [&] { return *net::TlsClient::create({.ca_pem = folder->witness().read("cert.pem")}); });
  net::SocketNetwork network;
  std::string socket = "both.sock";
  const ClientOptions options{
      .tls = tls.get(), .address_of = [&](const Url&) {
        return net::Address::parse("unix://" + folder->witness().path(socket));
      }};
  const std::string url = "https://shop.example";
  {
    Client first(network, options);
    ASSERT_TRUE(wait_until_up(nginx, first, url + "/none"));
  }
  ClientOptions wide = options;
  wide.http2.limits.max_streams = 128;
  Client client(network, wide);
  const std::string tea(100'000, 't');
  EXPECT_EQ(ask(client, url + "/tea.txt", 120, tea), 120);
  EXPECT_EQ(client.counts().dialled, 1u);
  EXPECT_EQ(client.get(url + "/moved")->url, url + "/tea.txt");
  EXPECT_EQ(client.get(url + "/nowhere")->status, 404);
  EXPECT_EQ(client.send({.method = Method::head, .url = url + "/tea.txt"})->body, "");
  EXPECT_EQ(client.post(url + "/none", std::string(300'000, 'x'), "text/plain")->status, 204);
  EXPECT_EQ(client.counts().dialled, 1u);
  Client old(network,
             {.versions = Versions::http_1, .tls = tls.get(), .address_of = options.address_of});
  EXPECT_EQ(old.get(url + "/tea.txt")->protocol, Protocol::http_1_1);
  // It says GOAWAY behind every 20 requests, whatever is on its way to it.
  socket = "few.sock";
  ClientOptions often = options;
  often.max_tries = 20;
  Client leaving(network, often);
  EXPECT_EQ(ask(leaving, url + "/", 100, "few"), 100);
  EXPECT_GE(leaving.counts().dialled, 5u);
}

PARLEY_FIBER_TEST(ClientHttp2Foreign, nghttpd_answers_in_clear_and_over_tls) {
  const auto folder = rt::blocking([] { return std::make_unique<Folder>(); });
  if (rt::blocking([&] { return folder->witness().ask("nghttpd --version").code; }) != 0) {
    GTEST_SKIP() << "there is no nghttpd (package nghttp2-server)";
  }
  const auto tls = rt::blocking(
      [&] { return *net::TlsClient::create({.ca_pem = folder->witness().read("cert.pem")}); });
  net::SocketNetwork network;
  const std::string tea(100'000, 't');
  for (const bool is_secure : {false, true}) {
    auto place = std::move(*network.listen(*net::Address::parse("tcp://127.0.0.1:0")));
    const net::Address address = place->address();
    const std::string port =
        address.to_string().substr(std::string_view("tcp://127.0.0.1:").size());
    place.reset();  // free again, for nghttpd
    std::vector<std::string> words = {"nghttpd", "-m", "50", "-d", folder->witness().path("www")};
    if (!is_secure) words.emplace_back("--no-tls");
    words.push_back(port);
    if (is_secure) {
      words.push_back(folder->witness().path("key.pem"));
      words.push_back(folder->witness().path("cert.pem"));
    }
    const Running nghttpd(words);
    Client client(network, {.versions = is_secure ? Versions::all : Versions::http_2,
                            .tls = tls.get(),
                            .address_of = [&](const Url&) { return address; },
                            .max_connections_per_origin = 1});
    const std::string url = is_secure ? "https://shop.example" : "http://shop.example";
    ASSERT_TRUE(wait_until_up(nghttpd, client, url + "/tea.txt"));
    const std::uint64_t before = client.counts().dialled;
    EXPECT_EQ(ask(client, url + "/tea.txt", 130, tea), 130) << "50 of them at once";
    EXPECT_EQ(client.get(url + "/nowhere")->status, 404);
    EXPECT_EQ(client.counts().dialled, before);
  }
}

}  // namespace
}  // namespace parley::http
