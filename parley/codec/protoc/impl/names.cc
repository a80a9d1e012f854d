#include "parley/codec/protoc/impl/names.h"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <array>

namespace parley::protoc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;

// Sorted. Keywords of C++20; `std`; macros of the headers that generated code may meet.
constexpr std::string_view taken_words[] = {"BUFSIZ",
                                            "CHAR_BIT",
                                            "CHAR_MAX",
                                            "CHAR_MIN",
                                            "CLOCKS_PER_SEC",
                                            "DBL_EPSILON",
                                            "DBL_MAX",
                                            "DBL_MIN",
                                            "DOMAIN",
                                            "E2BIG",
                                            "EACCES",
                                            "EADDRINUSE",
                                            "EADDRNOTAVAIL",
                                            "EAFNOSUPPORT",
                                            "EAGAIN",
                                            "EALREADY",
                                            "EBADF",
                                            "EBADMSG",
                                            "EBUSY",
                                            "ECANCELED",
                                            "ECHILD",
                                            "ECONNABORTED",
                                            "ECONNREFUSED",
                                            "ECONNRESET",
                                            "EDEADLK",
                                            "EDESTADDRREQ",
                                            "EDOM",
                                            "EEXIST",
                                            "EFAULT",
                                            "EFBIG",
                                            "EHOSTDOWN",
                                            "EHOSTUNREACH",
                                            "EIDRM",
                                            "EILSEQ",
                                            "EINPROGRESS",
                                            "EINTR",
                                            "EINVAL",
                                            "EIO",
                                            "EISCONN",
                                            "EISDIR",
                                            "ELOOP",
                                            "EMFILE",
                                            "EMLINK",
                                            "EMSGSIZE",
                                            "ENAMETOOLONG",
                                            "ENETDOWN",
                                            "ENETRESET",
                                            "ENETUNREACH",
                                            "ENFILE",
                                            "ENOBUFS",
                                            "ENODATA",
                                            "ENODEV",
                                            "ENOENT",
                                            "ENOEXEC",
                                            "ENOLCK",
                                            "ENOLINK",
                                            "ENOMEM",
                                            "ENOMSG",
                                            "ENOPROTOOPT",
                                            "ENOSPC",
                                            "ENOSR",
                                            "ENOSTR",
                                            "ENOSYS",
                                            "ENOTCONN",
                                            "ENOTDIR",
                                            "ENOTEMPTY",
                                            "ENOTRECOVERABLE",
                                            "ENOTSOCK",
                                            "ENOTSUP",
                                            "ENOTTY",
                                            "ENXIO",
                                            "EOF",
                                            "EOPNOTSUPP",
                                            "EOVERFLOW",
                                            "EOWNERDEAD",
                                            "EPERM",
                                            "EPIPE",
                                            "EPROTO",
                                            "EPROTONOSUPPORT",
                                            "EPROTOTYPE",
                                            "ERANGE",
                                            "EROFS",
                                            "ESPIPE",
                                            "ESRCH",
                                            "ESTALE",
                                            "ETIME",
                                            "ETIMEDOUT",
                                            "ETXTBSY",
                                            "EWOULDBLOCK",
                                            "EXDEV",
                                            "EXIT_FAILURE",
                                            "EXIT_SUCCESS",
                                            "FILENAME_MAX",
                                            "FLT_EPSILON",
                                            "FLT_MAX",
                                            "FLT_MIN",
                                            "FOPEN_MAX",
                                            "HUGE_VAL",
                                            "I",
                                            "INFINITY",
                                            "INT16_MAX",
                                            "INT16_MIN",
                                            "INT32_MAX",
                                            "INT32_MIN",
                                            "INT64_MAX",
                                            "INT64_MIN",
                                            "INT8_MAX",
                                            "INT8_MIN",
                                            "INTMAX_MAX",
                                            "INTMAX_MIN",
                                            "INTPTR_MAX",
                                            "INTPTR_MIN",
                                            "INT_MAX",
                                            "INT_MIN",
                                            "LLONG_MAX",
                                            "LLONG_MIN",
                                            "LONG_MAX",
                                            "LONG_MIN",
                                            "L_tmpnam",
                                            "MB_CUR_MAX",
                                            "MB_LEN_MAX",
                                            "M_E",
                                            "M_PI",
                                            "NAN",
                                            "NULL",
                                            "OVERFLOW",
                                            "PTRDIFF_MAX",
                                            "PTRDIFF_MIN",
                                            "RAND_MAX",
                                            "SCHAR_MAX",
                                            "SCHAR_MIN",
                                            "SEEK_CUR",
                                            "SEEK_END",
                                            "SEEK_SET",
                                            "SHRT_MAX",
                                            "SHRT_MIN",
                                            "SIGABRT",
                                            "SIGALRM",
                                            "SIGCHLD",
                                            "SIGFPE",
                                            "SIGHUP",
                                            "SIGILL",
                                            "SIGINT",
                                            "SIGKILL",
                                            "SIGPIPE",
                                            "SIGQUIT",
                                            "SIGSEGV",
                                            "SIGTERM",
                                            "SIGUSR1",
                                            "SIGUSR2",
                                            "SIZE_MAX",
                                            "SSIZE_MAX",
                                            "TIME_UTC",
                                            "TMP_MAX",
                                            "UCHAR_MAX",
                                            "UINT16_MAX",
                                            "UINT32_MAX",
                                            "UINT64_MAX",
                                            "UINT8_MAX",
                                            "UINTMAX_MAX",
                                            "UINTPTR_MAX",
                                            "UINT_MAX",
                                            "ULLONG_MAX",
                                            "ULONG_MAX",
                                            "UNDERFLOW",
                                            "USHRT_MAX",
                                            "WCHAR_MAX",
                                            "WCHAR_MIN",
                                            "alignas",
                                            "alignof",
                                            "and",
                                            "and_eq",
                                            "asm",
                                            "assert",
                                            "auto",
                                            "bitand",
                                            "bitor",
                                            "bool",
                                            "break",
                                            "case",
                                            "catch",
                                            "char",
                                            "char16_t",
                                            "char32_t",
                                            "char8_t",
                                            "class",
                                            "co_await",
                                            "co_return",
                                            "co_yield",
                                            "compl",
                                            "concept",
                                            "const",
                                            "const_cast",
                                            "consteval",
                                            "constexpr",
                                            "constinit",
                                            "continue",
                                            "decltype",
                                            "default",
                                            "delete",
                                            "do",
                                            "double",
                                            "dynamic_cast",
                                            "else",
                                            "enum",
                                            "errno",
                                            "explicit",
                                            "export",
                                            "extern",
                                            "false",
                                            "float",
                                            "for",
                                            "friend",
                                            "goto",
                                            "if",
                                            "inline",
                                            "int",
                                            "linux",
                                            "long",
                                            "major",
                                            "makedev",
                                            "minor",
                                            "mutable",
                                            "namespace",
                                            "new",
                                            "noexcept",
                                            "not",
                                            "not_eq",
                                            "nullptr",
                                            "offsetof",
                                            "operator",
                                            "or",
                                            "or_eq",
                                            "private",
                                            "protected",
                                            "public",
                                            "register",
                                            "reinterpret_cast",
                                            "requires",
                                            "return",
                                            "short",
                                            "signed",
                                            "sizeof",
                                            "static",
                                            "static_assert",
                                            "static_cast",
                                            "std",
                                            "stderr",
                                            "stdin",
                                            "stdout",
                                            "struct",
                                            "switch",
                                            "template",
                                            "this",
                                            "thread_local",
                                            "throw",
                                            "true",
                                            "try",
                                            "typedef",
                                            "typeid",
                                            "typename",
                                            "union",
                                            "unix",
                                            "unsigned",
                                            "using",
                                            "virtual",
                                            "void",
                                            "volatile",
                                            "wchar_t",
                                            "while",
                                            "xor",
                                            "xor_eq"};
static_assert(std::ranges::is_sorted(taken_words));

}  // namespace

bool is_identifier(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::string safe_name(std::string_view name) {
  return std::string(name) + (std::ranges::binary_search(taken_words, name) ? "_" : "");
}

std::string Scope::take(std::string_view name) {
  std::string free = safe_name(name);
  while (!taken_.insert(free).second) free += '_';
  return free;
}

std::string Names::file_for(const FileDescriptor& file) {
  std::string name = file.name();
  constexpr std::string_view ending = ".proto";
  if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  return name + ".parley.h";
}

bool Names::is_well_known(const FileDescriptor& file) {
  constexpr std::string_view folder = "google/protobuf/";
  std::string_view name = file.name();
  if (!name.starts_with(folder)) return false;
  name.remove_prefix(folder.size());
  return name == "any.proto" || name == "duration.proto" || name == "empty.proto" ||
         name == "field_mask.proto" || name == "struct.proto" || name == "timestamp.proto" ||
         name == "wrappers.proto";
}

std::string Names::header_of(const FileDescriptor& file) {
  return is_well_known(file) ? "parley/codec/well_known.h" : file_for(file);
}

std::string Names::namespace_of(const FileDescriptor& file) const {
  // Protobuf's own library has types of these names in google::protobuf, and a program may use
  // both.
  if (file.package() == "google.protobuf") return "parley::well_known";
  std::string whole = options_.outer_namespace;
  std::string_view rest = file.package();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    if (!whole.empty()) whole += "::";
    const std::string_view part = rest.substr(0, end);
    // parley::shop is a good name, but acme::parley would hide ours.
    whole += part == "parley" && !whole.empty() ? "parley_" : safe_name(part);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return whole;
}

void Names::take_file(const FileDescriptor& file) {
  if (!files_.insert(&file).second) return;
  Scope scope;
  scope.reserve("parley");
  // No struct is called as a member that it may have.
  if (options_.keeps_unknown_fields) scope.reserve("unknown_fields");
  // Those that stand alone keep their names, those in messages make way.
  for (int i = 0; i < file.message_type_count(); ++i) {
    names_[file.message_type(i)] = scope.take(file.message_type(i)->name());
  }
  for (int i = 0; i < file.enum_type_count(); ++i) {
    names_[file.enum_type(i)] = scope.take(file.enum_type(i)->name());
  }
  for (int i = 0; i < file.service_count(); ++i) {
    names_[file.service(i)] = scope.take(file.service(i)->name());
  }
  for (int i = 0; i < file.message_type_count(); ++i) take_inner(*file.message_type(i), scope);
}

void Names::take_inner(const Descriptor& message, Scope& scope) {
  const std::string prefix = names_.at(&message) + '_';
  for (int i = 0; i < message.enum_type_count(); ++i) {
    names_[message.enum_type(i)] = scope.take(prefix + message.enum_type(i)->name());
  }
  for (int i = 0; i < message.nested_type_count(); ++i) {
    const Descriptor& inner = *message.nested_type(i);
    if (inner.options().map_entry()) continue;
    names_[&inner] = scope.take(prefix + inner.name());
    take_inner(inner, scope);
  }
}

}  // namespace parley::protoc
