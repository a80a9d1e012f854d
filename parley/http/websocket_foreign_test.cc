// WebSocket with somebody else's program at the other end: npm's ws as client and as server, with
// and without compression. Skipped, with the reason, where it is not installed.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/testing/witness.h"
#include "parley/http/server.h"
#include "parley/http/testing/plain_exchange.h"
#include "parley/http/websocket_handshake.h"
#include "parley/net/network.h"
#include "parley/rt/blocking.h"
#include "parley/rt/scope.h"
#include "parley/rt/testing/fiber_test.h"
#include "parley/rt/wait_group.h"

namespace parley::http {
namespace {

using parley::testing::Witness;

constexpr std::string_view node_client = R"(
const WebSocket = require('ws');
const [port, options] = [process.argv[2], JSON.parse(process.argv[3])];
const ws = new WebSocket(`ws://127.0.0.1:${port}/echo`, ['b', 'a'], {perMessageDeflate: options});
const got = [];
let large = '';
for (let i = 0; large.length < 300000; ++i) large += `line ${i * i} ü\n`;
const next = () => new Promise((done) => { ws.once('message', (d, b) => done([d, b])); });
const say = (...words) => console.log(words.join(' '));
setTimeout(() => { say('too slow'); process.exit(1); }, 60000).unref();
ws.on('error', (e) => { say('error', e.message); process.exit(1); });
ws.on('close', (code, reason) => { say('closed', code, reason); });
ws.on('open', async () => {
  say('open', ws.protocol, ws.extensions.split(';')[0]);
  ws.send('hello'); let [d, b] = await next(); say(b, d);
  ws.send(Buffer.from([0, 255, 7])); [d, b] = await next(); say(b, d.toString('hex'));
  ws.send(''); [d, b] = await next(); say(b, d.length);
  ws.send(large); [d, b] = await next(); say(b, d.toString() === large);
  ws.send(large); [d, b] = await next(); say(b, d.toString() === large);
  ws.send('one ', {fin: false}); ws.ping('are you there');
  ws.send('two ', {fin: false}); ws.send('three', {fin: true});
  ws.once('pong', (p) => say('pong', p));
  [d, b] = await next(); say(b, d);
  if (process.argv[4] === 'we') ws.close(4000, 'bye'); else ws.send('close');
});
)";

constexpr std::string_view node_server = R"(
const net = require('net'), http = require('http'), WebSocket = require('ws');
const [port, options] = [process.argv[2], JSON.parse(process.argv[3])];
const server = http.createServer();
const wss = new WebSocket.Server({server, perMessageDeflate: options,
                                  handleProtocols: () => 'a'});
setTimeout(() => { console.log('too slow'); process.exit(1); }, 60000).unref();
wss.on('connection', (ws) => {
  ws.on('error', (e) => console.log('error', e.message));
  ws.on('close', (code, reason) => console.log('closed', code, String(reason)));
  ws.on('pong', (p) => console.log('pong', String(p)));
  ws.ping('hey');
  ws.on('message', (data, binary) => {
    if (String(data) === 'close') return ws.close(4001, 'asked');
    if (String(data) === 'pieces') {
      ws.send('one ', {fin: false}); ws.ping(); ws.send('two', {fin: true});
      return;
    }
    ws.send(data, {binary});
  });
});
const socket = net.connect(port, '127.0.0.1', () => server.emit('connection', socket));
)";

constexpr std::string_view node_guest = R"(
const WebSocket = require('ws');
setTimeout(() => { console.log('too slow'); process.exit(1); }, 60000).unref();
for (let i = 0; i < 3; ++i) {
  const ws = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/`);
  ws.on('error', (e) => { console.log('error', e.message); process.exit(1); });
  ws.on('close', (code, reason) => { console.log('closed', code, String(reason)); });
}
)";

struct World {
  World() {
    witness.write("guest.js", node_guest);
    witness.write("client.js", node_client);
    witness.write("server.js", node_server);
    has_node = rt::blocking([&] { return witness.node_with("ws") == "node"; });
  }
  std::string run(const std::string& script, const std::string& arguments) {
    const std::string address = listener->address().to_string();
    const std::string port = address.substr(address.rfind(':') + 1);
    return rt::blocking(
        [&] { return witness.output_of("node " + script + " " + port + " " + arguments); });
  }
  Witness witness;
  bool has_node = false;
  std::unique_ptr<net::Listener> listener =
      std::move(*net::SocketNetwork().listen(*net::Address::parse("tcp://127.0.0.1:0")));
};

const char* const none_here =
    "node with ws does not run here: nobody else speaks WebSocket with us";

// Sends back what comes, until it is to close; says how it ended.
std::string echo(WebSocket& socket) {
  for (;;) {
    auto message = socket.receive_message();
    if (!message) return message.error().to_string();
    if (message->payload == "close") return socket.shut(4001, "asked").to_string();
    const std::string bytes = message->payload.to_string();
    const Status status =
        message->type == WebSocketType::text ? socket.send_text(bytes) : socket.send_binary(bytes);
    if (!status.is_ok()) return status.to_string();
  }
}

struct Way {
  const char* of_node;     // perMessageDeflate
  DeflateOptions of_ours;  // and this
  const char* agreed;      // the extension
};

const Way ways[] = {
    {"false", {}, ""},
    {"true", {.is_on = false}, ""},
    {"{}", {.min_bytes = 0}, "permessage-deflate"},
    {R"({"threshold":0,"serverNoContextTakeover":true,"clientNoContextTakeover":true})",
     {.min_bytes = 0},
     "permessage-deflate"},
    {R"({"threshold":0,"serverMaxWindowBits":10,"clientMaxWindowBits":11})",
     {.server_max_window_bits = 12, .client_max_window_bits = 11},
     "permessage-deflate"},
};

PARLEY_FIBER_TEST(WebSocketForeign, ws_speaks_to_our_server) {
  World world;
  if (!world.has_node) GTEST_SKIP() << none_here;
  bool they_close = false;
  for (const Way& way : ways) {
    they_close = !they_close;
    std::string ended;
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("server", [&] {
      AcceptWebSocketOptions options{.subprotocols = {"a"}};
      options.socket.deflate = way.of_ours;
      options.socket.writer.fragment_bytes = 10'000;
      (void)testing::serve_plain(*world.listener->accept(), [&](ServerExchange& exchange) {
        return accept_websocket(exchange, options,
                                [&](std::unique_ptr<WebSocket> socket) { ended = echo(*socket); });
      });
    });
    const std::string said =
        world.run("client.js", "'" + std::string(way.of_node) + "' " + (they_close ? "we" : "you"));
    EXPECT_EQ(said, "open a " + std::string(way.agreed) +
                        "\nfalse hello\ntrue 00ff07\nfalse 0\nfalse true\nfalse true\n"
                        "pong are you there\nfalse one two three\n" +
                        (they_close ? "closed 4000 \n" : "closed 4001 asked\n"))
        << way.of_node;
    scope.join();
    EXPECT_EQ(ended,
              they_close ? "unavailable: receive: the other side closed with 4000: \"bye\"" : "ok")
        << way.of_node;
  }
}

PARLEY_FIBER_TEST(WebSocketForeign, ws_is_told_1001_by_a_server_that_drains) {
  World world;
  if (!world.has_node) GTEST_SKIP() << none_here;
  rt::WaitGroup waiting;
  waiting.add(3);
  Server server(*world.listener, [&](ServerExchange& exchange) {
    return accept_websocket(exchange, {}, [&](const std::unique_ptr<WebSocket>& socket) {
      waiting.done();
      EXPECT_EQ(socket->receive_message().error().code(), Code::out_of_range);
      EXPECT_EQ(socket->close_code(), close_code::going_away) << "which is its answer";
    });
  });
  rt::Scope scope(rt::OnExit::cancel);
  scope.go("server", [&] { EXPECT_TRUE(server.serve().is_ok()); });
  scope.go("end", [&] {
    if (!waiting.wait().is_ok()) return;
    EXPECT_TRUE(server.shutdown().is_ok());
  });
  EXPECT_EQ(world.run("guest.js", ""), "closed 1001 \nclosed 1001 \nclosed 1001 \n");
  scope.join();
}

PARLEY_FIBER_TEST(WebSocketForeign, our_client_speaks_to_ws) {
  World world;
  if (!world.has_node) GTEST_SKIP() << none_here;
  std::string large;
  for (int i = 0; large.size() < 300'000; ++i) large += "line " + std::to_string(i * i) + " ü\n";
  bool they_close = false;
  for (const Way& way : ways) {
    they_close = !they_close;
    rt::Scope scope(rt::OnExit::cancel);
    scope.go("client", [&] {
      WebSocketRequestOptions options{.subprotocols = {"b", "a"}};
      options.socket.deflate = way.of_ours;
      options.socket.writer.fragment_bytes = 10'000;
      const auto opening = websocket_request("/echo", "127.0.0.1", options);
      testing::PlainClient exchange(*world.listener->accept(), opening->request);
      const auto opened = finish_websocket(exchange, *opening);
      ASSERT_TRUE(opened) << opened.error() << way.of_node;
      WebSocket& socket = **opened;
      EXPECT_EQ(socket.subprotocol(), "a");
      EXPECT_EQ(socket.is_compressed(), *way.agreed != '\0') << way.of_node;
      for (const std::string& text : {std::string("hello"), large, large, std::string()}) {
        EXPECT_TRUE(socket.send_text(text).is_ok());
        const auto back = socket.receive_message();
        ASSERT_TRUE(back) << back.error();
        EXPECT_TRUE(back->payload == text && back->type == WebSocketType::text);
      }
      EXPECT_TRUE(socket.send_binary(large).is_ok());
      EXPECT_TRUE(socket.receive_message()->type == WebSocketType::binary);
      EXPECT_TRUE(socket.send_text("pieces").is_ok());
      EXPECT_EQ(*socket.receive(), "one two");
      if (they_close) {
        EXPECT_TRUE(socket.send_text("close").is_ok());
        EXPECT_EQ(socket.receive().error().code(), Code::unavailable);
        EXPECT_EQ(socket.close_code(), 4001);
        EXPECT_EQ(socket.close_reason(), "asked");
      } else {
        EXPECT_TRUE(socket.shut(4002, "enough").is_ok());
      }
    });
    const std::string said = world.run("server.js", "'" + std::string(way.of_node) + "'");
    EXPECT_EQ(said, they_close ? "pong hey\npong \nclosed 4001 \n"
                               : "pong hey\npong \nclosed 4002 enough\n")
        << way.of_node;
    scope.join();
  }
}

}  // namespace
}  // namespace parley::http
