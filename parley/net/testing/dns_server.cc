#include "parley/net/testing/dns_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "parley/net/network.h"

namespace parley::net::testing {
namespace {

constexpr std::size_t header_size = 12;

void put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8U & 0xffU);
  out += static_cast<char>(value & 0xffU);
}

std::string wire_name(std::string_view name) {
  std::string out;
  while (!name.empty() && name != ".") {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out += '\0';
  return out;
}

std::string address_bytes(int family, const std::string& address) {
  std::array<char, sizeof(in6_addr)> bytes{};
  EXPECT_EQ(::inet_pton(family, address.c_str(), bytes.data()), 1) << address;
  return {bytes.data(), family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr)};
}

struct Received {
  long size = -1;
  int error = 0;
  sockaddr_in from{};
};

[[gnu::noinline]] Received receive_from(int fd, std::array<char, 2048>& buffer) {
  Received received;
  socklen_t size = sizeof received.from;
  received.size = ::recvfrom(fd, buffer.data(), buffer.size(), 0,
                             reinterpret_cast<sockaddr*>(&received.from), &size);
  received.error = errno;
  return received;
}

void send_to(int fd, const std::string& packet, const sockaddr_in& to) {
  ::sendto(fd, packet.data(), packet.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
           sizeof to);
}

Fd bind_udp(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

// False at the end of the stream.
bool read_exactly(Stream& stream, std::string& into, std::size_t size) {
  into.resize(size);
  for (std::size_t got = 0; got < size;) {
    const auto more = stream.read({into.data() + got, size - got});
    if (!more || *more == 0) return false;
    got += *more;
  }
  return true;
}

}  // namespace

DnsRecord a_record(const std::string& address, std::uint32_t ttl, std::string name) {
  return {.type = 1, .data = address_bytes(AF_INET, address), .ttl = ttl, .name = std::move(name)};
}

DnsRecord aaaa_record(const std::string& address, std::uint32_t ttl, std::string name) {
  return {
      .type = 28, .data = address_bytes(AF_INET6, address), .ttl = ttl, .name = std::move(name)};
}

DnsRecord cname_record(std::string_view target, std::uint32_t ttl, std::string name) {
  return {.type = 5, .data = wire_name(target), .ttl = ttl, .name = std::move(name)};
}

DnsRecord srv_record(std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
                     std::string_view target, std::uint32_t ttl) {
  DnsRecord record{.type = 33, .data = {}, .ttl = ttl, .name = {}};
  for (const std::uint16_t number : {priority, weight, port}) put16(record.data, number);
  record.data += wire_name(target);
  return record;
}

DnsRecord txt_record(const std::vector<std::string>& strings, std::uint32_t ttl) {
  DnsRecord record{.type = 16, .data = {}, .ttl = ttl, .name = {}};
  for (const std::string& text : strings) record.data += static_cast<char>(text.size()) + text;
  return record;
}

DnsServer::DnsServer() {
  SocketNetwork network;
  for (int i = 0; i < 20 && !udp_; ++i) {
    auto listener = network.listen(*Address::parse("tcp://127.0.0.1:0"));
    if (!listener) continue;
    listener_ = *std::move(listener);
    udp_ = bind_udp(listener_->address().port);
  }
  EXPECT_TRUE(udp_) << "no port is free on both UDP and TCP";
  EXPECT_TRUE(pollable_.watch(udp_.get()).is_ok());
  scope_.go("dns udp", [this] { serve_udp(); });
  scope_.go("dns tcp", [this] { serve_tcp(); });
}

void DnsServer::on(const std::string& name, DnsType type, DnsScript script) {
  const std::lock_guard lock(mutex_);
  scripts_[{name, type}] = std::move(script);
}

std::string DnsServer::address() const {
  return "127.0.0.1:" + std::to_string(listener_->address().port);
}

int DnsServer::asked(const std::string& name, DnsType type) {
  const std::lock_guard lock(mutex_);
  return asked_[{name, type}];
}

int DnsServer::asked_on_tcp() {
  const std::lock_guard lock(mutex_);
  return asked_on_tcp_;
}

DnsQuestion DnsServer::next_question() {
  auto question = arrived_.receive();
  return question ? *std::move(question) : DnsQuestion{};
}

bool DnsServer::parse(std::string_view packet, Query& query) {
  if (packet.size() < header_size + 5) return false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(packet[at]); };
  query.id = static_cast<std::uint16_t>(byte(0) << 8U | byte(1));
  std::size_t at = header_size;
  while (at < packet.size() && byte(at) != 0) {
    const std::size_t size = byte(at);
    if (!query.question.name.empty()) query.question.name += '.';
    query.question.name += packet.substr(at + 1, size);
    at += 1 + size;
  }
  if (at + 5 > packet.size()) return false;
  query.question.type = static_cast<DnsType>(byte(at + 1) << 8U | byte(at + 2));
  query.head = packet.substr(header_size, at + 5 - header_size);
  return true;
}

std::string DnsServer::reply_to(const Query& query, const DnsScript& script, bool is_tcp) {
  const bool is_cut = script.is_cut_on_udp && !is_tcp;
  const std::size_t records =
      is_cut ? 0 : script.records.size() + (script.bytes_after.empty() ? 0 : 1);
  std::string reply;
  put16(reply, query.id);
  put16(reply, 0x8180U | (is_cut ? 0x0200U : 0U) | static_cast<unsigned>(script.code));
  put16(reply, 1);
  put16(reply, static_cast<unsigned>(records));
  put16(reply, 0);
  put16(reply, 0);
  reply += query.head;
  if (is_cut) return reply;
  for (const DnsRecord& record : script.records) {
    if (record.name.empty()) {
      put16(reply, 0xc000U | header_size);  // the name asked for, as servers shorten it
    } else {
      reply += wire_name(record.name);
    }
    put16(reply, record.type);
    put16(reply, 1);
    put16(reply, record.ttl >> 16U);
    put16(reply, record.ttl & 0xffffU);
    put16(reply, static_cast<unsigned>(record.data.size()));
    reply += record.data;
  }
  return reply + script.bytes_after;
}

DnsScript DnsServer::note(const Query& query, bool is_tcp) {
  DnsScript script{.code = 3};
  {
    const std::lock_guard lock(mutex_);
    ++asked_[query.question];
    if (is_tcp) ++asked_on_tcp_;
    const auto found = scripts_.find(query.question);
    const auto known = scripts_.lower_bound({query.question.name, DnsType{}});
    if (found != scripts_.end()) {
      script = found->second;
    } else if (known != scripts_.end() && known->first.name == query.question.name) {
      script.code = 0;  // the name exists, with records of other types
    }
  }
  DnsQuestion question = query.question;
  (void)arrived_.try_send(question);
  return script;
}

void DnsServer::serve_udp() {
  std::array<char, 2048> buffer{};
  for (;;) {
    const Received received = receive_from(udp_.get(), buffer);
    if (received.size < 0) {
      if (received.error == EAGAIN && !pollable_.wait_readable().is_ok()) return;
      continue;
    }
    Query query;
    if (!parse({buffer.data(), static_cast<std::size_t>(received.size)}, query)) continue;
    const DnsScript script = note(query, false);
    if (script.is_silent) continue;
    if (script.is_noisy) {
      send_to(udp_.get(), {}, received.from);
      send_to(udp_.get(), {buffer.data(), static_cast<std::size_t>(received.size)}, received.from);
    }
    const std::string reply = reply_to(query, script, false);
    if (script.gate == nullptr) {
      send_to(udp_.get(), reply, received.from);
      continue;
    }
    scope_.go("gated reply", [this, reply, from = received.from, gate = script.gate] {
      if (gate->wait().is_ok()) send_to(udp_.get(), reply, from);
    });
  }
}

void DnsServer::serve_tcp() {
  for (;;) {
    auto stream = listener_->accept();
    if (!stream) return;
    scope_.go("dns stream", [this, shared = std::shared_ptr<Stream>(*std::move(stream))] {
      answer_stream(*shared);
    });
  }
}

void DnsServer::answer_stream(Stream& stream) {
  std::string size;
  std::string packet;
  while (read_exactly(stream, size, 2)) {
    const auto bytes = static_cast<std::size_t>(static_cast<unsigned char>(size[0]) << 8U |
                                                static_cast<unsigned char>(size[1]));
    Query query;
    if (!read_exactly(stream, packet, bytes) || !parse(packet, query)) return;
    const DnsScript script = note(query, true);
    if (script.is_silent) continue;
    const std::string reply = reply_to(query, script, true);
    std::string framed;
    put16(framed, static_cast<unsigned>(reply.size()));
    if (!stream.write(framed + reply).is_ok()) return;
  }
}

}  // namespace parley::net::testing
