// DnsServer: a small DNS server for tests, on UDP and TCP of one free port of 127.0.0.1. Each
// question is answered as scripted; a name that is not in the script is NXDOMAIN, a type that is
// not has no records. Inside a fiber; its fibers end with it.
//
//   testing::DnsServer server;
//   server.on("shop.example", DnsType::a, {.records = {testing::a_record("10.0.0.1")}});
//   auto resolver = Resolver::open({.servers = {server.address()}});
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/fd.h"
#include "parley/net/impl/dns_reply.h"
#include "parley/net/stream.h"
#include "parley/rt/channel.h"
#include "parley/rt/event.h"
#include "parley/rt/mutex.h"
#include "parley/rt/pollable.h"
#include "parley/rt/scope.h"

namespace parley::net::testing {

using impl::DnsQuestion;
using impl::DnsType;

struct DnsRecord {
  std::uint16_t type = 1;
  std::string data;
  std::uint32_t ttl = 60;
  std::string name;  // empty: the name asked for
};

DnsRecord a_record(const std::string& address, std::uint32_t ttl = 60, std::string name = {});
DnsRecord aaaa_record(const std::string& address, std::uint32_t ttl = 60, std::string name = {});
DnsRecord cname_record(std::string_view target, std::uint32_t ttl = 60, std::string name = {});
DnsRecord srv_record(std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
                     std::string_view target, std::uint32_t ttl = 60);
DnsRecord txt_record(const std::vector<std::string>& strings, std::uint32_t ttl = 60);

struct DnsScript {
  std::vector<DnsRecord> records = {};
  int code = 0;                  // RFC 1035, 4.1.1: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
  bool is_silent = false;        // no answer at all
  bool is_cut_on_udp = false;    // says "truncated" on UDP: the whole stands on TCP only
  std::string bytes_after = {};  // instead of records: these bytes, as if they were one
  bool is_noisy = false;         // before the answer: nothing, and the question thrown back
  rt::Event* gate = nullptr;     // answers only once it is set
};

class DnsServer {
 public:
  DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  void on(const std::string& name, DnsType type, DnsScript script);
  // "127.0.0.1:40053"
  [[nodiscard]] std::string address() const;
  // How often this was asked, on UDP and TCP.
  int asked(const std::string& name, DnsType type);
  [[nodiscard]] int asked_on_tcp();
  // Waits for the next question and returns it, in order of arrival.
  DnsQuestion next_question();

 private:
  struct Query {
    DnsQuestion question;
    std::string head;  // the question as it stood in the packet
    std::uint16_t id = 0;
  };

  void serve_udp();
  void serve_tcp();
  void answer_stream(Stream& stream);
  DnsScript note(const Query& query, bool is_tcp);
  static bool parse(std::string_view packet, Query& query);
  static std::string reply_to(const Query& query, const DnsScript& script, bool is_tcp);

  std::unique_ptr<Listener> listener_;
  Fd udp_;
  rt::Pollable pollable_;
  rt::Channel<DnsQuestion> arrived_{1000};
  rt::Mutex mutex_;
  std::map<DnsQuestion, DnsScript> scripts_;  // guarded by mutex_
  std::map<DnsQuestion, int> asked_;          // guarded by mutex_
  int asked_on_tcp_ = 0;                      // guarded by mutex_
  rt::Scope scope_{rt::OnExit::cancel};
};

}  // namespace parley::net::testing
