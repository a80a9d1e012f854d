#include "parley/codec/xml/xml.h"

#include "parley/codec/xml/impl/xml_reader.h"
#include "parley/codec/xml/impl/xml_tree.h"

namespace parley::codec {

Status decode_xml_as(std::string_view text, const Type& type, void* object, const Limits& limits,
                     const XmlOptions& options) {
  return impl::XmlReader(limits, options).read_text(text, type, object);
}

Status validate_xml(std::string_view text, const Limits& limits) {
  impl::XmlTree tree;
  if (tree.parse(text, limits)) return {};
  const impl::XmlProblem& problem = tree.problem();
  return Status(problem.code, "$: " + problem.message + tree.place(problem.offset));
}

Codec xml_codec() {
  return {.id = xml_id,
          .name = "xml",
          .content_types = {"text/xml", "application/xml"},
          .encode = [](std::string& out, const Type& type, const void* object,
                       const Limits& limits) { return encode_xml_as(out, type, object, limits); },
          .decode =
              [](std::string_view text, const Type& type, void* object, const Limits& limits,
                 const DecodeOptions& asked) {
                return decode_xml_as(text, type, object, limits,
                                     {.refuse_unknown_fields = asked.refuse_unknown_fields,
                                      .refuse_views = asked.refuse_views});
              }};
}

}  // namespace parley::codec
