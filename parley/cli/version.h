// Which parley this is: for people, and as JSON for programs.
//
// Constant: any thread.
//
//   console.write(version_text());
#pragma once

#include <string>

namespace parley::cli {

// "parley 0.1.0 (3f2a91c, GNU 12.2.0, Release)" and a line feed; "no revision" when the sources
// were built outside a repository.
std::string version_text();

// {"version":...,"revision":...,"compiler":...,"build_type":...} and a line feed; the revision is
// empty when it is not known.
std::string version_json();

}  // namespace parley::cli
