"""What is made of figures: tables, the chart, and the README's sections."""

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

    def test_one_round_has_no_range_and_none_a_dash(self):
        self.assertEqual(report.cell([1.25], 2), "1.25")
        self.assertEqual(report.cell([], 2), "–")

    def test_ratio_is_above_one_when_ours_is_better(self):
        rounds = [{"routevpn": {"tcp1": 6.0, "cpu1": 2.0}, "tinc": {"tcp1": 2.0, "cpu1": 8.0}}]
        self.assertEqual(report.ratios(data(rounds), "tinc", metric("tcp1")), [3.0])
        self.assertEqual(report.ratios(data(rounds), "tinc", metric("cpu1")), [4.0])

    def test_ratios_are_of_the_same_round(self):
        rounds = [{"routevpn": {"tcp1": 1.0}, "tinc": {"tcp1": 1.0}},
                  {"routevpn": {"tcp1": 9.0}, "tinc": {}},
                  {"routevpn": {}, "tinc": {"tcp1": 9.0}},
                  {"routevpn": {"tcp1": 8.0}, "tinc": {"tcp1": 2.0}}]
        self.assertEqual(report.ratios(data(rounds), "tinc", metric("tcp1")), [1.0, 4.0])

    def test_figures_have_a_row_for_what_was_measured_only(self):
        text = report.figures(data([{"routevpn": {"tcp1": 5.0}, "tinc": {}}]))
        self.assertEqual(text, "| Median (least–greatest) | routevpn | tinc |\n|---|--:|--:|\n"
                               "| TCP, 1 stream, Gbit/s | 5.00 | – |\n")

    def test_no_comparison_without_us_or_others(self):
        alone = data([{"routevpn": {"tcp1": 5.0}}], ("routevpn",))
        self.assertEqual(report.comparison(alone), "")
        without = data([{"tinc": {"tcp1": 5.0}}], ("tinc",))
        self.assertEqual(report.comparison(without), "")

    def test_section_says_conditions_failures_and_omissions(self):
        full = data([{"routevpn": {"tcp1": 5.0}, "tinc": {"tcp1": 1.0}}] * 3)
        full["faults"] = ["round 1: tinc: start: died\nof old age"]
        full["skipped"] = {"fastd": "no fastd"}
        text = report.section(full)
        for wanted in ("scripts/bench.sh", "2026-01-02", "A & B <C>", "2 cores", "Linux 6.1",
                       "3 rounds", "- tinc 1-2: about tinc\n",
                       "- fastd: not measured, no fastd\n",
                       "- round 1: tinc: start: died of old age\n"):
            self.assertIn(wanted, text)
        self.assertEqual(text, report.section(full))

    def test_impaired_section_says_how(self):
        impaired = data([{"routevpn": {"tcp1": 5.0}}])
        impaired["about"] = {**ABOUT, "impaired": True, "model": "every tenth datagram is lost"}
        self.assertIn("every tenth datagram is lost", report.section(impaired))


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
        ours, theirs = (float(bar.get("width")) for bar in self.elements("rect"))
        self.assertAlmostEqual(ours / theirs, 8.0 / 2.0, places=1)

    def test_the_greatest_fills_the_room(self):
        room = chart.PANEL - chart.NAMES - chart.FIGURES
        ours = float(self.elements("rect")[0].get("width"))
        self.assertAlmostEqual(ours, room * 8.0 / 10.0, delta=0.1)

    def test_whiskers_need_several_rounds(self):
        self.assertEqual(len(self.elements("path")), 2)
        self.assertEqual(len(self.elements("path", self.rounds[:1])), 0)

    def test_names_and_medians_are_written(self):
        words = [element.text for element in self.elements("text")]
        for wanted in ("TCP, 1 stream, Gbit/s", "more is better", "routevpn", "8.00", "2.00"):
            self.assertIn(wanted, words)

    def test_ours_stands_out(self):
        ours, theirs = (bar.get("fill") for bar in self.elements("rect"))
        self.assertNotEqual(ours, theirs)

    def test_names_cannot_break_it(self):
        peers = ("routevpn", "a<b>&\"c")
        rounds = [{name: {"tcp1": 1.0} for name in peers}]
        self.assertIn(peers[1], [element.text for element in self.elements("text", rounds, peers)])

    def test_only_what_was_measured_has_a_panel(self):
        both = [{"routevpn": {"tcp1": 1.0, "idle": 70.0}, "tinc": {"idle": 90.0}}]
        self.assertEqual(len(self.elements("rect", both)), 3)
        words = [element.text for element in self.elements("text", both)]
        self.assertNotIn("UDP of 64 bytes, thousand/s", words)

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

    def test_only_the_section_changes(self):
        self.assertEqual(readme.replace(self.text, "one", "new\n"),
                         self.text.replace("\nold\n", "\n\nnew\n\n"))

    def test_an_empty_section_is_filled(self):
        self.assertIn("<!-- measured: two -->\n\nnew\n\n<!-- end of two -->\nafter\n",
                      readme.replace(self.text, "two", "new"))

    def test_twice_is_as_once(self):
        once = readme.replace(self.text, "one", "new")
        self.assertEqual(readme.replace(once, "one", "new"), once)

    def test_nothing_in_the_body_is_special(self):
        self.assertIn("a\\1b\\g<0>", readme.replace(self.text, "one", "a\\1b\\g<0>"))

    def test_a_missing_or_doubled_section_is_refused(self):
        for text in ("", self.text.replace("<!-- end of one -->\n", ""), self.text + self.text):
            with self.assertRaises(readme.MarkerError):
                readme.replace(text, "one", "new")


if __name__ == "__main__":
    unittest.main()
