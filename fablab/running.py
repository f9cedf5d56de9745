"""`fablab up`: prepare the data folder, start every process, say where it is, and end with all of them."""

from __future__ import annotations

import sys

import click

from fablab import bus, db, demonstration, embedded, migrating
from fablab.accounts import queries, services
from fablab.accounts.permissions import Role
from fablab.embedded import Program, Supervisor
from fablab.errors import Problem
from fablab.printers import virtual
from fablab.settings import settings
from fablab.words import say

VirtualPrinter = tuple[Program, str, str]


def up(*, demo: bool, printers: list[VirtualPrinter], host: str, port: int) -> None:
    """Run the whole system until a signal comes. Raises `Problem` in words when it cannot."""
    holding = embedded.lock(settings().data_dir)
    migrating.migrate()
    if demo:
        with bus.using(bus.SilentTransport()):
            demonstration.fill()
            demonstration.add_octoprints([(program.name, address, key) for program, address, key in printers])
    else:
        _first_administrator()
    db.forget_engine()
    supervisor = Supervisor(_programs([program for program, _, _ in printers], host, port))
    supervisor.stop_on_signals()
    try:
        supervisor.start()
        _say_where(host, port, demo=demo)
        supervisor.watch()
    finally:
        click.echo("Stopping …")
        supervisor.stop()
        holding.close()


def _programs(printers: list[Program], host: str, port: int) -> list[Program]:
    broker = [] if settings().redis_url else [embedded.redis_program()]
    return [
        *broker,
        *printers,
        *embedded.worker_programs(),
        embedded.ticker_program(),
        embedded.watcher_program(),
        embedded.web_program(host, port),
    ]


def virtual_printers(count: int, first_port: int) -> list[VirtualPrinter]:
    """Return real OctoPrint servers with virtual printers: each program, its address and its key."""
    if not count:
        return []
    executable = virtual.find_octoprint()
    if executable is None:
        raise Problem(
            say("OctoPrint is not installed here: “make octoprint” installs it in an environment of its own.")
        )
    servers = []
    for number in range(count):
        port, name = first_port + number, f"octoprint-{number + 1}"
        folder = settings().data_dir.absolute() / "octoprint" / name
        key = virtual.write_base_folder(folder, port, fast=True)
        program = Program(name, virtual.command(executable, folder, port), folder=folder, stop_within_s=10)
        servers.append((program, f"http://127.0.0.1:{port}", key))
    return servers


def _first_administrator() -> None:
    with db.reading() as session:
        if queries.has_administrator(session):
            return
    if not sys.stdin.isatty():
        raise Problem(say("Nobody can set this place up yet: run “fablab administrator” first."))
    click.echo("Nobody can set this place up yet. Who is the first administrator?")
    name, email = click.prompt("Name"), click.prompt("E-mail")
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with db.transaction() as session:
        services.register(session, name, email, password, Role.ADMINISTRATOR)


def _say_where(host: str, port: int, *, demo: bool) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    click.echo(f"\n  Fablab is running: http://{shown}:{port}/\n")
    if demo:
        click.echo("  Demo sign-ins, all with the password " + demonstration.PASSWORD)
        for person in demonstration.SIGN_INS:
            click.echo(f"    {person.email:<24} {person.role.value}")
        click.echo(f"\n  Sample parts to drop: {demonstration.samples_folder()}")
    click.echo(f"  Data: {settings().data_dir.absolute()}    Ctrl-C stops everything.\n")
