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

}  // namespace parley::codec
