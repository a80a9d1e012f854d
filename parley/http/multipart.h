// multipart/form-data (RFC 7578, RFC 2046 5.1): a parser that takes the body in pieces of any size
// and keeps no byte of a part, a reader over an exchange, and a writer.
//
// Strict, so that nobody else reads another form from it: lines end with CRLF; nothing but one
// empty line may stand before the first boundary, and nothing but that behind the last; what begins
// like a boundary and goes on in another way is refused (RFC 2046 lets blanks follow: no client
// sends them). Each part has one Content-Disposition: form-data with a name, no parameter twice, no
// other encoding than 7bit, 8bit and binary.
//
// Belong to one fiber at a time.
//
//   auto reader = MultipartReader::of(exchange);
//   if (!reader) return reader.error();           // answers 415, or 413
//   for (;;) {
//     Result<const Part*> part = reader->next();
//     if (!part) return part.error();
//     if (*part == nullptr) break;
//     if ((*part)->is_file) ... reader->read() until it is empty
//     else ... reader->read_all(4096)
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "parley/base/result.h"
#include "parley/http/exchange.h"
#include "parley/http/headers.h"

namespace parley::http {

struct MultipartLimits {
  std::size_t max_parts = 1000;
  std::size_t max_headers = 16;             // of one part
  std::size_t max_header_bytes = 8 * 1024;  // of one part, line ends included
  std::uint64_t max_part_bytes = 16 * 1024 * 1024;
  std::uint64_t max_bytes = 64 * 1024 * 1024;  // of everything
};
inline constexpr MultipartLimits default_multipart_limits{};

struct Part {
  std::string name{};
  // What a user may have called the file: the last piece of what was sent, without any folder (in
  // either kind of slash). Empty for "." and "..", and where a control character is in it. It may
  // still be a hidden name, or one that is taken: better name the file yourself.
  std::string filename{};
  // Whether a file name was sent, an empty one included: then it is a file.
  bool is_file = false;
  std::string content_type{};  // empty where none was sent
  Headers headers{};
};

class MultipartParser {
 public:
  enum class Event : std::uint8_t {
    more,      // everything was used: give the next piece
    part,      // part() is the next one
    data,      // data() is a piece of it
    part_end,  // that was all of it
    end,       // of the whole form
  };

  // `boundary` as boundary_of() gives it.
  explicit MultipartParser(std::string_view boundary,
                           const MultipartLimits& limits = default_multipart_limits);

  // What Content-Type says; invalid_argument when it is no multipart/form-data with a boundary of 1
  // to 70 characters that one may have.
  static Result<std::string> boundary_of(std::string_view content_type);

  // Goes on in the stream and takes what was used off `in`. invalid_argument for what breaks the
  // rules, resource_exhausted at a limit, and the same again from then on. Nothing may follow
  // Event::end but one empty line.
  Result<Event> next(std::string_view& in);
  // When there is no more: data_loss unless the end was seen.
  [[nodiscard]] Status finish() const;

  // Holds until the next Event::part.
  [[nodiscard]] const Part& part() const noexcept { return part_; }
  // Holds until the next call of next(), and as long as the piece.
  [[nodiscard]] std::string_view data() const noexcept { return data_; }

 private:
  enum class At : std::uint8_t { start, behind_boundary, headers, data, over, refused };

  Result<Event> refuse(Code code, std::string why);
  Result<Event> step(std::string_view& in, bool& goes_on);
  Result<Event> start(std::string_view& in, bool& goes_on);
  Result<Event> behind_boundary(std::string_view& in, bool& goes_on);
  Result<Event> header(std::string_view& in, bool& goes_on);
  Result<Event> take_data(std::string_view& in, bool& goes_on);
  Result<Event> show(std::string_view data);
  Result<Event> over(std::string_view& in);
  Result<Event> finish_headers(bool& goes_on);
  Status read_line(std::string_view line);

  const MultipartLimits limits_;
  const std::string delimiter_;  // CRLF, two dashes, boundary
  At at_ = At::start;
  std::size_t matched_ = 0;  // letters of the delimiter, or of what stands behind it
  std::string line_;         // of a header, as far as it came; two letters behind a boundary
  std::size_t header_bytes_ = 0;
  bool is_at_first_byte_ = false;
  std::size_t parts_ = 0;
  std::uint64_t part_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  Part part_;
  std::string_view data_;
  Status error_;
};

// A form that comes as the body of a request.
class MultipartReader {
 public:
  // invalid_argument when the request has no such body; resource_exhausted when it says that it is
  // larger than max_bytes. A handler that returns these has answered 415 and 413. The limit of the
  // server (ServerOptions::limits.max_body_bytes, 16 MiB) comes first: for larger forms raise both.
  // `exchange` must outlive the reader.
  static Result<MultipartReader> of(ServerExchange& exchange,
                                    const MultipartLimits& limits = default_multipart_limits);

  // The next part, null behind the last one; what was not read of the one before is passed over.
  // Errors as MultipartParser::next() and Exchange::read() have them; data_loss for a form that is
  // cut. Returned by a handler they are 400, and 413 at a limit. After one that is not of the
  // deadline there is no next part.
  Result<const Part*> next(rt::Deadline deadline = {});
  // The next piece of the part, empty at its end. Holds until the next call.
  Result<std::string_view> read(rt::Deadline deadline = {});
  // All of it; resource_exhausted for more than `most` bytes.
  Result<std::string> read_all(std::size_t most, rt::Deadline deadline = {});

 private:
  MultipartReader(ServerExchange& exchange, std::string_view boundary,
                  const MultipartLimits& limits)
      : exchange_(&exchange), parser_(boundary, limits) {}
  Result<MultipartParser::Event> event(rt::Deadline deadline);
  void note_fault(const Status& why);

  ServerExchange* exchange_;
  MultipartParser parser_;
  std::string_view piece_;
  bool is_in_part_ = false;
  bool is_over_ = false;
};

// Writes a form. The boundary is 130 random bits: no content can hold it by chance, one that is to
// be proof against who knows the random numbers of this process has to be given.
//
//   MultipartWriter form;
//   form.add("tea", "green");
//   form.add_file("leaf", "leaf.png", "image/png", picture);
//   send(form.content_type(), form.end());
class MultipartWriter {
 public:
  MultipartWriter();
  // invalid_argument for a boundary that cannot be one.
  static Result<MultipartWriter> with_boundary(std::string_view boundary);

  [[nodiscard]] std::string content_type() const;
  // The heads of parts, for who sends their content in pieces; what is before it is ended. Quotes
  // and line ends in names become %22, %0D and %0A, as browsers do it. invalid_argument for another
  // control in a name, or a content type that no field can hold.
  Result<std::string> begin(std::string_view name);
  Result<std::string> begin_file(std::string_view name, std::string_view filename,
                                 std::string_view content_type);
  [[nodiscard]] std::string tail() const;

  // A part as a whole, kept for end().
  Status add(std::string_view name, std::string_view value);
  Status add_file(std::string_view name, std::string_view filename, std::string_view content_type,
                  std::string_view content);
  // All that was added, and the end.
  [[nodiscard]] std::string end();

 private:
  explicit MultipartWriter(std::string boundary) : boundary_(std::move(boundary)) {}

  std::string boundary_;
  std::string text_;
  bool has_parts_ = false;
};

}  // namespace parley::http
