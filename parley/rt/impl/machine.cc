#include "parley/rt/impl/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>

namespace parley::rt::impl {
namespace {

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// The folder of this process's control group for `controller`; "" stands for version 2.
std::string group_folder(std::string_view controller) {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names != ",,"
                           : names.find("," + std::string(controller) + ",") == std::string::npos) {
      continue;
    }
    return (controller.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + std::string(controller)) +
           line.substr(second + 1);
  }
  return {};
}

// Calls visit with the folder and each one above it: the tightest limit counts.
template <class Visit>
void each_folder_up(std::string folder, Visit visit) {
  while (folder.size() > std::string_view("/sys/fs/cgroup").size()) {
    visit(folder);
    const std::size_t slash = folder.rfind('/');
    if (slash == std::string::npos) return;
    folder.resize(slash);
  }
  visit(folder);
}

double quota() {
  double least = 0;
  const auto count = [&](double processors) {
    if (processors > 0 && (least == 0 || processors < least)) least = processors;
  };
  if (const std::string folder = group_folder(""); !folder.empty()) {
    each_folder_up(folder, [&](const std::string& at) {
      count(processors_of_cpu_max(first_line(at + "/cpu.max")));
    });
  }
  if (const std::string folder = group_folder("cpu"); !folder.empty()) {
    each_folder_up(folder, [&](const std::string& at) {
      count(processors_of_cpu_max(first_line(at + "/cpu.cfs_quota_us") + " " +
                                  first_line(at + "/cpu.cfs_period_us")));
    });
  }
  return least;
}

}  // namespace

double processors_of_cpu_max(const std::string& text) {
  std::istringstream in(text);
  double allowed = 0;
  double period = 0;
  if (!(in >> allowed >> period) || allowed <= 0 || period <= 0) return 0;  // "max 100000", "-1"
  return allowed / period;
}

std::size_t usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::size_t count = 1;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    count = static_cast<std::size_t>(CPU_COUNT(&set));
  } else {
    count = static_cast<std::size_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
  }
  if (const double allowed = quota(); allowed > 0) {
    count = std::min(count, static_cast<std::size_t>(std::ceil(allowed)));
  }
  return std::max<std::size_t>(count, 1);
}

std::size_t usable_memory() {
  auto bytes = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
               static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto limit = [&](const std::string& path) {
    std::size_t value = 0;
    if (std::istringstream(first_line(path)) >> value && value > 0) bytes = std::min(bytes, value);
  };
  if (const std::string folder = group_folder(""); !folder.empty()) {
    each_folder_up(folder, [&](const std::string& at) { limit(at + "/memory.max"); });
  }
  if (const std::string folder = group_folder("memory"); !folder.empty()) {
    each_folder_up(folder, [&](const std::string& at) { limit(at + "/memory.limit_in_bytes"); });
  }
  return bytes;
}

std::size_t default_max_fibers() {
  // What a parked fiber of some depth touches of its stack.
  constexpr std::size_t bytes_per_fiber = std::size_t{16} * 1024;
  return std::clamp<std::size_t>(usable_memory() / 2 / bytes_per_fiber, 1'000, 1'000'000);
}

}  // namespace parley::rt::impl
