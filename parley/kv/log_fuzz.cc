// Fuzzes what reads the log. The input is the content of its files: the first byte says how much of
// the rest is in the first one, the second which record the name of the other one has. Then
//  - opening either gives records, or says why not and has changed nothing;
//  - what was opened once is opened again, with the same records, and takes one more;
//  - a record either is a command, and the same bytes are written for it, or an error says why not.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parley/base/assert.h"
#include "parley/base/memory_files.h"
#include "parley/kv/impl/command_code.h"
#include "parley/kv/log.h"

namespace {

using namespace parley;
using namespace parley::kv;

using Records = std::vector<std::string>;

const std::string folder = "/store";
constexpr LogOptions options{.max_record_bytes = 1'000};

Result<std::unique_ptr<Log>> open(Files& files, Records& records) {
  records.clear();
  return Log::open(files, folder, 0, options, [&](std::uint64_t number, std::string_view record) {
    records.emplace_back(record);
    PARLEY_ASSERT(number == records.size(), "a record is out of its order");
    return Status();
  });
}

std::string all_of(Files& files) {
  std::string all;
  const Records names = *files.list(folder);
  for (const std::string& name : names) {
    all += name + *read_file(files, folder + "/" + name, 1 << 20);
  }
  return all;
}

void check_command(const std::string& record) {
  const auto logged = kv::impl::decode_command(record);
  if (logged) {
    PARLEY_ASSERT(kv::impl::encode_command(logged->command, logged->index) == record,
                  "a command is not written as it was read");
  } else {
    PARLEY_ASSERT(!logged.error().message().empty(), "no reason is given");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(bytes.size(), std::size_t{data[0]} * 16);
  MemoryFiles files;
  PARLEY_ASSERT(files.make_directory(folder).is_ok(), "an empty disk");
  (void)replace_file(files, Log::segment_path(folder, 1), bytes.substr(0, cut));
  if (data[1] > 1) (void)replace_file(files, Log::segment_path(folder, data[1]), bytes.substr(cut));
  check_command(std::string(bytes));

  const std::string before = all_of(files);
  Records records;
  if (const auto log = open(files, records); !log) {
    PARLEY_ASSERT(!log.error().message().empty(), "no reason is given");
    PARLEY_ASSERT(all_of(files) == before, "what is refused is not changed");
    return 0;
  }
  for (const std::string& record : records) check_command(record);
  Records again;
  {
    const auto log = open(files, again);
    PARLEY_ASSERT(log && again == records, "what was opened is opened again");
    PARLEY_ASSERT((*log)->append(Records{"one more"}).is_ok(), "it takes another record");
  }
  records.emplace_back("one more");
  PARLEY_ASSERT(open(files, again) && again == records, "which is there afterwards");
  return 0;
}
