// Plugins: who comes in, what is logged, and a rule of one's own, without any handler knowing.
// Prints what is logged and what each caller gets.
#include <parley/parley.h>

#include <cstdio>
#include <string>

// Lets in who knows the password, under the name it gives.
parley::Result<parley::Credentials> check(parley::EarlySession& session,
                                          const parley::Credentials& shown) {
  const std::string text = shown.body.to_string();
  if (!text.ends_with(":sesame")) {
    return parley::Status(parley::Code::unauthenticated, "wrong password");
  }
  if (auto s = session.set_id(text.substr(0, text.find(':'))); !s.is_ok()) return s;
  return parley::Credentials();
}

// A plugin is a struct of functions; a middleware is one over the next step.
parley::Plugin only_for(const std::string& id) {
  return {.name = "only_for",
          .serve = [id](parley::ServeStep& step, parley::Next& next) -> parley::Status {
            if (step.session().id() == id) return next();
            return {parley::Code::permission_denied, "only for " + id};
          }};
}

void call_as(const std::string& who, const std::string& address) {
  parley::Peer caller({.plugins = {parley::auth_bearer({.body = parley::Bytes::copy_of(who)})}});
  auto session = caller.dial(address);
  if (!session) return (void)std::printf("%s\n", session.error().to_string().c_str());
  auto open = session->call<std::string>("/shop/open");
  auto audit = session->call<std::string>("/admin/audit");
  std::printf("%s\n", open ? open->c_str() : open.error().to_string().c_str());
  std::printf("%s\n", audit ? audit->c_str() : audit.error().to_string().c_str());
}

int main() {
  return parley::run([] {
    const auto print = [](const parley::AccessLine& line) {
      const auto from = line.text.find('"');  // the address and the time are others each run
      std::printf("  %s\n", std::string(line.text.substr(from)).c_str());
    };
    parley::Peer shop(
        {.plugins = {parley::auth_checker(&check), parley::access_log({.sink = print})}});
    shop.handle("/shop/open", [] { return std::string("come in"); });
    shop.group("/admin", {only_for("ann")}).handle("/audit", [] { return std::string("fine"); });
    const std::string address = shop.listen("tcp://127.0.0.1:0").value().to_string();
    call_as("ann:sesame", address);
    call_as("bob:sesame", address);
    call_as("eve:guess", address);
  });
}
