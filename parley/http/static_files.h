// StaticFiles: a handler that serves the files of a folder, and nothing outside of it: no "..", no
// slash or NUL behind an escape, no symbolic link that leads out, nothing but regular files.
//
// Answers get and head (405 for others) with Content-Type, ETag and Last-Modified; conditional
// requests and ranges as conditions.h and ranges.h have them; folders by their index file, and one
// without a slash at its end by a redirect. A file that changes while it is sent cuts the answer.
// Opening happens on a thread for blocking calls, reading there too unless the kernel has the bytes
// at hand; it waits with the client, so that an answer holds one buffer.
//
// A value whose copies share the folder; usable by any number of fibers at once.
//
//   auto files = http::StaticFiles::open("/srv/www", {.cache_control = "max-age=60"});
//   if (!files) return files.error();
//   http::Handler handler = *files;
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/http/ranges.h"

namespace parley::http {

struct StaticFilesOptions {
  // What stands in the path before the part that names the file. Begins and ends with a slash.
  std::string prefix = "/";
  // The file that answers for its folder; empty: none does.
  std::string index = "index.html";
  // Serves what begins with a dot, as well.
  bool serves_hidden = false;
  // Symbolic links are followed, as long as they stay in the folder. On a kernel without openat2(2)
  // (before 5.6) none is followed, whatever this says.
  bool follows_links = true;
  // "tea.js.zst" and "tea.js.gz" go out in place of "tea.js" to who accepts them.
  bool uses_precompressed = true;
  // Cache-Control of each answer with a file, and of 304; empty: none.
  std::string cache_control{};
  // Media types by ending ("tea", without a dot), before those of media_type.h.
  std::vector<std::pair<std::string, std::string>> types{};
  RangeLimits ranges{};
  // Read at once, for each answer under way.
  std::size_t buffer_bytes = 64 * 1024;
};

class StaticFiles {
 public:
  // Keeps `folder` open: what is put in its place later is not seen. Blocks for as long as the disk
  // takes. Errors of opening a folder; invalid_argument for an option that cannot be.
  static Result<StaticFiles> open(const std::string& folder, StaticFilesOptions options = {});

  // Answers; 404 for what is not there or may not be served. An error when the disk fails (500), or
  // when the client takes no more.
  Status operator()(ServerExchange& exchange) const;

 private:
  struct Root;
  explicit StaticFiles(std::shared_ptr<const Root> root) : root_(std::move(root)) {}

  std::shared_ptr<const Root> root_;
};

}  // namespace parley::http
