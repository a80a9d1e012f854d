// A host behind a Door, which closes and opens again or crashes, and guests who come in every way
// there is: JSON by POST, gRPC (unary and streams), WebSockets that carry sessions, and the parley
// framing; over a network that is cut, slow and partitioned. Each call has a number of its own, and
// the books tell what ran. Through which protocol a call came makes no difference to what is
// promised of it.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parley/door/door.h"
#include "parley/door/grpc_client.h"
#include "parley/http/client.h"
#include "parley/http/websocket_client.h"
#include "parley/net/sim_network.h"
#include "parley/peer/peer.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"
#include "weather.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::array hosts = {"host"};
constexpr std::array guests = {"guest-1", "guest-2"};
// What simulated steps take, and plugins that pause.
constexpr Duration a_moment = 50ms;
constexpr std::size_t most_visits = 3;
constexpr std::size_t calls_each = 4;  // of one way in one visit
constexpr std::size_t ways = 4;
// And those when the weather is over.
constexpr std::size_t last_calls = ways;
constexpr std::size_t calls_of_guest = most_visits * ways * calls_each + last_calls;
constexpr std::size_t all_calls = guests.size() * calls_of_guest;

// What is asked, by every protocol.
struct Order {
  std::size_t number = 0;
  std::string note;
};

struct Receipt {
  std::size_t number = 0;
};

std::string some_note() {
  const int most = once_in(8) ? 60'000 : 5'000;
  std::string note(static_cast<std::size_t>(once_in(3) ? draw(1, most) : 10), 'x');
  note.back() = '.';
  return note;
}

// What fails in such weather, and in no other way.
void must_be_the_weather(const Status& why) {
  switch (why.code()) {
    case Code::not_sent:
    case Code::outcome_unknown:
    case Code::deadline_exceeded:
    case Code::unavailable:
    case Code::data_loss:
    case Code::resource_exhausted:  // a limit of the host's, which are small
      return;
    default:
      must(false, "it fails for a reason the network gives: " + why.to_string());
  }
}

class House {
 public:
  void run() {
    rt::Scope hosting;
    open_street(world_, hosts, guests, hosting, [this](const char* name) { keep_host(name); });
    rt::Scope weather;
    weather.go("weather", [this] {
      blow(world_, hosts, guests);
      weather_is_over_.set();
    });
    rt::Scope crowd;
    for (std::size_t i = 0; i < guests.size(); ++i) {
      crowd.go(guests[i], [this, i] { visit(i); });
    }
    weather.join();
    crowd.join();
    closing_.set();
    hosting.join();
  }

 private:
  // --- The host

  void keep_host(const char* name) {
    net::SimNode& node = world_.node(name);
    while (!closing_.is_set()) {
      {
        rt::Scope process(node.context(), rt::OnExit::cancel);
        process.go("host", [this, &node] { serve(node); });
        process.join();
      }
      (void)closing_.wait(rt::Deadline::after(draw(1, 20) * 1ms));
    }
  }

  void serve(net::SimNode& node) {
    auto listener = node.listen(*net::Address::parse("tcp://0.0.0.0:80"));
    if (!listener) return;
    Peer peer(options_on(node));
    furnish(peer);
    door::Door door(**listener, peer, {}, of_the_door());
    rt::Scope serving;
    serving.go("door", [&door] { (void)door.serve(); });
    (void)closing_.wait(rt::Deadline::after(draw(50, 1'500) * 1ms));
    const rt::Deadline limit = rt::Deadline::after(draw(0, 300) * 1ms);
    const auto end_peer = [&] {
      const ShutdownReport report = peer.shutdown({.limit = draw(0, 300) * 1ms});
      must(report.is_over, "whoever is no handler waits for the end");
    };
    // A session by a WebSocket of HTTP/2 holds its connection: the door alone ends by its deadline.
    if (once_in(2)) end_peer();
    (void)door.shutdown(limit);
    serving.join();
    end_peer();
    must(door.counts().connections == 0, "a door that has ended has nobody");
    must(peer.session_count() == 0, "an ended peer has no session");
  }

  static door::DoorOptions of_the_door() {
    door::DoorOptions options;
    options.http.send_date = false;  // it would be the machine's
    options.detect.detect_timeout = draw(100, 1'000) * 1ms;
    options.http.head_timeout = options.http.body_timeout = options.http.write_timeout = 1s;
    options.http.keep_alive_timeout = draw(50, 1'000) * 1ms;
    options.http.ping_after = 500ms;
    options.http.http2.ping_timeout = options.http.http2.linger = options.http.linger_time = 300ms;
    options.http.http2.goaway_wait = draw(1, 200) * 1ms;
    options.http.http2.limits.max_streams = static_cast<std::uint32_t>(draw(1, 5));
    return options;
  }

  void furnish(Peer& peer) {
    peer.handle("/buy", [this](Context& context, const Order& order) {
      begin(order);
      pause(20ms);
      // Who is a peer can be asked back, by whatever it came.
      if (once_in(3)) {
        const auto back = context.session().call<std::size_t>("/confirm", order.number);
        must(!back || *back == order.number, "an answer belongs to its question");
      }
      return Receipt{order.number + 1'000};
    });
    peer.handle_stream("/count", [this](Stream<Order, Receipt>& orders) { return count(orders); });
  }

  void begin(const Order& order) {
    must(order.number < all_calls, "a call comes with the number it was sent with");
    must(++begun_[order.number] == 1, "nothing runs twice");
    must(!order.note.empty() && order.note.back() == '.', "what is sent comes whole");
  }

  Status count(Stream<Order, Receipt>& orders) {
    for (std::size_t n = 0;; ++n) {
      auto order = orders.receive();
      if (!order) return order.error();
      if (!*order) return {};
      if (n == 0) begin(**order);
      must((*order)->note.ends_with('.'), "what is sent comes whole");
      pause(5ms);
      if (Status s = orders.send(Receipt{(*order)->number + n}); !s.is_ok()) return s;
    }
  }

  // --- The guests

  static http::ClientOptions of_guests(http::Versions versions) {
    http::ClientOptions options;
    options.versions = versions;
    options.max_connections_per_origin = static_cast<std::size_t>(draw(1, 3));
    options.retry_pause = draw(0, 30) * 1ms;
    options.ping_after = 500ms;
    options.http2.ping_timeout = 300ms;
    options.http2.write_timeout = 1s;
    options.connect_timeout = 500ms;
    options.answer_timeout = draw(100, 2'000) * 1ms;
    options.body_timeout = 1s;
    return options;
  }

  static door::GrpcChannelOptions of_channels() {
    door::GrpcChannelOptions options;
    options.connections = static_cast<std::size_t>(draw(1, 2));
    options.dial_timeout = 500ms;
    options.interval = 10ms;
    options.max_interval = 100ms;
    options.http2.ping_after = 500ms;
    options.http2.ping_timeout = 300ms;
    options.http2.linger = 300ms;
    options.http2.write_timeout = 1s;
    return options;
  }

  struct Guest {
    explicit Guest(net::SimNode& node)
        : client(node, of_guests(versions)),
          channel(node, *net::Address::parse("tcp://host:80"), of_channels()),
          peer(options_on(node)) {
      peer.handle("/confirm", [](std::size_t number) { return number; });
    }
    const http::Versions versions = once_in(2) ? http::Versions::http_1 : http::Versions::http_2;
    http::Client client;
    door::GrpcChannel channel;
    Peer peer;
  };

  void visit(std::size_t index) {
    Guest guest(world_.node(guests[index]));
    std::size_t next = index * calls_of_guest;
    for (int i = draw(1, static_cast<int>(most_visits)); i > 0; --i) {
      rt::Scope errands;
      for (std::size_t way = 0; way < ways; ++way, next += calls_each) {
        errands.go("errand", [this, &guest, way, first = next] { come(guest, way, first); });
      }
    }
    must(weather_is_over_.wait().is_ok(), "the weather ends");
    for (std::size_t way = 0; way < ways; ++way) come_at_last(guest, way, next + way);
  }

  void come(Guest& guest, std::size_t way, std::size_t first) {
    std::optional<Session> session;
    for (std::size_t number = first; number < first + calls_each; ++number) {
      const Duration patience = draw(20, 3'000) * 1ms;
      const Instant from = rt::now();
      const Status outcome = ask(guest, way, number, patience, session);
      // A session over a WebSocket has opened when the peer's own time for its first frame is over.
      const Duration opening = way == 2 ? guest.peer.options().frame_timeout : Duration::zero();
      const Duration took = rt::now() - from;
      must(took <= patience + opening + a_moment,
           "nobody waits longer than was said: way " + std::to_string(way) + ", " +
               std::to_string((took - patience) / 1us) + " us more, " + outcome.to_string());
      if (!outcome.is_ok()) judge(number, outcome);
      pause(100ms);
    }
    if (session) session->close();
  }

  // In a network that is whole: until one was answered, as long as it has not run.
  void come_at_last(Guest& guest, std::size_t way, std::size_t number) {
    std::string last;
    for (int attempt = 0; attempt < 200; ++attempt) {
      std::optional<Session> session;
      const Status outcome = ask(guest, way, number, 10s, session);
      if (outcome.is_ok() || begun_[number] > 0) return;
      last = outcome.to_string();
      (void)rt::sleep(50ms);
    }
    must(false, "a network that is whole brings an answer: " + last);
  }

  Status ask(Guest& guest, std::size_t way, std::size_t number, Duration patience,
             std::optional<Session>& session) {
    const Order order{number, some_note()};
    switch (way) {
      case 0:
        return post(guest.client, order, patience);
      case 1:
        return once_in(2) ? count_by_grpc(guest.channel, order, patience)
                          : buy_by_grpc(guest.channel, order, patience);
      default:
        break;
    }
    const rt::Deadline deadline = rt::Deadline::after(patience);
    if (!session || !session->is_open()) {
      auto opened = way == 2 ? open_websocket(guest, deadline)
                             : guest.peer.dial("tcp://host:80", {.timeout = patience});
      if (!opened) return Status(Code::not_sent, "no session: " + opened.error().to_string());
      session = *opened;
    }
    const Duration left = deadline.instant() - rt::now();
    if (left <= Duration::zero()) return {Code::not_sent, "no time is left"};
    return once_in(2) ? count_by_session(*session, order, left)
                      : buy_by_session(*session, order, left);
  }

  static Result<Session> open_websocket(Guest& guest, rt::Deadline deadline) {
    http::WebSocketRequestOptions options{.subprotocols = {"parley"}};
    if (guest.versions == http::Versions::http_2) options.protocol = http::Protocol::http_2;
    auto socket = http::connect_websocket(
        guest.client, {.url = "ws://host/parley", .deadline = deadline}, options);
    if (!socket) return socket.error();
    return guest.peer.serve(http::websocket_byte_stream(*std::move(socket)), Side::dialled);
  }

  Status told(const Order& order, std::size_t answered, std::size_t wanted) const {
    must(answered == wanted, "an answer belongs to its question");
    must(begun_[order.number] == 1, "what is answered has run");
    return {};
  }

  Status post(http::Client& client, const Order& order, Duration patience) {
    const std::string body =
        R"({"number":)" + std::to_string(order.number) + R"(,"note":")" + order.note + "\"}";
    const auto answer =
        client.post("http://host/buy", body, "application/json", rt::Deadline::after(patience));
    if (!answer) return answer.error();
    const std::string wanted = R"({"number":)" + std::to_string(order.number + 1'000) + "}";
    if (answer->status == 200) {
      must(answer->body == wanted, "an answer belongs to its question: " + answer->body);
      return told(order, 0, 0);
    }
    rt::trace_event("other answer", {order.number, answer->status});
    const bool is_unsent = answer->body.find(R"("code":"not_sent")") != std::string::npos;
    must(answer->status == 408 || answer->status == 429 || answer->status >= 499,
         "an error is one that a host has: " + std::to_string(answer->status) + answer->body);
    return {is_unsent ? Code::not_sent : Code::unavailable, answer->body};
  }

  Status buy_by_grpc(door::GrpcChannel& channel, const Order& order, Duration patience) {
    const auto receipt = channel.call<Receipt>("/buy", order, {.timeout = patience});
    if (!receipt) return receipt.error();
    return told(order, receipt->number, order.number + 1'000);
  }

  Status count_by_grpc(door::GrpcChannel& channel, const Order& order, Duration patience) {
    auto stream = channel.open<Order, Receipt>("/count", {.timeout = patience});
    if (!stream) return stream.error();
    const auto most = static_cast<std::size_t>(draw(1, 5));
    for (std::size_t n = 0; n < most; ++n) {
      // The end says why.
      if (!stream->write(order).is_ok()) return stream->finish();
      const auto back = stream->read();
      if (!back) return back.error();
      must(back->has_value(), "a stream has no end before it was asked for one");
      if (Status s = told(order, (*back)->number, order.number + n); !s.is_ok()) return s;
    }
    if (once_in(4)) return {};  // gives up
    if (Status s = stream->done_writing(); !s.is_ok()) return stream->finish();
    const auto end = stream->read();
    if (!end) return end.error();
    must(!end->has_value(), "a stream ends with its handler");
    return {};
  }

  Status buy_by_session(const Session& session, const Order& order, Duration patience) {
    const auto receipt = session.call<Receipt>({.timeout = patience}, "/buy", order);
    if (!receipt) return receipt.error();
    return told(order, receipt->number, order.number + 1'000);
  }

  Status count_by_session(const Session& session, const Order& order, Duration patience) {
    auto stream = session.open<Receipt, Order>({.timeout = patience}, "/count");
    if (!stream) return stream.error();
    const auto most = static_cast<std::size_t>(draw(1, 5));
    for (std::size_t n = 0; n < most; ++n) {
      if (Status s = stream->send(order); !s.is_ok()) {
        // What has ended says how when it is asked for more.
        const auto end = stream->receive();
        return end ? s : end.error();
      }
      const auto back = stream->receive();
      if (!back) return back.error();
      must(back->has_value(), "a stream has no end before it was asked for one");
      if (Status s = told(order, (*back)->number, order.number + n); !s.is_ok()) return s;
    }
    if (once_in(4)) return {};  // gives up
    if (Status s = stream->finish(); !s.is_ok()) return s;
    const auto end = stream->receive();
    if (!end) return end.error();
    must(!end->has_value(), "a stream ends with its handler");
    return {};
  }

  void judge(std::size_t number, const Status& why) const {
    rt::trace_event("failed call", {number}, name_of(why.code()));
    must(why.code() != Code::not_sent || begun_[number] == 0,
         "not_sent means not run: " + why.to_string());
    must_be_the_weather(why);
  }

  net::SimWorld world_{network_options()};
  std::vector<int> begun_ = std::vector<int>(all_calls);
  rt::Event weather_is_over_;
  rt::Event closing_;
};

}  // namespace

void doors() {
  House house;
  house.run();
}

}  // namespace parley::sim
