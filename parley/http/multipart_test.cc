#include "parley/http/multipart.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parley/base/testing/witness.h"
#include "parley/http/testing/memory_exchange.h"
#include "parley/http/testing/multipart_reading.h"

namespace parley::http {
namespace {

using testing::MemoryExchange;
using testing::read_form_cut;
using testing::SeenForm;
using testing::SeenPart;

const std::string form =
    "--b\r\nContent-Disposition: form-data; "
    "name=\"tea\"\r\n\r\ngreen\r\n-\r\n--\r\n--\rb\r\n--b\r\n"
    "content-disposition: form-data; name=\"leaf\"; filename=\"leaf.png\"\r\n"
    "Content-Type: image/png\r\n\r\n\r\n\r\r\n\r\n--b\r\n"
    "Content-Disposition: form-data; name=none\r\n\r\n\r\n--b--\r\n";

const std::vector<SeenPart> parts = {
    {"tea", "", false, "", "green\r\n-\r\n--\r\n--\rb"},
    {"leaf", "leaf.png", true, "image/png", "\r\n\r\r\n"},
    {"none", "", false, "", ""},
};

// One part with this head.
SeenForm with_head(const std::string& head) {
  return read_form_cut("b", "--b\r\n" + head + "\r\n\r\nx\r\n--b--\r\n");
}

SeenPart with_disposition(const std::string& parameters) {
  const SeenForm seen = with_head("Content-Disposition: form-data" + parameters);
  EXPECT_TRUE(seen.error.is_ok()) << seen.error;
  return seen.parts.empty() ? SeenPart() : seen.parts[0];
}

TEST(Multipart, is_the_same_wherever_it_is_cut) {
  const SeenForm whole = read_form_cut("b", form);
  EXPECT_TRUE(whole.error.is_ok()) << whole.error;
  EXPECT_EQ(whole.parts, parts);
  EXPECT_EQ(read_form_cut("b", form, {}, 1, 1).parts, parts);
  for (std::size_t at = 1; at < form.size(); ++at) {
    const SeenForm cut = read_form_cut("b", form, {}, at);
    EXPECT_TRUE(cut.error.is_ok()) << at << ": " << cut.error;
    EXPECT_EQ(cut.parts, parts) << at;
  }
}

TEST(Multipart, that_is_cut_short_is_data_loss) {
  // Without the last line end it is whole.
  for (std::size_t size = 0; size < form.size() - 2; ++size) {
    EXPECT_EQ(read_form_cut("b", form.substr(0, size)).error.code(), Code::data_loss) << size;
  }
  EXPECT_TRUE(read_form_cut("b", form.substr(0, form.size() - 2)).error.is_ok());
  EXPECT_EQ(read_form_cut("b", form.substr(0, form.size() - 1)).error.code(), Code::data_loss);
}

TEST(Multipart, has_nothing_around_its_parts_and_no_blanks_behind_a_boundary) {
  EXPECT_TRUE(read_form_cut("b", "\r\n" + form).error.is_ok());
  EXPECT_TRUE(read_form_cut("b", "--b--").error.is_ok());
  for (const std::string& text : {"preamble\r\n" + form, form + "epilogue", form + "\r\n",
                                  "\n" + form, std::string("--b \r\n"), std::string("--b\n"),
                                  std::string("--bc\r\n"), std::string("--b-\r\n"), "-" + form}) {
    EXPECT_EQ(read_form_cut("b", text).error.code(), Code::invalid_argument) << text;
    EXPECT_EQ(read_form_cut("b", text, {}, 1, 1).error.code(), Code::invalid_argument) << text;
  }
  const std::string near = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--bc\r\n";
  EXPECT_EQ(read_form_cut("b", near + "--b--").error.code(), Code::invalid_argument);
}

TEST(Multipart, has_parts_with_one_name_and_sound_headers) {
  for (const auto* head :
       {"", "Content-Type: text/plain", "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=a", "Content-Disposition: form-data; name=a; name=b",
        "Content-Disposition: form-data; name=a; filename=b; filename=c",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''b",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data; name=\"a", "Content-Disposition: form-data; name",
        "Content-Disposition: form-data name=a", "Content-Disposition : form-data; name=a",
        "Content-Disposition: form-data; name=a\nX: b",
        "Content-Disposition: form-data;\r\n name=a",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
        "no colon"}) {
    const SeenForm seen = with_head(head);
    EXPECT_EQ(seen.error.code(), Code::invalid_argument) << head;
    EXPECT_TRUE(seen.parts.empty());
  }
  EXPECT_TRUE(with_head("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: 8BIT")
                  .error.is_ok());
}

TEST(Multipart, gives_names_without_paths) {
  EXPECT_EQ(with_disposition("; name=\"a%22b%0D\"").name, "a\"b%0D");
  EXPECT_EQ(with_disposition("; name=\"a\\\"b\\\\c\"").name, "a\"b\\c");
  const auto file = [](const std::string& sent) {
    const SeenPart part = with_disposition("; name=a; filename=\"" + sent + "\"");
    EXPECT_TRUE(part.is_file);
    return part.filename;
  };
  EXPECT_EQ(file("tea.txt"), "tea.txt");
  EXPECT_EQ(file("../../etc/passwd"), "passwd");
  EXPECT_EQ(file("C:\\dir\\tea.txt"), "tea.txt");
  EXPECT_EQ(file("dir/"), "");
  EXPECT_EQ(file(".."), "");
  EXPECT_EQ(file("."), "");
  EXPECT_EQ(file(""), "");
  EXPECT_EQ(file("..\\%22"), "\"");
  EXPECT_EQ(file("gr\xc3\xbcn.txt"), "gr\xc3\xbcn.txt");
  EXPECT_EQ(file("a\tb"), "");
}

TEST(Multipart, keeps_to_each_of_its_limits) {
  EXPECT_TRUE(read_form_cut("b", form, {.max_parts = 3}).error.is_ok());
  EXPECT_EQ(read_form_cut("b", form, {.max_parts = 2}).error.code(), Code::resource_exhausted);
  EXPECT_TRUE(read_form_cut("b", form, {.max_headers = 2}).error.is_ok());
  EXPECT_EQ(read_form_cut("b", form, {.max_headers = 1}).error.code(), Code::resource_exhausted);
  EXPECT_TRUE(read_form_cut("b", form, {.max_header_bytes = 96}, 1, 1).error.is_ok());
  EXPECT_EQ(read_form_cut("b", form, {.max_header_bytes = 90}).error.code(),
            Code::resource_exhausted);
  EXPECT_TRUE(read_form_cut("b", form, {.max_part_bytes = 18}).error.is_ok());
  EXPECT_EQ(read_form_cut("b", form, {.max_part_bytes = 17}).error.code(),
            Code::resource_exhausted);
  EXPECT_TRUE(read_form_cut("b", form, {.max_bytes = form.size()}).error.is_ok());
  EXPECT_EQ(read_form_cut("b", form, {.max_bytes = form.size() / 2}, 1, 1).error.code(),
            Code::resource_exhausted);
}

TEST(Multipart, has_a_boundary_that_may_be_one) {
  const auto boundary = [](const std::string& type) {
    return MultipartParser::boundary_of(type).value_or("none");
  };
  EXPECT_EQ(boundary("multipart/form-data; boundary=b"), "b");
  EXPECT_EQ(boundary("Multipart/Form-Data ;charset=x; BOUNDARY=\"a b\""), "a b");
  for (const auto* type :
       {"text/plain; boundary=b", "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=b; boundary=b",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a&b",
        "multipart/form-data; boundary=\"a", "multipart/mixed; boundary=b"}) {
    EXPECT_EQ(boundary(type), "none") << type;
  }
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + std::string(70, 'x')).size(), 70u);
  EXPECT_EQ(boundary("multipart/form-data; boundary=" + std::string(71, 'x')), "none");
}

TEST(Multipart, is_read_part_by_part_from_an_exchange) {
  MemoryExchange exchange(Method::post);
  exchange.with("Content-Type", "multipart/form-data; boundary=b")
      .sends({form.substr(0, 60), form.substr(60, 40), form.substr(100)});
  auto reader = MultipartReader::of(exchange);
  ASSERT_TRUE(reader.has_value()) << reader.error();
  EXPECT_EQ((**reader->next()).name, "tea");
  EXPECT_EQ(*reader->read_all(18), parts[0].data);
  EXPECT_EQ(*reader->read(), "");
  EXPECT_EQ((**reader->next()).filename, "leaf.png");
  EXPECT_EQ((**reader->next()).name, "none");
  EXPECT_EQ(*reader->next(), nullptr);
  EXPECT_EQ(*reader->next(), nullptr);
}

TEST(Multipart, of_an_exchange_is_refused_where_it_is_none_or_too_large) {
  MemoryExchange none(Method::post);
  EXPECT_EQ(MultipartReader::of(none).error().code(), Code::invalid_argument);
  MemoryExchange exchange(Method::post);
  exchange.with("Content-Type", "multipart/form-data; boundary=b").sends({form});
  EXPECT_EQ(MultipartReader::of(exchange, {.max_bytes = 10}).error().code(),
            Code::resource_exhausted);
  auto reader = MultipartReader::of(exchange);
  ASSERT_TRUE(reader->next().has_value());
  EXPECT_EQ(reader->read_all(3).error().code(), Code::resource_exhausted);
  MemoryExchange cut(Method::post);
  cut.with("Content-Type", "multipart/form-data; boundary=b").sends({form.substr(0, 70)});
  auto half = MultipartReader::of(cut);
  ASSERT_TRUE(half->next().has_value());
  EXPECT_EQ(half->next().error().code(), Code::data_loss);
}

TEST(Multipart, is_read_as_it_was_written) {
  MultipartWriter writer;
  EXPECT_TRUE(writer.add("a\"\r\n\\", "1\r\n").is_ok());
  EXPECT_TRUE(writer.add_file("f", "x.png", "image/png", std::string("\0\r", 2)).is_ok());
  EXPECT_EQ(writer.add(std::string_view("\0", 1), "").code(), Code::invalid_argument);
  EXPECT_EQ(writer.add_file("f", "x", "a\r\nb", "").code(), Code::invalid_argument);
  EXPECT_EQ(MultipartWriter::with_boundary("a\"").error().code(), Code::invalid_argument);
  const std::string boundary = *MultipartParser::boundary_of(writer.content_type());
  const SeenForm seen = read_form_cut(boundary, writer.end());
  EXPECT_TRUE(seen.error.is_ok()) << seen.error;
  const std::vector<SeenPart> written = {
      {"a\"%0D%0A\\", "", false, "", "1\r\n"},
      {"f", "x.png", true, "image/png", std::string("\0\r", 2)},
  };
  EXPECT_EQ(seen.parts, written);
  EXPECT_TRUE(read_form_cut("x", MultipartWriter::with_boundary("x")->end()).error.is_ok());
}

TEST(Multipart, of_pythons_mail_library_is_read) {
  const parley::testing::Witness witness;
  const std::string python = witness.python_with("email");
  if (python.empty()) GTEST_SKIP() << "there is no python3 to ask";
  witness.write(
      "form.py",
      "import sys\n"
      "from email.mime.multipart import MIMEMultipart\n"
      "from email.mime.nonmultipart import MIMENonMultipart\n"
      "from email.policy import HTTP\n"
      "form = MIMEMultipart('form-data', boundary='b')\n"
      "for name, file, text in (('tea', None, 'green'), ('f', 'x.txt', 'a\\r\\nb')):\n"
      "    part = MIMENonMultipart('text', 'plain')\n"
      "    part.add_header('Content-Disposition', 'form-data', name=name)\n"
      "    if file: part.set_param('filename', file, 'Content-Disposition')\n"
      "    part.set_payload(text)\n"
      "    del part['MIME-Version']\n"
      "    form.attach(part)\n"
      "sys.stdout.buffer.write(form.as_bytes(policy=HTTP).split(b'\\r\\n\\r\\n', 1)[1])\n");
  const SeenForm seen = read_form_cut("b", witness.output_of(python + " form.py"));
  EXPECT_TRUE(seen.error.is_ok()) << seen.error;
  const std::vector<SeenPart> written = {{"tea", "", false, "text/plain", "green"},
                                         {"f", "x.txt", true, "text/plain", "a\r\nb"}};
  EXPECT_EQ(seen.parts, written);
}

}  // namespace
}  // namespace parley::http
