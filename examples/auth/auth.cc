// Who is there: a caller shows a token before anything else passes, and a shop looks at it. Who is
// let in has a name and a level from its first call on; handlers never hear of others. Prints what
// three callers are told.
#include <parley/parley.h>

#include <cstdio>
#include <map>
#include <string>

struct User {
  std::string name;
  int level = 0;
};

const std::map<std::string, User> users{{"token-7", {"ann", 2}}, {"token-8", {"ben", 1}}};

// Of the shop: what it answers, or why not.
parley::Result<parley::Credentials> check(parley::EarlySession& session,
                                          const parley::Credentials& shown) {
  const auto user = users.find(shown.body.to_string());
  if (user == users.end()) {
    return parley::Status(parley::Code::unauthenticated, "nobody has such a token");
  }
  if (auto s = session.set_id(user->second.name); !s.is_ok()) return s;
  if (auto s = session.values().set("level", user->second.level); !s.is_ok()) return s;
  return parley::Credentials{.body = parley::Bytes::copy_of("welcome " + user->second.name)};
}

// Of a caller: what it shows, each time that it dials, and what it makes of the answer.
parley::Plugin bearer(const std::string& token) {
  return parley::auth_bearer(
      [token](parley::EarlySession&) -> parley::Result<parley::Credentials> {
        return parley::Credentials{.body = parley::Bytes::copy_of(token)};
      },
      [](parley::EarlySession&, const parley::Credentials& answer) {
        std::printf("%s\n", answer.body.to_string().c_str());
        return parley::Status();
      });
}

int main() {
  return parley::run([] {
    parley::Peer shop({.plugins = {parley::auth_checker(&check)}});
    shop.handle("/shop/discount", [](parley::Context& context) {
      return 10 * *context.session().values().get<int>("level");
    });
    const std::string address = shop.listen("tcp://127.0.0.1:0").value().to_string();
    for (const char* token : {"token-7", "token-8", "token-9"}) {
      parley::Peer caller({.plugins = {bearer(token)}});
      auto session = caller.dial(address);
      if (session) {
        std::printf("%d %%\n", session->call<int>("/shop/discount").value());
      } else {
        std::printf("%s\n", session.error().to_string().c_str());
      }
    }
  });
}
