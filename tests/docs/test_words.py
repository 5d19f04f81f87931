"""One word for one thing: the words that the house has replaced stand nowhere any more (issue 12, B).

"a test looks for the left column of house.md's table in names and prose". Names are looked for in the code of the
package; words, in its docstrings and comments, and in the pages. A word that is common English, or a standard term of
the field in another sense (`one`, `found`, `streams`, `share`, `stage`), is looked for as a name only, or not at all.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "simulator").rglob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

# What must not be the name of a function, class, method, parameter, attribute or variable; what it is called instead.
NAMES = {
    r"_?(never_)?(un)?str(ike|uck)(_\w+)?": "inject, injected, not_injected",
    r"_?undo(ne|_\w+)?|Undo\w*": "repair, repaired",
    r"_?spared?|_?reprieve": "suppressed",
    r"_?luck|Luck": "fault_rng, RandomStreams",
    r"_?patient|Patient": "control, ClusterControl",
    r"_?reign(s|ing|ed|_\w+)?|Reign\w*|Backing|_?backed|Paths|_?two_way": "leadership, QuorumRule, has_quorum",
    r"_?(in_)?peace|_?settles": "stable_period, stabilization_bound",
    r"_?promises?|promised|held_to|convict\w*": "guarantee, violation",
    r"_?stands?|_?stood": "campaign, candidate",
    r"_?occasions?|Occasions?": "trigger",
    r"_?weather|_?strains?|Strain\w*": "link_degradation, slowdown",
    r"_?haunt\w*|Haunt\w*|_?victims|_?toll": "run_nemesis, affected_nodes, max_affected_nodes",
    r"_?upsets|_?impose[ds]?|_?lift(ed|s)?|Condition": "disruptions, add_rule, remove_rule, LinkRule",
    r"Reach|Where|LinkSet": "LinkSelector",
    r"_?verbs?|Verb\w*|OneKey|Choice": "fault form, keyword, tagged union",
    r"_?troubles?|_?demands|given": "error, json_schema_rules, requires",
    r"_?tell|_?told|_?story|_?lanes?|_?course": "record, format, trace_text, node_timelines",
    r"_?fact|befalls": "field, lifecycle",
    r"_?headlines?(_\w+)?": "primary",
    r"_?electorate|Elector\w*|_?directory_of_groups": "voters, configuration, groups",
    r"_?pace|_?ways|Ticks|Silence|Polls|_?woken": "election_timer, TickTimer, LastContactTimer, PollingTimer",
    r"_?least_silence": "heartbeat_timeout",
    r"_moves_on|_is_hypothetical|_is_fit|_defers_to|_leads|_leads_no_more": "house.md, section 4",
    r"_?handover|_?newcomer|_?patience": "leadership_transfer, catching_up, timeout",
    r"Machine|End|Carrier|Port|_?transmit": "HostStack, Socket, SegmentNetwork, NetworkInterface, send_packet",
    r"served_by|counted_terms|essential": "coordination_group, terms_count_rounds, single_point_of_failure",
    r"_?workbench|Workbench\w*": "testing, InteractionBench",
    r"Question|beside_\w+|Draft|Stored": "ComparisonPlan, compared_with_*, RunWriter, SavedRun",
    r"_?hits|_?tries": "successes, trials",
}
# What must stand in no docstring, comment or page, whatever it means there.
WORDS = {
    r"luck": "random streams; in prose: common random numbers",
    r"reign(s|ing|ed)?": "current leader",
    r"patient": "the cluster's control",
    r"haunt(s|ed|ing)?": "run a nemesis",
    r"convict(s|ed)?": "find a violation",
    r"befalls?": "happens to",
    r"reprieved?|spared": "suppressed",
    r"victims?": "affected nodes",
    r"upsets": "disrupts",
    r"newcomers?": "a node that joins or catches up; of people: a new reader",
    r"whoever|whomever": "the node that …",
    r"in peace": "in a stable period; in steady state",
    r"never struck": "not injected",
    r"workbench": "interaction bench",
}
# By file below the root: words that stand there for a reason. Users have these two in their scenarios, as YAML keys.
EXCEPTIONS = {
    "simulator/algorithms/raft/config.py": frozenset({"least_silence"}),
    "simulator/scenario/faults/triggers.py": frozenset({"occasion"}),
}


def names_in(path: Path) -> Iterator[tuple[int, str]]:
    """Every name that a file defines: functions, classes, parameters, and what is assigned to."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def prose_in(path: Path) -> Iterator[tuple[int, str]]:
    """The docstrings and comments of a file of Python, line by line; all lines of a page but its code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        outside = re.sub(r"```.*?```", lambda code: "\n" * code[0].count("\n"), text, flags=re.DOTALL)
        yield from enumerate((re.sub(r"`[^`]*`", "", line) for line in outside.splitlines()), start=1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            first = node.body[0]
            for offset, line in enumerate((ast.get_docstring(node, clean=False) or "").splitlines()):
                yield first.lineno + offset, line
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def found_in(path: Path, rules: dict[str, str], texts: Iterator[tuple[int, str]], *, whole: bool) -> list[str]:
    """Where a rule is broken: file, line, word, and what to write instead."""
    allowed = EXCEPTIONS.get(path.relative_to(ROOT).as_posix(), frozenset())
    broken = []
    for line, text in texts:
        for pattern, instead in rules.items():
            match = re.fullmatch(pattern, text) if whole else re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
            if match and match[0].lower() not in allowed:
                broken.append(f"{path.relative_to(ROOT)}:{line}: {match[0]}: write {instead}")
    return broken


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_name_is_a_replaced_word(path: Path) -> None:
    """ "A name that a reader of Raft, Jepsen and SimPy would have to look up is wrong" (house.md, section 4)."""
    assert not found_in(path, NAMES, names_in(path), whole=True)


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sentence_has_a_replaced_word(path: Path) -> None:
    """The same for prose: docstrings, comments and pages (house.md, sections 4 and 5)."""
    assert not found_in(path, WORDS, prose_in(path), whole=False)


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    """A search that finds nothing anywhere would pass."""
    module = ROOT / "simulator" / "no_such_module.py"
    source = tmp_path / "x.py"
    source.write_text('"""The reigning leader."""\n\n\ndef strike(patient):  # With luck.\n    patient.upsets = 1\n')
    names = found_in(module, NAMES, names_in(source), whole=True)
    assert [line.split(": ")[1] for line in names] == ["strike", "patient", "upsets"]
    assert len(found_in(module, WORDS, prose_in(source), whole=False)) == 2
