"""The foreign witness of form_witness_test.cc: urllib.parse of Python's standard library.

  form_witness.py read  < forms > pairs    the pairs of each line, as key=value in hexadecimals
  form_witness.py write < pairs > forms    the form of the pairs of each line, so written
"""

import sys
from urllib.parse import parse_qsl, urlencode


def main():
    for line in sys.stdin:
        line = line.rstrip("\n")
        if sys.argv[1] == "read":
            pairs = parse_qsl(line, keep_blank_values=True, errors="strict")
            print(" ".join(k.encode().hex() + "=" + v.encode().hex() for k, v in pairs))
        else:
            pairs = [pair.split("=") for pair in line.split()]
            print(urlencode([tuple(bytes.fromhex(part) for part in pair) for pair in pairs]))


main()
