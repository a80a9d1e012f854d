#include "parley/http/static_files.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "parley/base/clock.h"
#include "parley/http/accept.h"
#include "parley/http/date.h"
#include "parley/http/forms.h"
#include "parley/http/impl/contained_folder.h"
#include "parley/http/media_type.h"
#include "parley/http/syntax.h"
#include "parley/rt/blocking.h"

namespace parley::http {

using impl::ContainedFolder;
using impl::FoundFile;

struct StaticFiles::Root {
  ContainedFolder folder;
  StaticFilesOptions options;
};

namespace {

// In this time a file may change again without its times telling.
constexpr std::chrono::seconds settled_after{2};

struct Coding {
  std::string_view name;
  std::string_view ending;
};
constexpr std::array<Coding, 2> codings = {{{"zstd", ".zst"}, {"gzip", ".gz"}}};

struct Wanted {
  std::string path{};  // in the folder, without slashes at its ends
  bool is_folder = false;
};

// What the request names, where that may be served at all.
std::optional<Wanted> wanted_by(std::string_view path, const StaticFilesOptions& options) {
  if (!path.starts_with(options.prefix)) return std::nullopt;
  path.remove_prefix(options.prefix.size());
  Wanted wanted{.is_folder = path.empty() || path.ends_with('/')};
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const auto part = unescape(path.substr(0, end), {.allow_any_bytes = true});
    path.remove_prefix(std::min(end + 1, path.size()));
    if (!part || part->empty() || *part == "." || *part == "..") return std::nullopt;
    if (part->find('/') != std::string::npos) return std::nullopt;
    if (part->starts_with('.') && !options.serves_hidden) return std::nullopt;
    if (!wanted.path.empty()) wanted.path += '/';
    wanted.path += *part;
  }
  return wanted;
}

struct Served {
  FoundFile file{};
  std::string name{};         // for its type: that of what is not compressed
  std::string_view coding{};  // empty: none
};

// Codings the client takes, the best one first.
std::vector<Coding> codings_for(const Headers& headers) {
  std::vector<Coding> taken;
  std::vector<std::string_view> offers;
  std::vector<Coding> left(codings.begin(), codings.end());
  while (!left.empty()) {
    offers.clear();
    for (const Coding& it : left) offers.push_back(it.name);
    const auto best = choose_coding(headers, offers);
    if (!best) break;
    taken.push_back(left[*best]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(*best));
  }
  return taken;
}

Status not_there(const std::string& path) { return {Code::not_found, "no file " + path}; }

// On a thread for blocking calls. A folder comes out as one only where the slash is missing.
Result<Served> look_for(const ContainedFolder& folder, Wanted wanted, const std::string& index,
                        const std::vector<Coding>& accepted) {
  if (wanted.is_folder) {
    if (index.empty()) return not_there(wanted.path);
    wanted.path += (wanted.path.empty() ? "" : "/") + index;
  }
  Result<FoundFile> found = folder.find(wanted.path);
  if (!found) return found.error();
  Served served{.file = *std::move(found), .name = wanted.path};
  if (served.file.is_folder && !wanted.is_folder) return served;
  if (!served.file.is_file) return not_there(wanted.path);
  for (const Coding& coding : accepted) {
    Result<FoundFile> other = folder.find(wanted.path + std::string(coding.ending));
    if (!other || !other->is_file) continue;
    served.file = *std::move(other);
    served.coding = coding.name;
    break;
  }
  return served;
}

Validators validators_of(const Served& served) {
  const FoundFile& file = served.file;
  const std::chrono::sys_seconds modified{std::chrono::seconds(file.modified_seconds)};
  const auto now = std::chrono::floor<std::chrono::seconds>(RealClock().wall());
  const bool is_settled = modified + settled_after <= now;
  EntityTag tag{.is_weak = !is_settled};
  for (const std::uint64_t part :
       {file.inode, file.size, static_cast<std::uint64_t>(file.modified_seconds),
        std::uint64_t{file.modified_nanoseconds}}) {
    if (!tag.text.empty()) tag.text += '-';
    tag.text += std::to_string(part);
  }
  if (!served.coding.empty()) tag.text += "-" + std::string(served.coding);
  return {.tag = std::move(tag), .modified = modified, .is_modified_strong = is_settled};
}

std::string_view type_of(const std::string& name, const StaticFilesOptions& options) {
  const std::size_t dot = name.rfind('.');
  for (const auto& [ending, type] : options.types) {
    if (dot != std::string::npos && same_name(ending, std::string_view(name).substr(dot + 1))) {
      return type;
    }
  }
  return media_type_of(name);
}

// Reads without waiting where the kernel has the bytes, else on a thread that may wait.
Result<std::size_t> read_at(int fd, std::uint64_t offset, std::span<char> into) {
  const iovec vector{into.data(), into.size()};
  const auto now = ::preadv2(fd, &vector, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (now > 0) return static_cast<std::size_t>(now);
  return rt::blocking([&]() -> Result<std::size_t> {
    for (;;) {
      const auto size = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EINTR) return errno_status(errno, "read a file to serve");
    }
  });
}

Status send(ServerExchange& exchange, int fd, const ByteRange& range, std::string& buffer) {
  std::uint64_t offset = range.first;
  for (std::uint64_t left = range.size(); left > 0;) {
    const std::size_t most = std::min<std::uint64_t>(left, buffer.size());
    const Result<std::size_t> size = read_at(fd, offset, {buffer.data(), most});
    if (!size) return size.error();
    if (*size == 0) {
      return {Code::aborted,
              "a file became shorter while it was sent: the answer is cut; put a new "
              "file in place of an old one with a rename"};
    }
    if (Status status = exchange.write({buffer.data(), *size}); !status.is_ok()) return status;
    offset += *size;
    left -= *size;
  }
  return {};
}

Status answer_plainly(ServerExchange& exchange, StatusCode status) {
  return exchange.answer(status, std::string(reason_of(status)) + "\n");
}

Status redirect(ServerExchange& exchange) {
  std::string location = std::string(exchange.request().path()) + "/";
  if (const std::string_view query = exchange.request().query(); !query.empty()) {
    location += "?" + std::string(query);
  }
  if (Status bad = exchange.response().headers.set("Location", location); !bad.is_ok()) return bad;
  return answer_plainly(exchange, 301);
}

// The fields that 200, 206 and 304 share (RFC 9110 15.4.5).
Status add_shared(Headers& out, const Validators& now, const StaticFilesOptions& options) {
  Status status = out.set("ETag", now.tag->to_string());
  if (status.is_ok()) status = out.set("Last-Modified", format_date(*now.modified));
  if (status.is_ok() && options.uses_precompressed) status = out.add("Vary", "Accept-Encoding");
  if (status.is_ok() && !options.cache_control.empty()) {
    status = out.set("Cache-Control", options.cache_control);
  }
  return status;
}

Status serve_ranges(ServerExchange& exchange, const Served& served, std::string_view type,
                    const ChosenRanges& chosen, std::size_t buffer_bytes) {
  Response& head = exchange.response();
  head.status = 206;
  std::string buffer(buffer_bytes, '\0');
  const int fd = served.file.fd.get();
  if (chosen.ranges.size() == 1) {
    const ByteRange& range = chosen.ranges.front();
    Status status = head.headers.set("Content-Range", content_range(range, served.file.size));
    if (status.is_ok()) status = exchange.begin(BodySize::of(range.size()));
    return status.is_ok() ? send(exchange, fd, range, buffer) : status;
  }
  const MultipartRanges parts(chosen.ranges, served.file.size, type);
  Status status = head.headers.set("Content-Type", parts.content_type());
  if (status.is_ok()) status = exchange.begin(BodySize::of(parts.total_bytes()));
  for (std::size_t i = 0; status.is_ok() && i < chosen.ranges.size(); ++i) {
    status = exchange.write(parts.head_of(i));
    if (status.is_ok()) status = send(exchange, fd, chosen.ranges[i], buffer);
  }
  return status.is_ok() ? exchange.write(parts.tail()) : status;
}

Status serve(ServerExchange& exchange, const Served& served, const StaticFilesOptions& options) {
  const Request& request = exchange.request();
  const Validators now = validators_of(served);
  const Verdict verdict = check_conditions(request, now);
  if (verdict == Verdict::failed) return answer_plainly(exchange, 412);
  Headers& out = exchange.response().headers;
  if (Status status = add_shared(out, now, options); !status.is_ok()) return status;
  if (verdict == Verdict::not_modified) return exchange.answer(304);
  Status status = out.set("Accept-Ranges", "bytes");
  if (status.is_ok()) status = out.set("X-Content-Type-Options", "nosniff");
  const ChosenRanges chosen = choose_ranges(request, now, served.file.size, options.ranges);
  if (chosen.kind == RangeKind::unsatisfiable) {
    if (status.is_ok()) status = out.set("Content-Range", unsatisfied_range(served.file.size));
    return status.is_ok() ? answer_plainly(exchange, 416) : status;
  }
  const std::string_view type = type_of(served.name, options);
  if (status.is_ok()) status = out.set("Content-Type", type);
  if (status.is_ok() && !served.coding.empty()) {
    status = out.set("Content-Encoding", served.coding);
  }
  if (!status.is_ok()) return status;
  if (chosen.kind == RangeKind::partial) {
    return serve_ranges(exchange, served, type, chosen, options.buffer_bytes);
  }
  const std::uint64_t size = served.file.size;
  status = exchange.begin(BodySize::of(size));
  if (!status.is_ok() || request.method == Method::head || size == 0) return status;
  std::string buffer(std::min<std::uint64_t>(options.buffer_bytes, size), '\0');
  return send(exchange, served.file.fd.get(), {0, size - 1}, buffer);
}

}  // namespace

Result<StaticFiles> StaticFiles::open(const std::string& folder, StaticFilesOptions options) {
  const auto wrong = [](const std::string& why) {
    return Status(Code::invalid_argument, "StaticFilesOptions: " + why);
  };
  if (!options.prefix.starts_with('/') || !options.prefix.ends_with('/')) {
    return wrong("prefix has to begin and end with a slash");
  }
  if (options.index.find('/') != std::string::npos || options.index.starts_with('.')) {
    return wrong("index is the name of a file, without slashes and no hidden one");
  }
  if (options.buffer_bytes == 0) return wrong("buffer_bytes has to be at least 1");
  if (!is_field_value(options.cache_control)) return wrong("cache_control fits no header");
  for (const auto& [ending, type] : options.types) {
    if (!is_field_value(type)) return wrong("the type of " + quoted(ending) + " fits no header");
  }
  Result<ContainedFolder> root = ContainedFolder::open(folder, options.follows_links);
  if (!root) return root.error();
  return StaticFiles(std::make_shared<const Root>(Root{*std::move(root), std::move(options)}));
}

Status StaticFiles::operator()(ServerExchange& exchange) const {
  const Request& request = exchange.request();
  if (request.method != Method::get && request.method != Method::head) {
    Status bad = exchange.response().headers.set("Allow", "GET, HEAD");
    return bad.is_ok() ? answer_plainly(exchange, 405) : bad;
  }
  std::optional<Wanted> wanted = wanted_by(request.path(), root_->options);
  if (!wanted) return answer_plainly(exchange, 404);
  const std::vector<Coding> accepted =
      root_->options.uses_precompressed ? codings_for(request.headers) : std::vector<Coding>();
  const Result<Served> served = rt::blocking(
      [&] { return look_for(root_->folder, *std::move(wanted), root_->options.index, accepted); });
  if (!served) {
    if (served.error().code() == Code::not_found) return answer_plainly(exchange, 404);
    if (served.error().code() == Code::permission_denied) return answer_plainly(exchange, 403);
    return served.error();
  }
  if (!served->file.is_file) return redirect(exchange);
  return serve(exchange, *served, root_->options);
}

}  // namespace parley::http
