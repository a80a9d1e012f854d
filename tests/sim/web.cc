// Shops that serve HTTP/1 and HTTP/2, close in order and open again or crash, and customers with a
// pool of connections each, over a network that is cut, slow and partitioned. Each request has a
// number of its own, and the books tell how often a handler began it. On calm days nothing is cut
// and everybody is patient: then whatever a handler began is answered.
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/http/client.h"
#include "parley/http/server.h"
#include "parley/http/websocket_client.h"
#include "parley/http/websocket_handshake.h"
#include "parley/net/sim_network.h"
#include "parley/rt/event.h"
#include "parley/rt/scope.h"
#include "parley/rt/simulation.h"
#include "parley/rt/time.h"
#include "scenario.h"
#include "weather.h"

namespace parley::sim {
namespace {

using namespace std::chrono_literals;
using http::ClientExchange;
using http::ServerExchange;

constexpr std::array customers = {"customer-1", "customer-2"};
constexpr std::size_t callers_each = 3;
constexpr std::size_t requests_each = 6;
// And one of each customer when the weather is over.
constexpr std::size_t all_requests = customers.size() * (callers_each * requests_each + 1);
// What simulated steps take.
constexpr Duration a_moment = 10ms;
constexpr const char* number_field = "Number";
constexpr const char* size_field = "Whole-Size";

// Behind the last slash.
std::size_t number_of(std::string_view path) {
  std::size_t number = 0;
  const std::size_t at = path.rfind('/') + 1;
  const auto end = std::from_chars(path.data() + at, path.data() + path.size(), number);
  must(end.ec == std::errc() && number < all_requests,
       "a request comes with the number it was sent with");
  return number;
}

// Now and then one that fills every buffer there is.
std::string some_text() {
  const int most = once_in(8) ? 200'000 : 20'000;
  std::string text(static_cast<std::size_t>(once_in(3) ? draw(1, most) : 10), 'x');
  text.back() = '.';
  return text;
}

bool is_whole(const std::string& text, const http::Headers& headers) {
  return !text.empty() && text.back() == '.' &&
         headers.get(size_field) == std::string_view(std::to_string(text.size()));
}

void put_number(http::Headers& headers, const char* name, std::size_t number) {
  must(headers.add(name, std::to_string(number)).is_ok(), "there is room for a field");
}

class Town {
 public:
  void run() {
    rt::Scope shopkeepers;
    open_street(world_, shops, customers, shopkeepers,
                [this](const char* name) { keep_shop(name); });
    rt::Scope weather;
    weather.go("weather", [this] {
      if (!is_calm_) blow(world_, shops, customers);
      weather_is_over_.set();
    });
    rt::Scope crowd;
    for (std::size_t i = 0; i < customers.size(); ++i) {
      crowd.go(customers[i], [this, i] { visit(i); });
    }
    weather.join();
    crowd.join();
    closing_.set();
    shopkeepers.join();
    for (const int ended : ended_) must(ended == 1, "every request ends once");
    // What was sent last may be on its way. A machine that crashed takes leave of nobody.
    for (int i = 0; is_calm_ && i < 100 && world_.open_connections() > 0; ++i) {
      (void)rt::sleep(100ms);
    }
    must(!is_calm_ || world_.open_connections() == 0, "no connection is left when all have gone");
  }

 private:
  // --- Shops

  // Opens anew whenever its node is up again and it has closed for the night.
  void keep_shop(const char* name) {
    net::SimNode& node = world_.node(name);
    while (!closing_.is_set()) {
      {
        rt::Scope process(node.context(), rt::OnExit::cancel);
        process.go("shop", [this, &node] { serve(node); });
        process.join();
      }
      (void)closing_.wait(rt::Deadline::after(draw(1, 20) * 1ms));
    }
  }

  void serve(net::SimNode& node) {
    auto listener = node.listen(*net::Address::parse("tcp://0.0.0.0:80"));
    if (!listener) return;
    http::Server server(
        **listener, [this](ServerExchange& exchange) { return answer(exchange); }, of_shops());
    rt::Scope serving;
    serving.go("serve", [&server] { (void)server.serve(); });
    (void)closing_.wait(rt::Deadline::after(draw(20, 800) * 1ms));
    const Duration limit = is_calm_ ? Duration(1min) : Duration(draw(0, 300) * 1ms);
    const Status ended = server.shutdown(rt::Deadline::after(limit));
    must(!is_calm_ || ended.is_ok(), "on a calm day nobody is sent away: " + ended.to_string());
    serving.join();
    must(server.counts().connections == 0, "a server that has ended has nobody");
  }

  http::ServerOptions of_shops() const {
    http::ServerOptions options;
    options.send_date = false;  // it would be the machine's
    if (is_calm_) return options;
    options.head_timeout = options.body_timeout = options.write_timeout = 1s;
    options.keep_alive_timeout = draw(50, 1'000) * 1ms;
    options.ping_after = 500ms;
    options.http2.ping_timeout = options.http2.linger = options.linger_time = 300ms;
    options.http2.goaway_wait = draw(1, 200) * 1ms;
    options.http2.limits.max_streams = static_cast<std::uint32_t>(draw(1, 5));
    options.max_requests = once_in(3) ? static_cast<std::uint64_t>(draw(1, 5)) : 0;
    options.max_handlers = static_cast<std::size_t>(draw(1, 10));
    return options;
  }

  Status answer(ServerExchange& exchange) {
    const std::string path(exchange.request().path());
    const std::size_t number = number_of(path);
    if (path.starts_with("/moved/")) {
      must(exchange.response()
               .headers.add("Location", "http://shop-2/buy/" + std::to_string(number))
               .is_ok(),
           "a redirect can be written");
      return exchange.answer(307);
    }
    ++begun_[number];
    must(http::is_idempotent(exchange.request().method) || begun_[number] == 1,
         "what must not run twice runs once");
    if (path.starts_with("/chat/")) return http::accept_websocket(exchange, {}, &chat_back);
    return path.starts_with("/talk/") ? talk_back(exchange) : sell(exchange, number);
  }

  Status sell(ServerExchange& exchange, std::size_t number) const {
    if (!exchange.request_size().is_none() && !once_in(6)) {
      const auto body = exchange.read_all();
      if (!body) return body.error();
      must(is_whole(*body, exchange.request().headers), "what is read to its end came whole");
    }
    pause(30ms);
    if (!is_calm_ && once_in(12)) return {Code::internal, "out of tea"};
    const std::string text = some_text();
    http::Headers& fields = exchange.response().headers;
    put_number(fields, number_field, number);
    put_number(fields, size_field, text.size());
    if (once_in(2)) return exchange.answer(200, text);
    const bool is_told = once_in(2);
    const auto size = is_told ? http::BodySize::of(text.size()) : http::BodySize::unknown();
    if (Status s = exchange.begin(size); !s.is_ok()) return s;
    const std::size_t half = text.size() / 2;
    if (Status s = exchange.write(std::string_view(text).substr(0, half)); !s.is_ok()) return s;
    if (Status s = once_in(2) ? exchange.flush() : Status(); !s.is_ok()) return s;
    pause(10ms);
    if (!is_calm_ && once_in(8)) return {Code::internal, "the cup fell"};
    return exchange.write(std::string_view(text).substr(half));
  }

  // Each piece, as it comes.
  static Status talk_back(ServerExchange& exchange) {
    if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
    for (;;) {
      const auto piece = exchange.read();
      if (!piece) return piece.error();
      if (piece->empty()) return {};
      if (Status s = exchange.write(*piece); !s.is_ok()) return s;
      if (Status s = exchange.flush(); !s.is_ok()) return s;
      pause(5ms);
    }
  }

  // Each message, until the client has closed.
  static void chat_back(const std::unique_ptr<http::WebSocket>& socket) {
    for (;;) {
      const auto message = socket->receive_message();
      if (!message || !socket->send_binary(message->payload).is_ok()) return;
      pause(5ms);
    }
  }

  // --- Customers

  http::ClientOptions of_customers(http::Versions versions) const {
    http::ClientOptions options;
    options.versions = versions;
    options.max_connections_per_origin = static_cast<std::size_t>(draw(1, 3));
    options.retry_pause = draw(0, 30) * 1ms;
    if (once_in(2)) options.idle_timeout = draw(1, 300) * 1ms;
    if (once_in(3)) options.max_age = draw(1, 300) * 1ms;
    if (is_calm_) return options;
    options.max_idle = static_cast<std::size_t>(draw(0, 3));
    options.max_waiting = static_cast<std::size_t>(draw(1, 3));
    options.ping_after = 500ms;
    options.http2.ping_timeout = 300ms;
    options.http2.write_timeout = 1s;
    options.connect_timeout = 500ms;
    options.answer_timeout = draw(100, 2'000) * 1ms;
    options.body_timeout = 1s;
    options.max_redirects = static_cast<std::size_t>(draw(0, 1));
    return options;
  }

  void visit(std::size_t index) {
    const auto versions = once_in(2) ? http::Versions::http_1 : http::Versions::http_2;
    http::Client client(world_.node(customers[index]), of_customers(versions));
    const std::size_t first = index * (callers_each * requests_each + 1);
    {
      rt::Scope callers;
      for (std::size_t i = 0; i < callers_each; ++i) {
        callers.go("caller", [&, from = first + i * requests_each] {
          for (std::size_t number = from; number < from + requests_each; ++number) {
            ask(client, versions, number);
            pause(100ms);
          }
        });
      }
    }
    must(client.counts().waiting == 0, "nobody waits when all have their answers");
    must(weather_is_over_.wait().is_ok(), "the weather ends");
    ask_until_answered(client, first + callers_each * requests_each);
  }

  // In a network that is whole.
  void ask_until_answered(http::Client& client, std::size_t number) {
    ++ended_[number];
    const std::string url = "http://shop-1/buy/" + std::to_string(number);
    std::string last;
    // A shop may close in order for as long as a large talk over a slow link takes.
    for (int attempt = 0; attempt < 1'000; ++attempt) {
      const auto answer = client.get(url, rt::Deadline::after(10s));
      if (answer && answer->status == 200) return;
      last = answer ? std::to_string(answer->status) : answer.error().to_string();
      (void)rt::sleep(50ms);
    }
    must(false, "a network that is whole brings an answer: " + last);
  }

  void ask(http::Client& client, http::Versions versions, std::size_t number) {
    const Duration patience = is_calm_ ? Duration(1min) : Duration(draw(20, 3'000) * 1ms);
    const Instant from = rt::now();
    if (once_in(4)) {
      talk(client, number, rt::Deadline::after(patience));
    } else if (once_in(4)) {
      chat(client, versions, number, rt::Deadline::after(patience));
    } else {
      buy(client, number, rt::Deadline::after(patience));
    }
    ++ended_[number];
    must(rt::now() - from <= patience + a_moment, "nobody waits longer than was said");
  }

  void buy(http::Client& client, std::size_t number, rt::Deadline deadline) {
    constexpr std::array methods = {http::Method::get, http::Method::put, http::Method::post};
    http::ClientRequest request{.method = methods.at(static_cast<std::size_t>(draw(0, 2)))};
    const std::string path = (once_in(6) ? "/moved/" : "/buy/") + std::to_string(number);
    request.url = std::string("http://") + (once_in(2) ? shops[0] : shops[1]) + path;
    request.deadline = deadline;
    if (request.method != http::Method::get) {
      request.body = some_text();
      put_number(request.headers, size_field, request.body.size());
    }
    const auto answer = client.send(request);
    must(begun_[number] <= 3, "no request is sent more often than max_tries");
    if (!answer) return judge(number, answer.error());
    if (answer->status == 200) {
      must(begun_[number] > 0, "what is answered has run");
      must(answer->headers.get(number_field) == std::string_view(std::to_string(number)),
           "an answer belongs to its request");
      must(is_whole(answer->body, answer->headers), "an answer without an error is whole");
    } else {
      rt::trace_event("other answer", {number, answer->status});
      must(!is_calm_, "on a calm day all is well: " + std::to_string(answer->status));
      must(answer->status == 307 || answer->status == 500 || answer->status == 408 ||
               answer->status == 503,
           "an answer is one that a shop gives: " + std::to_string(answer->status));
    }
  }

  // Sends pieces and gets them back meanwhile; some give up among them.
  void talk(http::Client& client, std::size_t number, rt::Deadline deadline) {
    const std::string url = "http://shop-1/talk/" + std::to_string(number);
    const bool is_given_up = once_in(4);
    auto exchange = client.begin({.method = http::Method::post, .url = url, .deadline = deadline},
                                 http::BodySize::unknown());
    if (!exchange) return judge(number, exchange.error());
    const std::string text = some_text();
    rt::Scope writing(rt::OnExit::cancel);
    writing.go("writer", [&] {
      for (std::size_t at = 0; at < text.size();) {
        const auto size = static_cast<std::size_t>(draw(1, 10'000));
        const std::string_view piece = std::string_view(text).substr(at, size);
        if (!(*exchange)->write(piece, deadline).is_ok()) return;
        if (!(*exchange)->flush(deadline).is_ok()) return;
        at += piece.size();
        pause(5ms);
        if (is_given_up && once_in(2)) return (*exchange)->cancel();
      }
      if (is_given_up) return (*exchange)->cancel();
      (void)(*exchange)->end(deadline);
    });
    const Status ended = hear(**exchange, text, deadline);
    if (is_given_up) (*exchange)->cancel();
    if (!ended.is_ok() && !is_given_up) judge(number, ended);
    must(!ended.is_ok() || !is_given_up || deadline.is_over(), "what is given up has no end");
  }

  static Status hear(ClientExchange& exchange, const std::string& text, rt::Deadline deadline) {
    const auto response = exchange.response(deadline);
    if (!response) return response.error();
    if ((*response)->status != 200) return {Code::unavailable, "not now"};
    std::string heard;
    for (;;) {
      const auto piece = exchange.read(deadline);
      if (!piece) return piece.error();
      if (piece->empty()) break;
      heard.append(*piece);
      must(text.starts_with(heard), "pieces come back in their order");
    }
    must(heard == text, "an end without an error has lost nothing");
    return {};
  }

  // By a WebSocket: every message comes back.
  void chat(http::Client& client, http::Versions versions, std::size_t number,
            rt::Deadline deadline) const {
    http::WebSocketRequestOptions options;
    if (versions == http::Versions::http_2) options.protocol = http::Protocol::http_2;
    if (!is_calm_) options.socket.close_timeout = Duration::zero();
    const http::ClientRequest request{.url = "ws://shop-1/chat/" + std::to_string(number),
                                      .deadline = deadline};
    const auto socket = http::connect_websocket(client, request, options);
    if (!socket) return judge_chat(number, socket.error());
    for (int i = draw(0, 5); i > 0; --i) {
      const std::string text = some_text();
      // The end of what comes says more than that of what goes.
      (void)(*socket)->send_binary(text, deadline);
      const auto message = (*socket)->receive_message(deadline);
      if (!message) return judge_chat(number, message.error());
      must(message->payload.to_string() == text, "messages come back whole and in their order");
      pause(5ms);
    }
    if (once_in(2)) (void)(*socket)->shut();
  }

  // A chat may end with the shop: then that is told (1001), or what was said last is lost.
  void judge_chat(std::size_t number, const Status& why) const {
    switch (why.code()) {
      case Code::out_of_range:
      case Code::unavailable:
      case Code::data_loss:
        return rt::trace_event("chat ended", {number}, name_of(why.code()));
      case Code::failed_precondition:  // answered 408, 500 or 503
        return must(!is_calm_, "on a calm day a chat begins: " + why.to_string());
      default:
        judge(number, why);
    }
  }

  void judge(std::size_t number, const Status& why) const {
    rt::trace_event("failed request", {number}, name_of(why.code()));
    must(why.code() != Code::not_sent || begun_[number] == 0,
         "not_sent means not run: " + why.to_string());
    switch (why.code()) {
      case Code::not_sent:
        return;
      case Code::unavailable:
      case Code::data_loss:
        must(!is_calm_ || begun_[number] == 0,
             "whoever closes in order answers what it began: " + why.to_string());
        return;
      case Code::deadline_exceeded:
      case Code::resource_exhausted:  // max_waiting
        return must(!is_calm_, "on a calm day there is time and room: " + why.to_string());
      default:
        must(false, "a request fails for a reason the network gives: " + why.to_string());
    }
  }

  static net::SimOptions network_on(bool is_calm_day) {
    net::SimOptions options = network_options();
    if (is_calm_day) options.link.mean_bytes_to_cut = {};
    return options;
  }

  const bool is_calm_ = once_in(3);
  net::SimWorld world_{network_on(is_calm_)};
  std::vector<int> begun_ = std::vector<int>(all_requests);
  std::vector<int> ended_ = std::vector<int>(all_requests);
  rt::Event weather_is_over_;
  rt::Event closing_;
};

}  // namespace

void web() {
  Town town;
  town.run();
}

}  // namespace parley::sim
