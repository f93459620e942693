"""Findings for machines: JSON, annotations on GitHub, SARIF."""

from __future__ import annotations

import json
import re

import pytest

from graphbuild import formats
from graphbuild.elaborate import elaborate_with_findings
from graphbuild.errors import Finding, SpecError
from graphbuild.read import read_text

SPEC = """\
graphbuild: 1
name: net
inputs: {image: [N, 3, H=32, W=32]}
nodes:
  a: {op: Conv2d, out_channels: 8, kernel_size: 1}
  b: {op: Conv2d, out_channels: 9, kernel_size: 1, from: image}
  s: {op: add, from: [a, b]}
  unused: {op: ReLU, from: image}
outputs: s
"""


def findings(text: str, name: str = "net.yaml") -> list[Finding]:
    try:
        return list(elaborate_with_findings(read_text(text, name))[1])
    except SpecError as error:
        return list(error.findings)


def test_json_tells_places_and_notes() -> None:
    (found,) = json.loads(formats.to_json(findings(SPEC)))
    assert (found["code"], found["severity"], found["file"]) == ("E204", "error", "net.yaml")
    assert [found[k] for k in ("line", "column", "end_line", "end_column")] == [7, 3, 7, 4]
    assert [note["line"] for note in found["notes"]] == [5, 6]
    assert "out_channels" in found["suggestion"]


def test_json_has_a_warning_as_such() -> None:
    (found,) = json.loads(formats.to_json(findings(SPEC.replace("channels: 9", "channels: 8"))))
    assert (found["code"], found["severity"]) == ("W301", "warning")


def test_a_file_as_a_whole_has_no_line() -> None:
    (found,) = json.loads(formats.to_json(findings("")))
    assert found["file"] == "net.yaml"


def test_github_annotations_keep_to_one_line_each() -> None:
    text = formats.to_github(findings(SPEC, "a,b:c%.yaml"))
    (line,) = text.splitlines()
    match = re.fullmatch("::error ([^:]*)::(.*)", line)
    assert match is not None
    properties = dict(part.split("=") for part in match[1].split(","))
    assert properties["file"] == "a%2Cb%3Ac%25.yaml"
    assert (properties["line"], properties["col"], properties["endColumn"]) == ("7", "3", "3")
    assert properties["title"].startswith("E204")
    assert "%0A" in match[2]


def test_github_says_nothing_where_nothing_is_wrong() -> None:
    assert formats.to_github([]) == ""


def test_sarif_names_rules_and_regions() -> None:
    found = findings(
        SPEC + "expect: {parameters: 1}\n" + "init: [{match: nothing, weight: ones}]\n"
    )
    log = json.loads(formats.to_sarif(found))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted({finding.code for finding in found})
    for result, finding in zip(run["results"], found, strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == finding.code
        region = result["locations"][0]["physicalLocation"]["region"]
        assert finding.span is not None
        assert region["startLine"] == finding.span.line
        assert region["endColumn"] == finding.span.end_column
    related = run["results"][0]["relatedLocations"]
    assert [place["physicalLocation"]["region"]["startLine"] for place in related] == [5, 6]


@pytest.mark.parametrize("write", [formats.to_json, formats.to_sarif])
def test_what_a_spec_holds_stays_data(write) -> None:  # type: ignore[no-untyped-def]
    hostile = SPEC.replace("op: add", "op: 'ad\"d\\n</script>'")
    assert 'ad\\"d' in write(findings(hostile))
    json.loads(write(findings(hostile)))
