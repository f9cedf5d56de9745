"""The command line: `fablab up` runs everything, the rest are the handles of scripts and of services."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from fablab import __version__
from fablab.errors import Problem
from fablab.settings import settings

Command = TypeVar("Command", bound=Callable[..., Any])


def in_words(command: Command) -> Command:
    """Show a problem as one sentence and leave with 2, never with a traceback."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Problem as problem:
            click.echo(str(problem), err=True)
            sys.exit(2)

    return guarded  # type: ignore[return-value]


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Run a fablab's 3D printers: from an STL in the browser to a signed-off, paid print."""
    logging.basicConfig(
        level=settings().log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _set(name: str, value: Any) -> None:
    """Set a setting for this process and all it starts."""
    if value is not None:
        os.environ[f"FABLAB_{name.upper()}"] = str(value)
        settings.cache_clear()


@main.command()
@click.option("--demo", is_flag=True, help="Fill an empty data folder with demo people, printers and filament.")
@click.option("--octoprint", default=0, show_default=True, help="Real OctoPrint servers with virtual printers (demo).")
@click.option("--octoprint-port", default=5101, show_default=True, help="Port of the first of them.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data folder; FABLAB_DATA_DIR otherwise.")
@in_words
def up(demo: bool, octoprint: int, octoprint_port: int, host: str, port: int, data_dir: Path | None) -> None:
    """Run everything: web server, workers, ticker and broker, as one process tree that ends with this command."""
    from fablab import running

    _set("data_dir", data_dir.absolute() if data_dir else settings().data_dir.absolute())
    if demo:
        _set("demo", value=True)
    printers = running.virtual_printers(octoprint, octoprint_port)
    running.up(demo=demo, printers=printers, host=host, port=port)


@main.command()
@in_words
def demo() -> None:
    """Fill an empty data folder with demo people, printers, filament and history."""
    from fablab import bus, demonstration, migrating

    migrating.migrate()
    with bus.using(bus.SilentTransport()):
        demonstration.fill()
    click.echo("The demo people, printers and filament are there.")


@main.command()
@in_words
def migrate() -> None:
    """Create or update the tables of the database."""
    from fablab import migrating

    migrating.migrate()
    click.echo("The database is up to date.")


@main.command()
@click.option("--name", prompt=True)
@click.option("--email", prompt=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
@in_words
def administrator(name: str, email: str, password: str) -> None:
    """Make an account that may set the place up."""
    from fablab import db
    from fablab.accounts import services
    from fablab.accounts.permissions import Role

    with db.transaction() as session:
        services.register(session, name, email, password, Role.ADMINISTRATOR)
    click.echo(f"{email} may sign in now.")


@main.command()
@in_words
def doctor() -> None:
    """Check database, broker, slicer, printers, disk and clock: one sentence each."""
    from fablab import checkup

    findings = checkup.run()
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'wrong'}  {finding.sentence}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@main.group()
def billing() -> None:
    """Look after the books."""


@billing.command()
@in_words
def verify() -> None:
    """Check every document with its number, chain and bookings, and every closing; exit with 1 if one is not right."""
    from fablab import db, migrating
    from fablab.bookkeeping import checking
    from fablab.invoicing import verifying

    migrating.must_be_up_to_date()
    with db.snapshot() as session:
        documents, bookings = verifying.counted(session)
        found = list(checking.everything(session))
    for finding in found:
        click.echo(str(finding), err=True)
    if found:
        sys.exit(1)
    click.echo(f"{documents} documents and {bookings} bookings are as they were written.")


@billing.command(name="close")
@click.argument("period")
@in_words
def close_period(period: str) -> None:
    """Close PERIOD (2026-11-24, 2026-11 or 2026) with all that is still open before it, and write each digest."""
    from fablab import bus, db
    from fablab.bookkeeping import closings, periods

    wanted = periods.read_period(period)
    with bus.using(bus.SilentTransport()), db.transaction() as session:
        made = closings.close(session, wanted.span, wanted.first_on, closings.Closer(None, db.utcnow()))
    for each in made:
        click.echo(f"{periods.name(each.span, each.first_on):<10} {each.hash}")
    if not made:
        click.echo(f"{period} was closed already, or nothing was ever booked.")


@billing.command()
@click.argument("year", type=click.IntRange(2000, 9000))
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path())
@in_words
def fec(year: int, folder: Path) -> None:
    """Write the journals of YEAR in FEC format and their description into a folder, as the law names the files."""
    from fablab import db
    from fablab.bookkeeping import fec as journals
    from fablab.bookkeeping import fec_package

    with db.snapshot() as session:
        made, warned = fec_package.files(session, year), journals.warning(session, year)
    for each in made:
        (folder / each.name).write_bytes(each.content)
        click.echo(str(folder / each.name))
    if warned:
        click.echo(str(warned), err=True)


@billing.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--before",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file of the year before: its closing balances have to be the opening of FILE.",
)
@in_words
def check_fec(file: Path, before: Path | None) -> None:
    """Check FILE (.txt or .zip) against the FEC format, whoever wrote it; leave with 1 when something is not right."""
    from fablab.bookkeeping import fec_handed

    files = fec_handed.read(file)
    found = list(fec_handed.findings(files, fec_handed.read(before) if before else None))
    for finding in [*found, *fec_handed.warnings(files)]:
        click.echo(str(finding), err=True)
    if found:
        sys.exit(1)
    click.echo(f"{file.name} is in FEC format.")


@billing.command()
@click.argument("year", type=click.IntRange(2000, 9000))
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path())
@in_words
def archive(year: int, folder: Path) -> None:
    """Write all that was issued, booked and closed in YEAR into one file, and its digest on the screen.

    The year has to be closed. It is archived once, with a record of it; asked again, the same file is written.
    """
    from fablab import bus, db
    from fablab.bookkeeping import archiving
    from fablab.bookkeeping.closings import Closer
    from fablab.web import papers

    with bus.using(bus.SilentTransport()):
        made = papers.archive_of(year, Closer(None, db.utcnow()))
    target = folder / archiving.name_of(made)
    target.write_bytes(archiving.content_of(made))
    click.echo(f"{made.sha256}  {target}")


@billing.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--digest", help="The SHA-256 that was written down when the archive was made.")
def check_archive(file: Path, digest: str | None) -> None:
    """Check FILE, the archive of a year, without a database; leave with 1 and name the first wrong member."""
    from fablab.bookkeeping import archive_checking
    from fablab.bookkeeping.archive_format import digest as digest_of

    found = list(archive_checking.findings(file, digest))
    for finding in found:
        click.echo(str(finding), err=True)
    if found:
        sys.exit(1)
    click.echo(f"{digest_of(file.read_bytes())}  {file.name} is as it was made.")


def print_options(command: Command) -> Command:
    """Add the choices of a print to a command."""
    for option in (
        click.option("--machine", help="Kind of printer (a machine profile); the first that fits otherwise."),
        click.option("--material", default="PLA", show_default=True),
        click.option("--quality", default="normal", show_default=True, help="draft, normal or fine."),
        click.option("--infill", default=20, show_default=True, help="Per cent filled inside."),
        click.option("--supports", is_flag=True, help="Print supports under overhangs."),
        click.option("--quantity", default=1, show_default=True, help="Copies."),
        click.option("--json", "as_json", is_flag=True, help="Write one JSON object."),
    ):
        command = option(command)
    return command


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@print_options
@in_words
def estimate(files: tuple[Path, ...], as_json: bool, **choices: Any) -> None:
    """Estimate mass, time and price by the default tariff; needs no database and no running service.

    Several files are laid out together: the plates they need, and what each of them takes.
    """
    from fablab import standalone

    wish = standalone.Wish(**choices)
    _show(standalone.estimate(files[0], wish) if len(files) == 1 else standalone.estimate_set(files, wish), as_json)


@main.command()
@click.option("--machine", help="One machine profile only; all of them otherwise.")
@click.option("--quality", help="One quality only; all of them otherwise.")
@in_words
def calibrate(machine: str | None, quality: str | None) -> None:
    """Slice our own reference parts with this computer's slicer and adjust the estimates to it."""
    from fablab import standalone

    for line in standalone.calibrate(machine, quality, lambda text: click.echo(text, err=True)):
        click.echo(line)


@main.command(name="slice")
@click.argument("file", type=click.Path(path_type=Path))
@print_options
@click.option("--output", type=click.Path(path_type=Path), help="Where to write the G-code.")
@in_words
def slice_(file: Path, as_json: bool, output: Path | None, **choices: Any) -> None:
    """Slice FILE with PrusaSlicer and read time and filament from the G-code; copies go on one plate."""
    from fablab import standalone

    _show(standalone.slice_file(file, standalone.Wish(**choices), output), as_json)


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:>14}  {value}")


@main.command()
@click.option("--host", default="0.0.0.0", show_default=True)  # noqa: S104 - in a container of its own
@click.option("--port", default=8000, show_default=True)
def web(host: str, port: int) -> None:
    """Run the web server alone (services, containers)."""
    from fablab.embedded import web_program

    command = list(web_program(host, port).command)
    os.execv(command[0], command)


@main.command()
@click.option("--queues", default="printing,slicing", show_default=True)
@click.option("--concurrency", default=2, show_default=True)
def worker(queues: str, concurrency: int) -> None:
    """Run a Celery worker alone (services, containers)."""
    command = [sys.executable, "-m", "celery", "-A", "workers.tasks", "worker", "--without-gossip", "--without-mingle"]
    command += ["-Q", queues, "-c", str(concurrency), "--loglevel", settings().log_level]
    os.execv(command[0], command)


@main.command()
def ticker() -> None:
    """Run the ticker alone (services, containers); any number may run."""
    from workers import ticker as clock

    clock.run()


@main.command()
def watcher() -> None:
    """Run the watcher alone (services, containers); a second one waits for the first to end."""
    from workers import watcher as eyes

    eyes.run()


if __name__ == "__main__":
    main()
