"""The foreign witness of open_metrics_test.cc, written from the OpenMetrics 1.0 text, sharing no
code with the registry. It reads a scrape from stdin.

  open_metrics_witness.py grammar      check it against the ABNF and the rules about sets and types
  open_metrics_witness.py client       the same, by the parser of python3-prometheus-client
  open_metrics_witness.py timestamped  write it again, each sample with a timestamp
  open_metrics_witness.py values       write each sample as a line: name, labels sorted, value

Exit code: 0 it is OpenMetrics, 1 it is not (and why), 77 this witness is not installed.
"""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
ESCAPED = r'(?:[^"\\\n]|\\[n"\\])*'
NUMBER = r"(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[Ii]nf(?:inity)?|[nN]a[nN])"
LABELS = rf'\{{(?:{LABEL}="{ESCAPED}"(?:,{LABEL}="{ESCAPED}")*)?\}}'
SAMPLE = re.compile(rf"(?P<name>{NAME})(?P<labels>{LABELS})? (?P<value>{NUMBER})"
                    rf"(?: (?P<time>{NUMBER}))?"
                    rf"(?P<exemplar> # {LABELS} {NUMBER}(?: {NUMBER})?)?")
ONE_LABEL = re.compile(rf'({LABEL})="({ESCAPED})"')
META = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)")
SUFFIXES = {"counter": ("_total", "_created"), "gauge": ("",),
            "histogram": ("_bucket", "_count", "_sum", "_created")}


class Refused(Exception):
    pass


def demand(condition, why, line):
    if not condition:
        raise Refused(f"{why}: {line!r}")


def unescaped(text):
    return re.sub(r'\\([n"\\])', lambda m: "\n" if m[1] == "n" else m[1], text)


def labels_of(match):
    pairs = [(name, unescaped(value)) for name, value in ONE_LABEL.findall(match["labels"] or "")]
    demand(len(dict(pairs)) == len(pairs), "a label is there twice", match[0])
    return dict(pairs)


class Checker:
    """Reads line by line; keeps what the rules about a metric and about the set need."""

    def __init__(self):
        self.metrics = {}
        self.current = None
        self.samples = []
        self.seen = set()

    def read(self, text):
        demand(text.endswith("# EOF\n"), "it does not end in # EOF", text[-20:])
        for line in text[:-len("# EOF\n")].split("\n")[:-1]:
            if line.startswith("#"):
                self.meta(line)
            else:
                self.sample(line)
        for name, metric in self.metrics.items():
            if metric["TYPE"] == "histogram":
                self.histogram(name, metric["samples"])
            unit = metric.get("UNIT")
            demand(unit is None or name.endswith("_" + unit), "the name lacks its unit", name)

    def meta(self, line):
        match = META.fullmatch(line)
        demand(match, "neither a sample nor TYPE, UNIT or HELP", line)
        what, name, value = match.groups()
        if self.current != name:
            demand(name not in self.metrics, "a metric is in two places", line)
            self.metrics[name] = {"samples": []}
            self.current = name
        metric = self.metrics[name]
        demand(what not in metric and not metric["samples"], "metadata twice or too late", line)
        if what == "TYPE":
            demand(value in SUFFIXES, "an unknown type", line)
        if what == "HELP":
            demand(re.fullmatch(ESCAPED, value), "the help is not escaped", line)
        metric[what] = value

    def sample(self, line):
        match = SAMPLE.fullmatch(line)
        demand(match, "not a sample", line)
        demand(self.current, "a sample of no metric", line)
        metric = self.metrics[self.current]
        suffix = match["name"].removeprefix(self.current)
        demand(match["name"].startswith(self.current) and suffix in SUFFIXES[metric["TYPE"]],
               "not a sample of the metric above it", line)
        demand(not match["exemplar"] or suffix in ("_bucket", "_total"), "no exemplar here", line)
        if match["exemplar"]:
            size = sum(len(n) + len(unescaped(v)) for n, v in ONE_LABEL.findall(match["exemplar"]))
            demand(size <= 128, "the labels of an exemplar are too long", line)
        labels, value = labels_of(match), float(match["value"])
        key = (match["name"], tuple(sorted(labels.items())))
        demand(key not in self.seen, "a sample is there twice", line)
        self.seen.add(key)
        if metric["TYPE"] != "gauge":
            demand(value >= 0, "a counter is negative or not a number", line)
        metric["samples"].append((suffix, labels, value))
        self.samples.append((*key, value))

    @staticmethod
    def histogram(name, samples):
        series = {}
        for suffix, labels, value in samples:
            key = tuple(sorted((n, v) for n, v in labels.items() if n != "le"))
            one = series.setdefault(key, {"_bucket": []})
            if suffix == "_bucket":
                one["_bucket"].append((float(labels["le"]), value))
            else:
                one[suffix] = value
        for one in series.values():
            bounds = [bound for bound, _ in one["_bucket"]]
            counts = [count for _, count in one["_bucket"]]
            demand(bounds and bounds[-1] == float("inf"), "the last bucket is not +Inf", name)
            demand(bounds == sorted(set(bounds)), "the bounds do not ascend", name)
            demand(counts == sorted(counts), "the buckets do not add up", name)
            demand(one["_count"] == counts[-1], "_count is not the +Inf bucket", name)
            demand("_sum" in one, "there is no _sum", name)


def grammar(text):
    checker = Checker()
    checker.read(text)
    return checker


def client(text):
    try:
        from prometheus_client.openmetrics import parser
    except ImportError:
        sys.exit(77)
    try:
        for _ in parser.text_string_to_metric_families(text):
            pass
    except ValueError as error:
        raise Refused(str(error)) from error


def timestamped(text):
    for line in text.split("\n")[:-1]:
        match = SAMPLE.fullmatch(line)
        if match:
            line = (f"{match['name']}{match['labels'] or ''} {match['value']} 1700000000"
                    f"{match['exemplar'] or ''}")
        print(line)


def values(text):
    for name, labels, value in grammar(text).samples:
        shown = ",".join(f"{n}={v.encode().hex()}" for n, v in labels)
        print(f"{name} {shown or '-'} {value!r}")


def main():
    sys.stdin.reconfigure(encoding="utf-8", errors="strict", newline="\n")
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    acts = {"grammar": grammar, "client": client, "timestamped": timestamped, "values": values}
    if len(sys.argv) != 2 or sys.argv[1] not in acts:
        sys.exit(__doc__)
    try:
        acts[sys.argv[1]](sys.stdin.read())
    except (Refused, UnicodeDecodeError) as error:
        sys.exit(f"not OpenMetrics: {error}")


if __name__ == "__main__":
    main()
