// "Did you mean": the known word nearest to one that is not known.
//
// Any thread; nothing here has state.
//
//   auto near = nearest("cal", {{"call", "push"}});   // "call"
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace parley {

// How many insertions, deletions, replacements and swaps of neighbours lead from one to the other.
// Takes time and memory for each pair of characters: for words, not for documents.
std::size_t edit_distance(std::string_view from, std::string_view to);

// The candidate with the least distance, when that is at most a third of the word (at least 1);
// nothing when none is that near. Of equals the first.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace parley
