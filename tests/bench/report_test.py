"""Tests of the report: tables, charts and the sections of the README files."""

import os
import tempfile
import unittest
from xml.etree import ElementTree

import chart
import readme
import report

ABOUT = {"date": "2026-01-02", "processor": "A & B <C>", "cores": 2, "kernel": "6.1", "mtu": 1415,
         "system": "Debian", "command": "scripts/bench.sh", "impaired": False, "model": "",
         "seconds": 4}
SVG = "{http://www.w3.org/2000/svg}"


def data(rounds, peers=("routevpn", "tinc")):
    return {"about": ABOUT, "skipped": {}, "faults": [], "rounds": rounds,
            "peers": {name: {"about": f"about {name}", "version": "1-2"} for name in peers}}


def metric(key):
    return next(each for each in report.METRICS if each.key == key)


class Tables(unittest.TestCase):
    def test_cell_is_median_and_range(self):
        self.assertEqual(report.cell([3.0, 1.0, 2.04], 1), "2.0 (1.0–3.0)")
        self.assertEqual(report.cell([4.0, 1.0], 2), "2.50 (1.00–4.00)")

    def test_cell_of_one_round_has_no_range_and_of_none_is_a_dash(self):
        self.assertEqual(report.cell([1.25], 2), "1.25")
        self.assertEqual(report.cell([], 2), "–")

    def test_ratio_is_above_one_when_routevpn_is_better(self):
        rounds = [{"routevpn": {"tcp1": 6.0, "cpu1": 2.0}, "tinc": {"tcp1": 2.0, "cpu1": 8.0}}]
        self.assertEqual(report.ratios(data(rounds), "tinc", metric("tcp1")), [3.0])
        self.assertEqual(report.ratios(data(rounds), "tinc", metric("cpu1")), [4.0])

    def test_ratio_compares_figures_of_the_same_round(self):
        rounds = [{"routevpn": {"tcp1": 1.0}, "tinc": {"tcp1": 1.0}},
                  {"routevpn": {"tcp1": 9.0}, "tinc": {}},
                  {"routevpn": {}, "tinc": {"tcp1": 9.0}},
                  {"routevpn": {"tcp1": 8.0}, "tinc": {"tcp1": 2.0}}]
        self.assertEqual(report.ratios(data(rounds), "tinc", metric("tcp1")), [1.0, 4.0])

    def test_figures_omit_metrics_without_values(self):
        text = report.figures(data([{"routevpn": {"tcp1": 5.0}, "tinc": {}}]))
        self.assertEqual(text, "| Median (min–max) | routevpn | tinc |\n|---|--:|--:|\n"
                               "| TCP, 1 stream, Gbit/s | 5.00 | – |\n")

    def test_no_comparison_without_routevpn_or_other_peers(self):
        alone = data([{"routevpn": {"tcp1": 5.0}}], ("routevpn",))
        self.assertEqual(report.comparison(alone), "")
        without = data([{"tinc": {"tcp1": 5.0}}], ("tinc",))
        self.assertEqual(report.comparison(without), "")

    def test_section_contains_conditions_failures_and_omissions(self):
        full = data([{"routevpn": {"tcp1": 5.0}, "tinc": {"tcp1": 1.0}}] * 3)
        full["faults"] = ["round 1: tinc: start: ended\nwith status 1"]
        full["skipped"] = {"fastd": "no fastd"}
        text = report.section(full)
        for wanted in ("scripts/bench.sh", "2026-01-02", "A & B <C>", "2 cores", "Linux 6.1",
                       "3 rounds", "- tinc 1-2: about tinc\n",
                       "- fastd: not measured, no fastd\n",
                       "- round 1: tinc: start: ended with status 1\n"):
            self.assertIn(wanted, text)
        self.assertEqual(text, report.section(full))

    def test_impaired_section_describes_the_path(self):
        impaired = data([{"routevpn": {"tcp1": 5.0}}])
        impaired["about"] = {**ABOUT, "impaired": True, "model": "10% of the datagrams are lost"}
        self.assertIn(" 10% of the datagrams are lost.", report.section(impaired))

    def test_brief_has_medians_of_its_metrics_and_the_conditions(self):
        rounds = [{"routevpn": {"tcp1": each, "rss": 6.0}, "tinc": {}} for each in (4.0, 9.0, 5.0)]
        text = report.brief(data(rounds))
        self.assertTrue(text.startswith("| Median | routevpn | tinc |\n|---|--:|--:|\n"
                                        "| TCP, 1 stream, Gbit/s | 5.00 | – |\n\n"))
        self.assertIn("3 rounds", text)


class Chart(unittest.TestCase):
    rounds = [{"routevpn": {"tcp1": 8.0}, "tinc": {"tcp1": 2.0}},
              {"routevpn": {"tcp1": 10.0}, "tinc": {"tcp1": 2.5}},
              {"routevpn": {"tcp1": 6.0}, "tinc": {"tcp1": 1.5}}]

    def elements(self, name, rounds=None, peers=("routevpn", "tinc")):
        picture = ElementTree.fromstring(chart.draw(data(rounds or self.rounds, peers)))
        return picture.findall(f".//{SVG}{name}")

    def test_same_data_same_bytes(self):
        self.assertEqual(chart.draw(data(self.rounds)), chart.draw(data(self.rounds)))

    def test_bars_are_as_long_as_medians(self):
        first, second = (float(bar.get("width")) for bar in self.elements("rect"))
        self.assertAlmostEqual(first / second, 8.0 / 2.0, places=1)

    def test_greatest_value_fills_the_width(self):
        width = chart.PANEL - chart.NAMES - chart.FIGURES
        first = float(self.elements("rect")[0].get("width"))
        self.assertAlmostEqual(first, width * 8.0 / 10.0, delta=0.1)

    def test_whiskers_need_several_rounds(self):
        self.assertEqual(len(self.elements("path")), 2)
        self.assertEqual(len(self.elements("path", self.rounds[:1])), 0)

    def test_names_and_medians_are_written(self):
        words = [element.text for element in self.elements("text")]
        for wanted in ("TCP, 1 stream, Gbit/s", "more is better", "routevpn", "8.00", "2.00"):
            self.assertIn(wanted, words)

    def test_routevpn_has_a_colour_of_its_own(self):
        first, second = (bar.get("fill") for bar in self.elements("rect"))
        self.assertNotEqual(first, second)

    def test_names_are_escaped(self):
        peers = ("routevpn", "a<b>&\"c")
        rounds = [{name: {"tcp1": 1.0} for name in peers}]
        self.assertIn(peers[1], [element.text for element in self.elements("text", rounds, peers)])

    def test_metrics_without_values_have_no_panel(self):
        both = [{"routevpn": {"tcp1": 1.0, "idle": 70.0}, "tinc": {"idle": 90.0}}]
        self.assertEqual(len(self.elements("rect", both)), 3)
        words = [element.text for element in self.elements("text", both)]
        self.assertNotIn("UDP of 64 bytes, thousand/s", words)

    def test_only_the_metrics_asked_for_have_a_panel(self):
        both = [{"routevpn": {"tcp1": 1.0, "idle": 70.0}, "tinc": {"tcp1": 2.0, "idle": 90.0}}]
        picture = ElementTree.fromstring(chart.draw(data(both), ("idle",)))
        words = [element.text for element in picture.findall(f".//{SVG}text")]
        self.assertIn("Round trip, idle, µs", words)
        self.assertNotIn("TCP, 1 stream, Gbit/s", words)

    def test_everything_lies_within_the_picture(self):
        full = [{name: {each.key: 1.0 + i for each in report.METRICS}
                 for i, name in enumerate("abcdef")}] * 2
        picture = ElementTree.fromstring(chart.draw(data(full, "abcdef")))
        width, height = float(picture.get("width")), float(picture.get("height"))
        for bar in picture.findall(f".//{SVG}rect"):
            self.assertLessEqual(float(bar.get("x")) + float(bar.get("width")), width)
            self.assertLessEqual(float(bar.get("y")) + float(bar.get("height")), height)


class Readme(unittest.TestCase):
    text = ("before\n<!-- measured: one -->\nold\n<!-- end of one -->\nbetween\n"
            "<!-- measured: two -->\n<!-- end of two -->\nafter\n")

    def test_replace_changes_only_the_section(self):
        self.assertEqual(readme.replace(self.text, "one", "new\n"),
                         self.text.replace("\nold\n", "\n\nnew\n\n"))

    def test_replace_fills_an_empty_section(self):
        self.assertIn("<!-- measured: two -->\n\nnew\n\n<!-- end of two -->\nafter\n",
                      readme.replace(self.text, "two", "new"))

    def test_replacing_twice_equals_replacing_once(self):
        once = readme.replace(self.text, "one", "new")
        self.assertEqual(readme.replace(once, "one", "new"), once)

    def test_regular_expressions_in_the_body_are_literal(self):
        self.assertIn("a\\1b\\g<0>", readme.replace(self.text, "one", "a\\1b\\g<0>"))

    def test_a_missing_or_doubled_section_is_refused(self):
        for text in ("", self.text.replace("<!-- end of one -->\n", ""), self.text + self.text):
            with self.assertRaises(readme.MarkerError):
                readme.replace(text, "one", "new")

    def run_on(self, directory, texts, words):
        """Runs readme.py on these files in the directory; its status and the new texts."""
        for name, text in texts.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        status = 0
        try:
            readme.main([word.replace("@", directory + "/") for word in words])
        except SystemExit as end:
            status = end.code
        return status, {name: readme.read(os.path.join(directory, name)) for name in texts}

    def test_each_document_gets_the_sections_after_its_name(self):
        with tempfile.TemporaryDirectory() as directory:
            status, after = self.run_on(
                directory, {"a.md": self.text, "b.md": self.text, "body": "new\n"},
                ["@a.md", "one=@body", "two=@body", "@b.md", "two=@body"])
        self.assertEqual(status, 0)
        self.assertEqual(after["a.md"].count("\nnew\n"), 2)
        self.assertEqual(after["b.md"], readme.replace(self.text, "two", "new"))

    def test_a_fault_in_one_document_changes_none(self):
        texts = {"a.md": self.text, "b.md": "no section\n", "body": "new\n"}
        with tempfile.TemporaryDirectory() as directory:
            status, after = self.run_on(directory, texts,
                                        ["@a.md", "one=@body", "@b.md", "one=@body"])
        self.assertIn("b.md: section 'one'", status)
        self.assertEqual(after, texts)


if __name__ == "__main__":
    unittest.main()
