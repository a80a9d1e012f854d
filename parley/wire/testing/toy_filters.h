// Filters that need no library. For tests only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parley/wire/filter.h"

namespace parley::wire::testing {

// Puts its name in front of the content: what went through a pipe tells in which order.
class Prefix final : public Filter {
 public:
  Prefix(char id, std::string name) : id_(id), name_(std::move(name)) {}

  [[nodiscard]] char id() const noexcept override { return id_; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] Result<Bytes> apply(Bytes content) const override {
    Bytes out = Bytes::copy_of(name_);
    out.append(std::move(content));
    return out;
  }
  [[nodiscard]] Result<Bytes> undo(Bytes content, const FilterLimit& /*limit*/) const override {
    const bool is_there = content.slice(0, name_.size()) == name_;
    if (!is_there) return Status(Code::data_loss, "the name is not in front");
    content.remove_prefix(name_.size());
    return content;
  }

 private:
  char id_;
  std::string name_;
};

// Undone, it is the first byte of the content again and again: a bomb.
class Repeat final : public Filter {
 public:
  explicit Repeat(std::size_t times = 1000) : times_(times) {}

  [[nodiscard]] char id() const noexcept override { return 'r'; }
  [[nodiscard]] std::string_view name() const noexcept override { return "repeat"; }
  [[nodiscard]] Result<Bytes> apply(Bytes content) const override { return content; }
  [[nodiscard]] Result<Bytes> undo(Bytes content, const FilterLimit& /*limit*/) const override {
    return Bytes::from(std::string(times_, content.empty() ? ' ' : content.piece(0).front()));
  }

 private:
  std::size_t times_;
};

// 'a' and 'b' put "a:" and "b:" in front.
inline std::shared_ptr<Filters> toy_prefixes() {
  auto filters = std::make_shared<Filters>();
  filters->add(std::make_unique<Prefix>('a', "a:")).add(std::make_unique<Prefix>('b', "b:"));
  return filters;
}

// And 'r' repeats.
inline std::shared_ptr<const Filters> toy_filters() {
  auto filters = toy_prefixes();
  filters->add(std::make_unique<Repeat>());
  return filters;
}

}  // namespace parley::wire::testing
