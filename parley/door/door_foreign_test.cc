// A Door with curl, which is given what a user types: POST to the methods of a peer, and a handler
// of one's own with files, forms, cookies and events. Skipped, with the reason, without curl.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "parley/base/testing/witness.h"
#include "parley/door/testing/house.h"
#include "parley/http/cookies.h"
#include "parley/http/event_stream.h"
#include "parley/http/multipart.h"
#include "parley/http/static_files.h"
#include "parley/net/testing/tls_authority.h"
#include "parley/net/tls_server.h"
#include "parley/rt/blocking.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::door {
namespace {

using parley::testing::Witness;
using testing::House;

class Curl {
 public:
  explicit Curl(const House& house) : port_(house.address().substr(house.address().rfind(':'))) {
    witness.write(".curlrc", "silent\nshow-error\nnoproxy = *\nmax-time = 60\ncacert = ca.pem\n");
  }
  // Empty: it runs. Otherwise why it does not.
  std::string look() {
    const int code =
        rt::blocking([&] { return witness.ask("curl --version | grep -q HTTP2").code; });
    return code == 0 ? "" : "there is no curl with HTTP/2";
  }
  // What `curl words` prints. HOST and TLS stand for the house without and within TLS.
  std::string operator()(std::string words) {
    for (const auto& [name, url] : {std::pair<std::string, std::string>("HOST", "http://127.0.0.1"),
                                    {"TLS", "https://localhost"}}) {
      for (auto at = words.find(name); at != std::string::npos; at = words.find(name)) {
        words.replace(at, name.size(), url + port_);
      }
    }
    return rt::blocking([&] { return witness.output_of("HOME=. curl " + words); });
  }

  const Witness witness;

 private:
  const std::string port_;
};

const std::string with_number = "-w ' %{http_code} HTTP/%{http_version}' ";

PARLEY_FIBER_TEST(DoorForeign, curl_posts_as_the_documents_say) {
  House house;
  Curl curl(house);
  if (const std::string why = curl.look(); !why.empty()) GTEST_SKIP() << why;
  EXPECT_EQ(curl("-d '[1,2]' HOST/math/add"), "3");
  EXPECT_EQ(curl(with_number + "-H 'Content-Type: application/json' -d '[1,2]' HOST/math/add"),
            "3 200 HTTP/1.1");
  EXPECT_EQ(curl(with_number + "--http2-prior-knowledge -d '[1,2]' HOST/math/add"), "3 200 HTTP/2");
  // Two over one connection.
  EXPECT_EQ(curl("-d '[1,2]' -w ' %{num_connects} ' HOST/math/add "
                 "--next -d '[3,4]' -w ' %{num_connects}' HOST/math/add"),
            "3 1 7 0");
  const std::string none = curl(with_number + "-d '[1,2]' HOST/math/none");
  EXPECT_EQ(none.rfind("{\"code\":\"not_found\"", 0), 0U) << none;
  EXPECT_NE(none.find(" 404 HTTP/1.1"), std::string::npos) << none;
  EXPECT_EQ(curl("-o out.json " + with_number + "-d '[1,\"tea\"]' HOST/math/add"), " 400 HTTP/1.1");
  EXPECT_EQ(house.told(), "");
}

PARLEY_FIBER_TEST(DoorForeign, curl_posts_within_TLS_over_both_versions) {
  const net::testing::TestAuthority authority("Tea CA");
  DoorOptions options;
  options.tls = *net::TlsServer::create(
      {.identities = {authority.issue({.dns_names = {"localhost"}})}, .alpn = {"h2", "http/1.1"}});
  House house(std::move(options));
  Curl curl(house);
  if (const std::string why = curl.look(); !why.empty()) GTEST_SKIP() << why;
  curl.witness.write("ca.pem", authority.pem());
  EXPECT_EQ(curl(with_number + "-d '[1,2]' TLS/math/add"), "3 200 HTTP/2");
  EXPECT_EQ(curl(with_number + "--http1.1 -d '[1,2]' TLS/math/add"), "3 200 HTTP/1.1");
  EXPECT_EQ(curl(with_number + "-d '[1,2]' HOST/math/add"), "3 200 HTTP/1.1") << "plain as well";
  EXPECT_EQ(house.door.counts().of("tls"), 2U);
}

// Names and sizes of what a form brings.
Status take_form(http::ServerExchange& exchange) {
  auto reader = http::MultipartReader::of(exchange);
  if (!reader) return reader.error();
  std::string all;
  for (;;) {
    const Result<const http::Part*> part = reader->next();
    if (!part) return part.error();
    if (*part == nullptr) return exchange.answer(200, all);
    const std::string name = (*part)->name + "=" + (*part)->filename;
    const auto content = reader->read_all(1 << 20);
    if (!content) return content.error();
    all += name + ":" + (content->size() < 10 ? *content : std::to_string(content->size())) + " ";
  }
}

Status greet(http::ServerExchange& exchange) {
  const auto name = http::cookie_of(exchange.request().headers, "name");
  if (name) return exchange.answer(200, "hello " + std::string(*name));
  if (Status s = http::add_cookie(exchange.response().headers, {.name = "name", .value = "ada"});
      !s.is_ok()) {
    return s;
  }
  return exchange.answer(200, "who are you?");
}

Status tell(http::ServerExchange& exchange) {
  auto stream = http::EventStream::begin(exchange);
  if (!stream) return stream.error();
  const std::string after(stream->last_event_id());
  for (int i = after.empty() ? 1 : std::stoi(after) + 1; i <= 3; ++i) {
    const std::string number = std::to_string(i);
    if (Status s = stream->send({.type = "tick", .data = number + "\n!", .id = number});
        !s.is_ok()) {
      return s;
    }
  }
  return {};
}

PARLEY_FIBER_TEST(DoorForeign, curl_reads_files_forms_cookies_and_events) {
  const Witness shelf;
  std::string tea;
  for (int i = 0; i < 40'000; ++i) tea += std::to_string(i % 10);
  shelf.write("tea.txt", tea);
  const auto files =
      *rt::blocking([&] { return http::StaticFiles::open(shelf.path(""), {.prefix = "/files/"}); });
  House house({}, {}, [&](http::ServerExchange& exchange) -> Status {
    const auto path = exchange.request().path();
    if (path == "/form") return take_form(exchange);
    if (path == "/greet") return greet(exchange);
    if (path == "/events") return tell(exchange);
    return files(exchange);
  });
  Curl curl(house);
  if (const std::string why = curl.look(); !why.empty()) GTEST_SKIP() << why;
  for (const std::string version : {"", "--http2-prior-knowledge "}) {
    SCOPED_TRACE(version);
    curl.witness.write("jar", "");
    const std::string numbered = version + "-w ' %{http_code}' ";
    EXPECT_EQ(curl(version + "HOST/files/tea.txt"), tea);
    EXPECT_EQ(curl(numbered + "-r 10-14 HOST/files/tea.txt"), "01234 206");
    EXPECT_EQ(curl(numbered + "-r -3 HOST/files/tea.txt"), "789 206");
    EXPECT_EQ(curl(numbered + "-o out -r 40000- HOST/files/tea.txt"), " 416");
    // The second half of a file whose first half is there.
    curl.witness.write("half", tea.substr(0, 20'000));
    EXPECT_EQ(curl(numbered + "-C - -o half HOST/files/tea.txt"), " 206");
    EXPECT_EQ(curl.witness.read("half"), tea);
    EXPECT_EQ(curl(numbered + "-o out --etag-save tag HOST/files/tea.txt"), " 200");
    EXPECT_EQ(curl(numbered + "--etag-compare tag HOST/files/tea.txt"), " 304");
    EXPECT_EQ(curl(numbered + "-o out --path-as-is HOST/files/../../etc/passwd"), " 404");

    EXPECT_EQ(curl(version + "-F name=ada -F 'tea=@half;filename=\"a b.txt\"' HOST/form"),
              "name=:ada tea=a b.txt:40000 ");
    EXPECT_EQ(curl(version + "-b jar -c jar HOST/greet"), "who are you?");
    EXPECT_EQ(curl(version + "-b jar -c jar HOST/greet"), "hello ada");

    const auto event = [](const std::string& n) {
      return "event: tick\nid: " + n + "\ndata: " + n + "\ndata: !\n\n";
    };
    EXPECT_EQ(curl(version + "-N HOST/events"), event("1") + event("2") + event("3"));
    EXPECT_EQ(curl(version + "-N -H 'Last-Event-ID: 2' HOST/events"), event("3"));
  }
  EXPECT_EQ(house.told(), "");
}

}  // namespace
}  // namespace parley::door
