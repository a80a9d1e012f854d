#include "parley/kv/snapshot.h"

#include "parley/base/crc32c.h"
#include "parley/kv/impl/log_format.h"

namespace parley::kv {
namespace {

Status damaged(const std::string& path, const std::string& why) {
  return {Code::data_loss, "the snapshot " + path + " is damaged: " + why +
                               ", and no crash does that. Restore the folder from a copy; nothing "
                               "in it was changed"};
}

}  // namespace

Status write_snapshot(Files& files, const std::string& path, std::uint64_t last,
                      std::string_view state) {
  std::string content =
      impl::encode(impl::SnapshotHead{.last = last, .length = state.size(), .crc = crc32c(state)});
  content.reserve(content.size() + state.size());
  content += state;
  return replace_file(files, path, content).with_context("write a snapshot");
}

Result<Snapshot> read_snapshot(Files& files, const std::string& path, std::size_t max_bytes) {
  auto content = read_file(files, path, max_bytes + impl::snapshot_head_bytes);
  if (!content) return content.error().with_context("read the snapshot");
  if (content->size() < impl::snapshot_head_bytes) return damaged(path, "it is too short");
  const auto head = impl::decode_snapshot_head(*content);
  if (!head) return damaged(path, head.error().message());
  if (head->version > impl::snapshot_version) {
    return Status(Code::unimplemented, "the snapshot " + path + " is of version " +
                                           std::to_string(head->version) +
                                           ", and this program reads up to version " +
                                           std::to_string(impl::snapshot_version) +
                                           ": use the one that wrote it, or a newer one");
  }
  const std::string_view state = std::string_view(*content).substr(impl::snapshot_head_bytes);
  if (state.size() != head->length) {
    return damaged(path, "it has " + std::to_string(state.size()) + " bytes behind its head, not " +
                             std::to_string(head->length));
  }
  if (crc32c(state) != head->crc) return damaged(path, "its checksum is wrong");
  content->erase(0, impl::snapshot_head_bytes);
  return Snapshot{.last = head->last, .state = *std::move(content)};
}

}  // namespace parley::kv
