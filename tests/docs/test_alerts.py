"""docs/practices/monitoring-elections.md: its alert rules are those that the study evaluates (issue 15)."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from simulator.report.monitoring.rules import RULES
from studies.alerts import SITUATIONS, evaluated

PAGE = (Path(__file__).parents[2] / "docs" / "practices" / "monitoring-elections.md").read_text(encoding="utf-8")


def test_the_page_has_each_rule_as_prometheus_reads_it() -> None:
    """ "alert rules, as data that we evaluate on the exported series, with the PromQL beside"."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (group,) = yaml.safe_load(block)["groups"]
    assert group["rules"] == [rule.as_prometheus() for rule in RULES]


def test_the_study_finds_what_each_situation_must_show() -> None:
    """A majority that stays down is seen by the rules about it alone; a node that is back soon calls nobody."""
    by_name = {situation.name: situation for situation in SITUATIONS}
    down = evaluated(by_name["three nodes stay down"], trials=1)
    fired = {name for name, found in down.rules.items() if found.paged}
    assert fired == {"NoLeader", "MajorityDown", "NodeDown"}
    (late,) = down.rules["MajorityDown"].late_s
    assert 180 <= late <= 195  # Three minutes, from the first scrape after the crash on.
    killed = evaluated(by_name["the leader is killed, and back after 20 s"], trials=1)
    assert killed.new_leaders == 1
    assert not any(found.paged for found in killed.rules.values())
