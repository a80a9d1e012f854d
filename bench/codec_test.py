"""codec.py: which rows there are, which peer is the best, and which targets stand where."""
import unittest

import codec


class Silent:
    """Keeps what would be printed."""

    def __init__(self):
        self.rows = {}

    def add(self, bench, metric, values, **fields):
        self.rows[bench, metric, fields.get("peer")] = dict(fields, values=values)


class Programs:
    """In place of a build: runs that cost what the test says."""

    def __init__(self, costs, num_bytes):
        self.versions, self.missing = {"rapidjson": "1"}, {}
        self.costs, self.bytes = costs, num_bytes

    def measure(self, _, contestant, __):
        return {"cpu_ns": self.costs[contestant], "allocations": 3, "needed_allocations": 2,
                "bytes": self.bytes}


class Options:
    runs, smoke = 5, False


def entries(bench, *contestants):
    return [{"bench": bench, "contestant": name} for name in contestants]


def rows_of(scenario, costs, num_bytes=4000):
    figures = Silent()
    codec.measure(Programs(costs, num_bytes), figures, scenario, Options)
    return figures.rows


class CodecTest(unittest.TestCase):
    def test_a_row_stands_where_there_is_an_own_contestant(self):
        found = codec.scenarios_of(entries("json.decode.order_reused", "own", "rapidjson") +
                                   entries("json.encode.args", "own", "own_hot", "rapidjson") +
                                   entries("other.encode.args", "rapidjson"))
        self.assertEqual([one.name for one in found],
                         ["codec.json.decode.order_reused", "codec.json.encode.args",
                          "codec.json.encode.args_hot"])
        self.assertEqual([one.targets["rapidjson"] for one in found], [0.30, 0.40, 0.25])
        self.assertEqual(found[2].peers, ["rapidjson"])

    def test_the_fastest_peer_is_the_best_and_its_target_is_one(self):
        [scenario] = codec.scenarios_of(
            entries("json.decode.catalogue", "own", "rapidjson", "rapidjson_sax", "simdjson"))
        rows = rows_of(scenario, {"own": 30, "rapidjson": 100, "rapidjson_sax": 50,
                                  "simdjson": 60})
        best = rows[scenario.name, "cpu_ratio_best_peer", "rapidjson_sax"]
        self.assertEqual((best["values"], best["target"]), ([0.6] * 5, 1.0))
        self.assertEqual(rows[scenario.name, "cpu_ratio", "simdjson"]["target"], 0.6)
        self.assertEqual(rows[scenario.name, "cpu_ratio", "rapidjson"]["peer_version"], "1")
        self.assertEqual(rows[scenario.name, "allocations", None]["target"], 2)

    def test_a_text_below_what_a_peer_is_meant_for_sets_no_target_but_that_of_the_best(self):
        [scenario] = codec.scenarios_of(entries("json.decode.order", "own", "simdjson"))
        rows = rows_of(scenario, {"own": 30, "simdjson": 60}, 1600)
        self.assertNotIn("target", rows[scenario.name, "cpu_ratio", "simdjson"])
        self.assertIn("2048 bytes", rows[scenario.name, "cpu_ratio", "simdjson"]["note"])
        self.assertEqual(rows[scenario.name, "cpu_ratio_best_peer", "simdjson"]["target"], 1.0)

    def test_our_own_cost_in_order_is_no_best_peer(self):
        [scenario] = codec.scenarios_of(
            entries("json.decode.reversed", "own", "own_in_order", "simdjson"))
        rows = rows_of(scenario, {"own": 30, "own_in_order": 20, "simdjson": 60})
        self.assertNotIn("target", rows[scenario.name, "cpu_ratio_best_peer", "simdjson"])
        self.assertEqual(rows[scenario.name, "cpu_ratio", "own_in_order"]["target"], 2.0)


if __name__ == "__main__":
    unittest.main()
