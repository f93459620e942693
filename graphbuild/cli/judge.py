"""Verbs that judge specs: check them, explain what is wrong, lay them out, help editors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from graphbuild import console, files
from graphbuild.cli.app import SPEC, Params, Plugins, app, elaborate, several, status
from graphbuild.errors import Finding, SpecError

Format = Literal["text", "json", "github", "sarif"]


@app.command()
def check(
    specs: Annotated[list[str], SPEC],
    format: Annotated[
        Format, typer.Option("--format", help="github annotates a pull request.")
    ] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    set_: Params = None,
    plugin: Plugins = None,
) -> None:
    """Tell what is wrong with specs.

    Checks every op, argument, reference and shape, and what the spec expects of itself. Exits
    with 1 if a spec has errors; warnings alone are fine, unless --strict says otherwise.

    \b
    Examples:
      graphbuild check specs/*.yaml
      graphbuild check densenet121 --set growth_rate=24
      graphbuild check net.yaml --format json
    """
    from graphbuild import formats

    every: list[Finding] = []
    told: set[object] = set()  # what is wrong with a spec is wrong with all that it is a part of
    for name in specs:
        found = elaborate(name, set_)[1]
        fresh = [f for f in found if (f.code, f.span or f.message) not in told]
        told.update((f.code, f.span or f.message) for f in fresh)
        every += fresh
        if format == "text":
            console.findings(fresh)
            console.say(f"{name}: {_verdict(found, strict)}")
    if format != "text":
        write = {"json": formats.to_json, "github": formats.to_github, "sarif": formats.to_sarif}
        sys.stdout.write(write[format](every, strict))
    raise typer.Exit(status(every) or int(strict and bool(every)))


def _verdict(found: list[Finding], strict: bool) -> str:
    errors = sum(finding.is_error for finding in found)
    warnings = len(found) - errors
    told = [several(errors, "error", "errors")] if errors else []
    told += [several(warnings, "warning", "warnings")] if warnings else []
    fine = not errors and not (strict and warnings)
    return ", ".join(["ok"] * fine + told)


@app.command()
def fmt(
    specs: Annotated[list[str], SPEC],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a file would change.")
    ] = False,
) -> None:
    """Lay specs out alike.

    Comments, blank lines and the order of keys stay; spacing, quotes and lines that are too long
    change. With - in place of a file, what stdin holds goes to stdout.

    \b
    Examples:
      graphbuild fmt specs/*.yaml
      graphbuild fmt --check net.yaml
    """
    from graphbuild.fmt import format_text
    from graphbuild.read import read_file

    changed, found = 0, list[Finding]()
    for name in specs:
        if name == "-":
            sys.stdout.write(format_text(sys.stdin.read(), "<stdin>"))
            continue
        try:
            path, before = read_file(name)
            after = format_text(before, str(path))
        except SpecError as error:
            found += error.findings
            continue
        if after == before:
            continue
        changed += 1
        console.say(f"{name}: {'would change' if check else 'laid out'}")
        if not check:
            files.write(path, after)
    console.findings(found)
    raise typer.Exit(max(status(found), int(check and bool(changed))))


@app.command()
def explain(code: Annotated[str, typer.Argument(metavar="CODE", help="Such as E204.")]) -> None:
    """Explain a finding by its code.

    \b
    Example:
      graphbuild explain E204
    """
    from graphbuild.explain import page

    try:
        text = page(code)
    except LookupError as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="CODE") from None
    console.markdown(text)


@app.command()
def schema(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is stdout.")
    ] = "-",
    plugin: Plugins = None,
) -> None:
    """Print the language as a JSON Schema.

    Editors read it, and complete and check specs as they are typed: a spec that begins with the
    line that `graphbuild new` writes is enough for those that use yaml-language-server.

    \b
    Example:
      graphbuild schema -o graphbuild.schema.json
    """
    from graphbuild.schema import schema_text

    if output == "-":
        sys.stdout.write(schema_text())
    else:
        files.write(output, schema_text())


@app.command()
def new(name: Annotated[str, typer.Argument(metavar="NAME", help="Of the network.")]) -> None:
    """Write a spec to start from, and the schema for editors.

    \b
    Example:
      graphbuild new my_net
    """
    from graphbuild.schema import FILE, schema_text
    from graphbuild.starter import starter

    try:
        text = starter(name)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    path = Path(f"{name}.yaml")
    if path.exists():
        console.say(f"graphbuild: {path} is there already", error=True)
        raise typer.Exit(2)
    files.write(path, text)
    files.write(FILE, schema_text())
    console.say(f"wrote {path} and {FILE}; now try: graphbuild check {path}")
