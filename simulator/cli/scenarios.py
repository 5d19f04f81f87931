"""`electsim validate`, `scenarios` and `schema`: scenario files, before anything is run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simulator.cli.common import ALLOW_FILES, EXIT_BAD_INPUT, SCENARIOS, advise
from simulator.cli.printing import print_json, print_note, print_table, print_text


@click.command()
@SCENARIOS
@ALLOW_FILES
def validate(files: tuple[Path, ...], allow_files: tuple[Path, ...]) -> None:
    """Check scenario files, and say file, line, field, value and remedy of each mistake.

    \b
      electsim validate scenarios/*.yaml

    Exits with 2 if any file is wrong.
    """
    from simulator.scenario import ScenarioError, load

    wrong = False
    for file in files:
        try:
            scenario = load(file, allow_files=allow_files)
        except ScenarioError as error:
            wrong = True
            print_note(str(error))
        else:
            print_text(f"{file}: {scenario.name}: valid")
            advise(file, scenario)
    if wrong:
        sys.exit(EXIT_BAD_INPUT)


@click.command()
def scenarios() -> None:
    """List the scenarios that come with electsim, which `run` takes by name.

    \b
      electsim scenarios
      electsim run raft-leader-crash
    """
    from simulator.report.pages.listing import table_with
    from simulator.scenario import load
    from simulator.shipped import shipped

    table = table_with("scenario", "algorithm", "what it asks")
    for name, path in shipped().items():
        scenario = load(path)
        table.add_row(name, scenario.algorithm.registration.name, scenario.about)
    print_table(table)


@click.command()
@click.option("--markdown", is_flag=True, help="Print the reference of all fields as a page instead.")
@click.option("--study", is_flag=True, help="Print the JSON Schema of the study files of `electsim sweep` instead.")
def schema(*, markdown: bool, study: bool) -> None:
    """Print the JSON Schema of scenario files, by which editors complete and check them.

    \b
      electsim schema > scenario.schema.json
      electsim schema --study > study.schema.json
      electsim schema --markdown > docs/scenario-reference.md
    """
    from simulator.scenario import json_schema, json_schema_text

    if study:
        from simulator.experiment.sweep.study import study_schema

        print_json(study_schema())
    elif markdown:
        from simulator.report.pages.reference import reference_page

        print_text(reference_page(json_schema()), newline=False)
    else:
        print_text(json_schema_text(), newline=False)
