"""The foreign witness of xml_witness_test.cc: xml.etree of Python's standard library, over expat.

  xml_witness.py rewrite < texts > texts    each text (in hexadecimals) read and written again
  xml_witness.py judge COUNT SEED           so many lines: whether a text is XML, the text, and what
                                            of it is to be kept, both in hexadecimals
"""

import random
import sys
import xml.etree.ElementTree as ElementTree

PIECES = ["<a>", "</a>", "<b>", "</b>", "<c/>", "<a", ">", "/>", "</", "<", " x='1'", ' y="&lt;"',
          " x = \"a'b\"", " z='\t\n\r\n&#10;&#x9;'", "=", "'", '"', "&amp;", "&quot;", "&apos;",
          "&#65;", "&#x42;", "&#xD;", "&#0;", "&#xFFFF;", "&#xD7FF;", "&#x110000;", "&#x;", "&",
          "&nbsp;", ";", "]]>", "]]", "<![CDATA[", "<![CDATA[<&>]]>", "<!-- c -->", "<!--", "-->",
          "--", "<?p x?>", "<?p?>", "<?xml x?>", "?>", "<!", "text", " ", "\n", "\r\n", "\r",
          "\t", "\u00e9", "\u6c34", "\U0001f375", "\ufffe", "\ufffd", "\x01", "\x7f", "1", "-", "."]
WHOLE = ["<a>text</a>", "<b x='1' y='2'>&amp;</b>", "<c>\r\n<a/> <b> </b>\n</c>", "<d/>",
         "<e>a<![CDATA[ ]]>b<!-- x -->c</e>", "<f z=' a\tb '><?p x?>t</f>", "<g><g><g/></g></g>"]


def escaped(text):
    for plain, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"),
                          ("'", "&#39;"), ("\t", "&#x9;"), ("\n", "&#xA;"), ("\r", "&#xD;")):
        text = text.replace(plain, escape)
    return text


def dump(element):
    """As Parley keeps what it does not know."""
    attributes = "".join(f' {name}="{escaped(value)}"' for name, value in element.attrib.items())
    inside = escaped(element.text or "")
    inside += "".join(dump(child) + escaped(child.tail or "") for child in element)
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


def generated(dice):
    if dice.random() < 0.3:
        return "".join(dice.choice(PIECES) for _ in range(dice.randint(0, 8)))
    inside = [dice.choice(WHOLE) for _ in range(dice.randint(1, 3))]
    for _ in range(dice.randint(0, 2)):
        inside.insert(dice.randint(0, len(inside)), dice.choice(PIECES))
    text = "<r>" + "".join(inside) + "</r>"
    if dice.random() < 0.3:
        at = dice.randint(0, len(text))
        text = text[:at] + text[at + 1:]
    return text


def judge(count, seed):
    dice = random.Random(seed)
    for _ in range(count):
        text = generated(dice).encode()
        try:
            kept = dump(ElementTree.fromstring(text)).encode()
        except ElementTree.ParseError:
            kept = b""
        print("True" if kept else "False", text.hex(), kept.hex())


def main():
    if sys.argv[1] == "judge":
        judge(int(sys.argv[2]), int(sys.argv[3]))
        return
    for line in sys.stdin:
        element = ElementTree.fromstring(bytes.fromhex(line))
        print(ElementTree.tostring(element, encoding="utf-8", xml_declaration=True).hex())


main()
