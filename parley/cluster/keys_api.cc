#include "parley/cluster/keys_api.h"

#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "parley/cluster/impl/keys_request.h"
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

// What the store says in its own words, in etcd's.
kv::Error error_of(const Status& status, std::uint64_t index) {
  if (auto error = kv::error_of(status)) return std::move(*error);
  const bool is_askers =
      status.code() == Code::invalid_argument || status.code() == Code::resource_exhausted;
  return {.code = is_askers ? kv::ErrorCode::invalid_field : kv::ErrorCode::raft_internal,
          .cause = std::string(status.message()),
          .index = index};
}

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
    return exchange.answer(404, "404 page not found\n");
  }

 private:
  static Status refuse_method(ServerExchange& exchange, std::string_view allowed) {
    if (Status s = exchange.response().headers.set("Allow", allowed); !s.is_ok()) return s;
    return exchange.answer(405, "Method Not Allowed\n");
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
    if (!event) return refuse(exchange, error_of(event.error(), store_.index()));
    return answer(exchange, 200, kv::json_of(**event), (*event)->index);
  }

  Status serve_write(ServerExchange& exchange, KeysWrite& write) {
    const auto event =
        store_.write(std::move(write.command), rt::Deadline::after(options_.write_timeout));
    if (!event) return refuse(exchange, error_of(event.error(), store_.index()));
    const std::string body =
        write.no_value_on_success
            ? R"({"action":")" + std::string(kv::name_of((*event)->action)) + R"("})"
            : kv::json_of(**event);
    return answer(exchange, made_something(**event) ? 201 : 200, body, (*event)->index);
  }

  // The head leaves at once, as etcd has it: a client learns from it the index it may go on from.
  Status serve_watch(ServerExchange& exchange, const KeysWatch& watch) {
    auto watcher = store_.watch(
        watch.path, {.recursive = watch.recursive, .stream = watch.stream, .since = watch.since});
    if (!watcher) return refuse(exchange, error_of(watcher.error(), store_.index()));
    exchange.response().status = 200;
    if (Status s = put_head(exchange, watcher->start_index()); !s.is_ok()) return s;
    if (Status s = exchange.begin(http::BodySize::unknown()); !s.is_ok()) return s;
    if (Status s = exchange.flush(); !s.is_ok()) return s;
    const Duration pause = options_.watch_ping;
    for (bool goes_on = true; goes_on;) {
      const auto event =
          watcher->next(pause > Duration::zero() ? rt::Deadline::after(pause) : rt::Deadline());
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
};

}  // namespace

http::Handler keys_api(kv::Store& store, KeysApiOptions options) {
  auto api = std::make_shared<KeysApi>(store, std::move(options));
  return [api](ServerExchange& exchange) { return api->serve(exchange); };
}

}  // namespace parley::cluster
