#include "parley/rt/impl/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace parley::rt::impl {
namespace {

struct Function {
  std::uintptr_t size = 0;
  std::string name;
};

using Functions = std::map<std::uintptr_t, Function>;  // by offset in the file's address space

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 ? std::string(text.get()) : std::string(name);
}

template <class T>
bool read_at(std::ifstream& file, std::uint64_t offset, T* into, std::size_t count) {
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(into), static_cast<std::streamsize>(count * sizeof(T)));
  return static_cast<bool>(file);
}

// The functions in a symbol table of an ELF file (TIS ELF 1.2, book I, 1-18). An incomplete or
// strange file gives fewer, never a failure: this only makes traces nicer.
Functions functions_of(const std::string& path) {
  Functions functions;
  std::ifstream file(path, std::ios::binary);
  ElfW(Ehdr) header{};
  if (!read_at(file, 0, &header, 1) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return {};
  std::vector<ElfW(Shdr)> sections(header.e_shnum);
  if (!read_at(file, header.e_shoff, sections.data(), sections.size())) return {};
  for (const ElfW(Shdr) & section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    std::vector<ElfW(Sym)> symbols(section.sh_size / sizeof(ElfW(Sym)));
    std::vector<char> names(sections[section.sh_link].sh_size + 1);
    if (!read_at(file, section.sh_offset, symbols.data(), symbols.size()) ||
        !read_at(file, sections[section.sh_link].sh_offset, names.data(), names.size() - 1)) {
      continue;
    }
    for (const ElfW(Sym) & symbol : symbols) {
      const bool is_function = (symbol.st_info & 0xf) == STT_FUNC;
      if (!is_function || symbol.st_value == 0 || symbol.st_name >= names.size()) continue;
      functions[symbol.st_value] = {symbol.st_size, &names[symbol.st_name]};
    }
  }
  return functions;
}

const Function* find(const std::string& path, std::uintptr_t offset, std::uintptr_t& start) {
  static std::mutex mutex;
  static std::map<std::string, Functions> files;
  const std::lock_guard lock(mutex);
  auto found = files.find(path);
  if (found == files.end()) found = files.emplace(path, functions_of(path)).first;
  auto after = found->second.upper_bound(offset);
  if (after == found->second.begin()) return nullptr;
  --after;
  start = after->first;
  return offset - start <= after->second.size ? &after->second : nullptr;
}

std::string hex(std::uintptr_t value) {
  std::string text;
  do {
    text.insert(text.begin(), "0123456789abcdef"[value % 16]);
    value /= 16;
  } while (value != 0);
  return "0x" + text;
}

}  // namespace

std::string symbol_at(const void* address) {
  Dl_info info{};
  link_map* map = nullptr;
  if (::dladdr1(address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0) {
    return hex(reinterpret_cast<std::uintptr_t>(address));
  }
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) - map->l_addr;
  const std::string file = info.dli_fname == nullptr ? "?" : info.dli_fname;
  const std::string place = "(" + file.substr(file.rfind('/') + 1) + " + " + hex(offset) + ")";
  std::uintptr_t start = 0;
  // The program's own file has an empty name here.
  const std::string path = map->l_name[0] == '\0' ? "/proc/self/exe" : file;
  if (const Function* function = find(path, offset, start)) {
    return demangled(function->name.c_str()) + " + " + hex(offset - start) + " " + place;
  }
  if (info.dli_sname == nullptr) return place;
  return demangled(info.dli_sname) + " " + place;
}

}  // namespace parley::rt::impl
