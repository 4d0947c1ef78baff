"""JUnit XML, as CI systems read it: one case for the experiment, and one for each metric that it is judged by."""

from xml.etree import ElementTree as ET

from sluice.problems import ExitCode
from sluice.reports.numbers import interval_words, per_cent
from sluice.reports.outcome import Outcome
from sluice.results import MetricLine

_JUDGED = {"goal", "guardrail"}
_NO_XML = {number: " " for number in range(32) if number not in {9, 10, 13}}


def junit(outcome: Outcome) -> str:
    """The document."""
    cases = [_experiment(outcome), *(_metric(outcome, line) for line in outcome.lines if line.role in _JUDGED)]
    suite = ET.Element("testsuite", name=f"sluice {outcome.key}", tests=str(len(cases)))
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(kind) is not None for case in cases)))
    suite.extend(cases)
    root = ET.Element("testsuites")
    root.append(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _experiment(outcome: Outcome) -> ET.Element:
    case = ET.Element("testcase", classname="sluice", name=outcome.key)
    if outcome.exit_code != ExitCode.PASSED:
        unmeasured = outcome.exit_code in {ExitCode.NOT_MEASURED, ExitCode.WRONG_USE}
        _say(case, "error" if unmeasured else "failure", outcome.title, f"{outcome.sentence} {outcome.next_step}")
    return case


def _metric(outcome: Outcome, line: MetricLine) -> ET.Element:
    case = ET.Element("testcase", classname=f"sluice.{outcome.key}.{line.variant}", name=line.metric)
    found = f"{per_cent(line.relative)}, interval {interval_words(line)}"
    if line.verdict == "fail":
        _say(case, "failure", "fail", found)
    elif line.verdict != "pass":
        _say(case, "skipped", "", f"not enough data to say: {found}")
    return case


def _say(case: ET.Element, kind: str, title: str, text: str) -> None:
    said = ET.SubElement(case, kind, message=text.strip().translate(_NO_XML))
    if title:
        said.set("type", title)
