// Parser and writer with somebody else's program at the other end of a loopback socket: curl, and
// Python's http.client and http.server.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/http/http1_parser.h"
#include "parley/http/http1_writer.h"
#include "parley/http/testing/http1_reading.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"

namespace parley::http {
namespace {

using parley::testing::Witness;
using testing::SeenMessage;
using Reads = Http1Parser::Reads;

std::unique_ptr<net::Listener> listen() {
  return std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
}

std::string authority_of(const net::Listener& listener) {
  const std::string address = listener.address().to_string();
  return address.substr(address.find("//") + 2);
}

// Says what it was asked: in chunks with a trailer for /chunks, else with a length.
void answer(const Http1Parser& parser, const Request& request, const std::string& body,
            Http1Writer& writer, std::string& out) {
  const std::string text =
      std::string(request.method_name()) + " " + request.target + " " + body + "\n";
  const Answered answered{.method = request.method,
                          .version = request.version,
                          .keeps_alive = parser.framing().keeps_alive};
  const bool in_chunks = request.path() == "/chunks";
  Response response;
  EXPECT_TRUE(response.headers.add("X-Tea", "green").is_ok());
  const BodySize size = in_chunks ? BodySize::unknown() : BodySize::of(text.size());
  EXPECT_TRUE(writer.begin(response, size, answered, out).is_ok());
  EXPECT_TRUE(writer.write(text.substr(0, 3), out).is_ok());
  EXPECT_TRUE(writer.write(text.substr(3), out).is_ok());
  Headers trailers;
  if (in_chunks) {
    EXPECT_TRUE(trailers.add("Digest", "none").is_ok());
  }
  EXPECT_TRUE(writer.end(trailers, out).is_ok());
}

void serve(net::Stream& stream) {
  Http1Parser parser(Reads::requests);
  Http1Writer writer;
  std::array<char, 4096> buffer{};
  std::string body;
  for (;;) {
    const auto size = stream.read(buffer);
    if (!size) return;
    if (*size == 0) {
      EXPECT_TRUE(parser.finish().has_value()) << parser.finish().error();
      return;
    }
    std::string_view in(buffer.data(), *size);
    for (;;) {
      const Result<Event> event = parser.next(in);
      ASSERT_TRUE(event.has_value()) << event.error();
      if (*event == Event::more) break;
      std::string out;
      if (*event == Event::head) {
        body.clear();
        if (parser.framing().expects_continue) {
          EXPECT_TRUE(writer.begin(Response{.status = 100}, BodySize::none(), {}, out).is_ok());
        }
      }
      if (*event == Event::body) body += parser.body();
      if (*event == Event::end) answer(parser, parser.request(), body, writer, out);
      if (!stream.write(out).is_ok()) return;
      if (*event == Event::end && !writer.keeps_alive()) return stream.close();
    }
  }
}

// What `command` prints, with a server of ours for as long as it runs.
std::string said_to_our_server(const Witness& witness, net::Listener& listener,
                               const std::string& command) {
  rt::Scope servant(rt::OnExit::cancel);
  servant.go("server", [&listener] {
    rt::Scope connections;
    while (auto stream = listener.accept()) {
      connections.go("connection", [it = std::move(*stream)] { serve(*it); });
    }
  });
  return rt::blocking([&] { return witness.output_of(command); });
}

PARLEY_FIBER_TEST(Http1Foreign, curl_asks_and_reads_our_answers) {
  const Witness witness;
  if (rt::blocking([&] { return witness.ask("curl --version").code; }) != 0) {
    GTEST_SKIP() << "curl does not run here: nobody else speaks HTTP with us";
  }
  const auto listener = listen();
  const std::string server = "http://" + authority_of(*listener);
  const std::string common =
      " -sS --noproxy '*' --max-time 60 -w '%{http_code} %{num_connects}\\n' ";
  const std::string command =
      "curl" + common + "'" + server + "/length?a=b'" +                                        //
      " --next" + common + "-d hello " + server + "/length" +                                  //
      " --next" + common + "-H 'Transfer-Encoding: chunked' -d hello " + server + "/chunks" +  //
      " --next" + common + "-I -o head " + server + "/chunks" +                                //
      " --next" + common + "-H 'Expect: 100-continue' -d tea " + server + "/length" +          //
      " --next" + common + "-X OPTIONS --request-target '*' " + server +                       //
      " --next" + common + "-0 " + server + "/chunks";
  EXPECT_EQ(said_to_our_server(witness, *listener, command),
            "GET /length?a=b \n200 1\n"
            "POST /length hello\n200 0\n"
            "POST /chunks hello\n200 0\n"
            "200 0\n"
            "POST /length tea\n200 0\n"
            "OPTIONS * \n200 0\n"
            "GET /chunks \n200 0\n");
  EXPECT_NE(witness.read("head").find("X-Tea: green\r\n"), std::string::npos);
}

constexpr std::string_view python_client = R"(
import http.client, sys
con = http.client.HTTPConnection(sys.argv[1], timeout=60)
def ask(method, path, **more):
    con.request(method, path, **more)
    got = con.getresponse()
    print(got.status, got.reason, got.getheader("X-Tea"), got.read().decode().strip())
ask("GET", "/length?q=%20")
ask("POST", "/length", body=b"hello")
ask("PUT", "/chunks", body=iter([b"hel", b"lo"]), encode_chunked=True,
    headers={"Transfer-Encoding": "chunked"})
ask("HEAD", "/length")
ask("DELETE", "/chunks", headers={"Connection": "close"})
)";

PARLEY_FIBER_TEST(Http1Foreign, python_asks_and_reads_our_answers) {
  const Witness witness;
  if (rt::blocking([&] { return witness.python_with("http.client"); }).empty()) {
    GTEST_SKIP() << "python3 does not run here: nobody else speaks HTTP with us";
  }
  witness.write("client.py", python_client);
  const auto listener = listen();
  EXPECT_EQ(said_to_our_server(witness, *listener, "python3 client.py " + authority_of(*listener)),
            "200 OK green GET /length?q=%20\n"
            "200 OK green POST /length hello\n"
            "200 OK green PUT /chunks hello\n"
            "200 OK green \n"
            "200 OK green DELETE /chunks\n");
}

// Says its port to who started it, and serves two connections.
constexpr std::string_view python_server = R"(
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nDigest: none\r\n\r\n")
        elif self.path == "/close":
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"hello to the end")
        else:
            self.send_header("Content-Length", "5")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"hello")
    do_HEAD = do_GET
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201, "Brewed")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as caller:
    caller.sendall(str(server.server_port).encode())
server.timeout = 60
server.handle_request()
server.handle_request()
)";

class Asking {
 public:
  explicit Asking(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}

  // Sends the request whole, then reads its answer to the end.
  SeenMessage ask(Method method, const std::string& target, std::string_view body = {},
                  bool expects_continue = false) {
    Request request{.method = method, .target = target};
    EXPECT_TRUE(request.headers.add("Host", "127.0.0.1").is_ok());
    if (expects_continue) {
      EXPECT_TRUE(request.headers.add("Expect", "100-continue").is_ok());
    }
    std::string out;
    const BodySize size = body.empty() ? BodySize::none() : BodySize::of(body.size());
    EXPECT_TRUE(writer_.begin(request, size, out).is_ok());
    EXPECT_TRUE(writer_.write(body, out).is_ok() && writer_.end(out).is_ok());
    EXPECT_TRUE(stream_->write(out).is_ok());
    parser_.expect({.method = method});
    testing::Seen seen;
    while (seen.messages.empty() || !seen.messages.back().is_whole) {
      if (!read_on(seen)) break;
    }
    return seen.messages.empty() ? SeenMessage{} : seen.messages.back();
  }
  [[nodiscard]] int informational() const { return informational_; }

 private:
  bool read_on(testing::Seen& seen) {
    std::array<char, 37> buffer{};  // small, so that heads come in pieces
    const auto size = stream_->read(buffer, rt::Deadline::after(std::chrono::seconds(15)));
    EXPECT_TRUE(size.has_value()) << size.error();
    if (!size) return false;
    if (*size == 0) {
      const Result<bool> ended = parser_.finish();
      EXPECT_TRUE(ended.has_value() && *ended) << ended.error();
      if (!seen.messages.empty()) seen.messages.back().is_whole = true;
      return false;
    }
    std::string_view in(buffer.data(), *size);
    for (;;) {
      const Result<Event> event = parser_.next(in);
      EXPECT_TRUE(event.has_value()) << event.error();
      if (!event) return false;
      if (*event == Event::more) return true;
      informational_ += *event == Event::informational ? 1 : 0;
      testing::note(parser_, *event, seen);
    }
  }

  std::unique_ptr<net::Stream> stream_;
  Http1Parser parser_{Reads::responses};
  Http1Writer writer_;
  int informational_ = 0;
};

PARLEY_FIBER_TEST(Http1Foreign, python_answers_and_we_read_it) {
  const Witness witness;
  if (rt::blocking([&] { return witness.python_with("http.server"); }).empty()) {
    GTEST_SKIP() << "python3 does not run here: nobody else speaks HTTP with us";
  }
  witness.write("server.py", python_server);
  const auto listener = listen();
  const std::string own = authority_of(*listener);
  rt::Scope scope;
  scope.go("python", [&] {
    (void)rt::blocking(
        [&] { return witness.output_of("python3 server.py " + own.substr(own.find(':') + 1)); });
  });
  const auto told = listener->accept();
  ASSERT_TRUE(told.has_value());
  std::string port;
  std::array<char, 8> buffer{};
  for (std::size_t size = 1; size > 0; port.append(buffer.data(), size)) {
    size = (*told)->read(buffer, rt::Deadline::after(std::chrono::seconds(15))).value_or(0U);
  }
  const auto address = net::Address::parse("tcp://127.0.0.1:" + port);
  ASSERT_TRUE(address.has_value());
  {
    Asking first(net::SocketNetwork().dial(*address).value());
    EXPECT_EQ(first.ask(Method::get, "/length").body, "hello");
    EXPECT_EQ(first.ask(Method::head, "/length").body, "");
    const SeenMessage chunks = first.ask(Method::get, "/chunks");
    EXPECT_EQ(chunks.body, "hello!");
    EXPECT_EQ(chunks.trailers.get("digest"), "none");
    const SeenMessage brewed = first.ask(Method::post, "/tea", "green", true);
    EXPECT_EQ(brewed.body, "green");
    EXPECT_EQ(brewed.response.reason, "Brewed");
    EXPECT_EQ(first.informational(), 1) << "100 (Continue)";
    EXPECT_TRUE(brewed.framing.keeps_alive);
  }
  Asking second(net::SocketNetwork().dial(*address).value());
  const SeenMessage last = second.ask(Method::get, "/close");
  EXPECT_EQ(last.body, "hello to the end");
  EXPECT_TRUE(last.is_whole && !last.framing.keeps_alive);
}

}  // namespace
}  // namespace parley::http
