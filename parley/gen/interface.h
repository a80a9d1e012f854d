// What `parley gen` knows of a header: the abstract classes in it, as plain data. libclang fills it
// in (read.h); what is written out of it knows nothing of libclang (client_and_server.h,
// service.h).
//
// Values: safe everywhere.
//
//   for (const Method& method : header.interfaces[0].methods) say(method.route);
#pragma once

#include <string>
#include <vector>

namespace parley::gen {

struct Place {
  std::string file = {};
  unsigned line = 0;
  unsigned column = 0;
};

// "orders.h:12:3".
std::string text_of(const Place& place);

// A type as the header spells it, and with every name in full: for where the header's own names are
// not at hand.
struct Spelling {
  std::string written = {};
  std::string full = {};
};

struct Parameter {
  std::string name = {};
  Spelling type = {};
  std::string default_value = {};  // as written; empty: none
};

struct Method {
  std::string name = {};
  Spelling returns = {};
  std::string result = {};  // T where it returns Result<T>; empty where it returns Status
  std::vector<Parameter> parameters = {};  // without the Context
  Spelling context = {};                   // the type of a leading Context&; empty: there is none
  std::string context_name = {};           // its name; may be empty
  bool is_const = false;
  bool is_noexcept = false;
  std::string route = {};                 // "/orders/place"
  std::vector<std::string> comment = {};  // lines, without the marks of a comment
  std::string id = {};                    // the same in every file that sees it
  Place place = {};
};

struct Interface {
  std::string name = {};
  std::string scope = {};  // "shop::front"; empty: no namespace
  std::vector<std::string> comment = {};
  std::vector<Method> methods = {};
  std::string id = {};
  Place place = {};
};

struct Header {
  std::string path = {};  // as it was given
  std::vector<Interface> interfaces = {};
};

// A class of the user's own that derives from an interface.
struct ServiceClass {
  std::string name = {};
  std::string scope = {};
  std::string interface_id = {};
  std::vector<std::string> overrides = {};  // ids of the interface's methods that it has
  std::size_t closing_brace = 0;            // where it is in the file, in bytes
  bool ends_public = false;                 // what stands before the brace would be public
  bool has_methods = false;
  std::size_t first_method = 0;  // where the first begins
};

}  // namespace parley::gen
