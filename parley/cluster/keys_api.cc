#include "parley/cluster/keys_api.h"

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "parley/cluster/impl/keys_request.h"
#include "parley/http/draining.h"
#include "parley/http/url.h"
#include "parley/kv/json.h"
#include "parley/rt/context.h"
#include "parley/rt/deadline.h"

namespace parley::cluster {
namespace {

using http::Method;
using http::ServerExchange;
using impl::KeysForm;
using impl::KeysGet;
using impl::KeysWatch;
using impl::KeysWrite;

constexpr std::string_view json_type = "application/json";
constexpr std::string_view keys_prefix = "/v2/keys";

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// 201, as etcd decides it.
bool made_something(const kv::Event& event) {
  return event.action == kv::Action::create || (event.action == kv::Action::set && !event.previous);
}

// What the store says in its own words, in etcd's: clients take 400 for their own fault, and ask
// again, or elsewhere, only after 500.
kv::Error error_of(const Status& status, std::uint64_t index, bool is_askers) {
  if (auto error = kv::error_of(status)) return std::move(*error);
  return {.code = is_askers ? kv::ErrorCode::invalid_field : kv::ErrorCode::raft_internal,
          .cause = std::string(status.message()),
          .index = index};
}

// Ends the wait of a watch when its server drains.
class Leaving final : public http::Attended {
 public:
  Leaving(std::shared_ptr<http::Draining> draining, const rt::Cancel& cancel) : cancel_(cancel) {
    if (draining != nullptr) join(std::move(draining));
  }
  ~Leaving() override { leave(); }
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  [[nodiscard]] bool has_begun() const { return draining() != nullptr && draining()->has_begun(); }

 private:
  Instant attend(Instant /*now*/, bool drains) override {
    if (drains) cancel_();
    return Instant::max();
  }

  const rt::Cancel& cancel_;
};

class KeysApi {
 public:
  KeysApi(kv::Store& store, KeysApiOptions options) : store_(store), options_(std::move(options)) {}

  Status serve(ServerExchange& exchange) {
    const auto path = http::percent_decoded(exchange.request().path());
    if (!path) return exchange.answer(400, "the path has an escape that is none\n");
    if (is_below(*path, keys_prefix)) return serve_keys(exchange, path->substr(keys_prefix.size()));
    const bool is_get =
        exchange.request().method == Method::get || exchange.request().method == Method::head;
    if (*path == "/v2/stats/store") {
      if (!is_get) return refuse_method(exchange, "HEAD,GET");
      return exchange.answer(200, kv::json_of(store_.statistics()), json_type);
    }
    if (*path == "/version") {
      if (!is_get) return refuse_method(exchange, "HEAD,GET");
      return exchange.answer(200, R"({"etcdserver":"2.3.8","etcdcluster":"2.3.0"})", json_type);
    }
    if (*path == "/health") {
      if (!is_get) return refuse_method(exchange, "HEAD,GET");
      const bool is_well = store_.status().is_ok();
      return exchange.answer(is_well ? 200 : 503,
                             is_well ? R"({"health":"true"})" : R"({"health":"false"})", json_type);
    }
    if (*path == "/v2/members" || *path == "/v2/machines") {
      if (!is_get) return refuse_method(exchange, "HEAD,GET");
      return answer_members(exchange, *path == "/v2/machines");
    }
    return exchange.answer(404, "404 page not found\n");
  }

 private:
  static Status refuse_method(ServerExchange& exchange, std::string_view allowed) {
    if (Status s = exchange.response().headers.set("Allow", allowed); !s.is_ok()) return s;
    return exchange.answer(405, "Method Not Allowed\n");
  }

  // One: wherever the client has found it.
  static Status answer_members(ServerExchange& exchange, bool as_text) {
    const std::string_view host = exchange.request().authority();
    if (host.empty() || host.find_first_of("\"\\") != std::string_view::npos) {
      return exchange.answer(400, "the request names no host\n");
    }
    const std::string url = (exchange.is_secure() ? "https://" : "http://") + std::string(host);
    if (as_text) return exchange.answer(200, url);
    const std::string members =
        R"({"members":[{"id":"1","name":"parley","peerURLs":[],"clientURLs":[")" + url +
        R"("]}]})" + "\n";
    return exchange.answer(200, members, json_type);
  }

  // Null where the answer is out already.
  Result<std::optional<KeysForm>> form_of(ServerExchange& exchange) {
    KeysForm form;
    const Method method = exchange.request().method;
    if (method == Method::put || method == Method::post) {
      auto body = exchange.read_all(options_.max_form_bytes);
      if (!body) return body.error();
      const auto type = exchange.request().headers.get("Content-Type");
      if (type && type->starts_with("application/x-www-form-urlencoded")) {
        if (auto error = add_pairs(*body, form)) return answered(exchange, *error);
      }
    }
    if (auto error = add_pairs(exchange.request().query(), form)) return answered(exchange, *error);
    return std::optional(std::move(form));
  }

  Result<std::optional<KeysForm>> answered(ServerExchange& exchange, const kv::Error& error) {
    if (Status s = refuse(exchange, error); !s.is_ok()) return s;
    return std::optional<KeysForm>();
  }

  Status serve_keys(ServerExchange& exchange, std::string_view path) {
    const Method method = exchange.request().method;
    if (method != Method::get && method != Method::head && method != Method::put &&
        method != Method::post && method != Method::remove) {
      return refuse_method(exchange, "HEAD,GET,PUT,POST,DELETE");
    }
    auto form = form_of(exchange);
    if (!form) return form.error();
    if (!*form) return {};
    auto request = impl::keys_request(method, kv::clean_path(path), **form, store_.wall());
    if (const auto* error = std::get_if<kv::Error>(&request)) return refuse(exchange, *error);
    auto& asked = std::get<impl::KeysRequest>(request);
    if (auto* get = std::get_if<KeysGet>(&asked)) return serve_get(exchange, *get);
    if (auto* watch = std::get_if<KeysWatch>(&asked)) return serve_watch(exchange, *watch);
    return serve_write(exchange, std::get<KeysWrite>(asked));
  }

  Status serve_get(ServerExchange& exchange, const KeysGet& get) {
    const auto event = store_.get(get.path, {.recursive = get.recursive});
    if (!event) return refuse(exchange, error_of(event.error(), store_.index(), true));
    return answer(exchange, 200, kv::json_of(**event), (*event)->index);
  }

  Status serve_write(ServerExchange& exchange, KeysWrite& write) {
    if (Status bad = kv::check(write.command, store_.options().limits); !bad.is_ok()) {
      return refuse(exchange, error_of(bad, store_.index(), true));
    }
    const auto event =
        store_.write(std::move(write.command), rt::Deadline::after(options_.write_timeout));
    if (!event) return refuse(exchange, error_of(event.error(), store_.index(), false));
    const std::string body =
        write.no_value_on_success
            ? R"({"action":")" + std::string(kv::name_of((*event)->action)) + R"("})"
            : kv::json_of(**event);
    return answer(exchange, made_something(**event) ? 201 : 200, body, (*event)->index);
  }

  Status serve_watch(ServerExchange& exchange, const KeysWatch& watch) {
    const bool has_room = watches_.fetch_add(1) < options_.max_watches;
    const Status done = has_room ? watch_for(exchange, watch) : refuse_one_more(exchange);
    watches_.fetch_sub(1);
    return done;
  }

  Status refuse_one_more(ServerExchange& exchange) {
    return refuse(exchange, {.code = kv::ErrorCode::raft_internal,
                             .cause = "too many watches (max_watches)",
                             .index = store_.index()});
  }

  // The head leaves at once, as etcd has it: a client learns from it the index it may go on from.
  Status watch_for(ServerExchange& exchange, const KeysWatch& watch) {
    auto watcher = store_.watch(
        watch.path, {.recursive = watch.recursive, .stream = watch.stream, .since = watch.since});
    if (!watcher) return refuse(exchange, error_of(watcher.error(), store_.index(), false));
    exchange.response().status = 200;
    if (Status s = put_head(exchange, watcher->start_index()); !s.is_ok()) return s;
    if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
    const auto [context, cancel] = rt::Context::current().with_cancel();
    const Leaving leaving(exchange.draining(), cancel);
    const Duration pause = options_.watch_ping;
    for (bool goes_on = true; goes_on;) {
      const auto event = [&] {
        const rt::WithContext within(context);
        return watcher->next(pause > Duration::zero() ? rt::Deadline::after(pause)
                                                      : rt::Deadline());
      }();
      if (!event && leaving.has_begun()) return {};
      if (!event && event.error().code() == Code::deadline_exceeded &&
          !rt::Context::current().is_done()) {
        if (Status s = send_line(exchange, ""); !s.is_ok()) return s;
        continue;
      }
      // It has brought all, or was dropped for being slow: the answer ends, the client asks anew.
      if (!event && (event.error().code() == Code::out_of_range || kv::error_of(event.error()))) {
        return {};
      }
      if (!event) return event.error();
      if (Status s = send_line(exchange, kv::json_of(**event)); !s.is_ok()) return s;
      goes_on = watch.stream;
    }
    return {};
  }

  static Status send_line(ServerExchange& exchange, std::string line) {
    line += '\n';
    if (Status s = exchange.write(line); !s.is_ok()) return s;
    return exchange.flush();
  }

  Status put_head(ServerExchange& exchange, std::uint64_t index) {
    http::Headers& headers = exchange.response().headers;
    const std::string number = std::to_string(index);
    if (Status s = headers.set("Content-Type", json_type); !s.is_ok()) return s;
    if (!options_.cluster_id.empty()) {
      if (Status s = headers.set("X-Etcd-Cluster-Id", options_.cluster_id); !s.is_ok()) return s;
    }
    if (Status s = headers.set("X-Etcd-Index", number); !s.is_ok()) return s;
    if (Status s = headers.set("X-Raft-Index", number); !s.is_ok()) return s;
    return headers.set("X-Raft-Term", "1");
  }

  Status answer(ServerExchange& exchange, http::StatusCode status, const std::string& body,
                std::uint64_t index) {
    if (Status s = put_head(exchange, index); !s.is_ok()) return s;
    return exchange.answer(status, body + "\n", json_type);
  }

  Status refuse(ServerExchange& exchange, const kv::Error& error) {
    return answer(exchange, static_cast<http::StatusCode>(kv::http_status(error.code)),
                  kv::json_of(error), error.index);
  }

  kv::Store& store_;
  const KeysApiOptions options_;
  std::atomic<std::size_t> watches_ = 0;
};

}  // namespace

http::Handler keys_api(kv::Store& store, KeysApiOptions options) {
  auto api = std::make_shared<KeysApi>(store, std::move(options));
  return [api](ServerExchange& exchange) { return api->serve(exchange); };
}

}  // namespace parley::cluster
