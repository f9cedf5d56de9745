"""What must hold over the whole code: documents, migrations, tasks, translations and settings agree with it."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sqlalchemy as sa
from babel.messages.pofile import read_po

from fablab import bus, db, migrating
from fablab.settings import Settings
from fablab.tables import APPEND_ONLY

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "fablab"
FRENCH = ROOT / "fablab" / "web" / "translations" / "fr" / "LC_MESSAGES" / "messages.po"


def test_the_migrations_make_exactly_the_tables_of_the_models(any_place):
    assert migrating.differences() == []
    assert migrating.is_up_to_date()


def test_the_tables_that_only_grow_refuse_every_change(any_place):
    with db.transaction() as session:
        for table in APPEND_ONLY:
            triggers = "select count(*) from sqlite_master where type = 'trigger' and tbl_name = :t"
            if db.engine().dialect.name != "sqlite":
                triggers = "select count(*) from pg_trigger where tgrelid = cast(:t as regclass) and not tgisinternal"
            assert session.scalar(sa.text(triggers), {"t": table}) >= 1, table


def test_every_setting_is_documented_with_its_default():
    text = (ROOT / "docs" / "settings.md").read_text()
    for name in Settings.model_fields:
        assert f"`FABLAB_{name.upper()}`" in text, name
    documented = set(re.findall(r"`FABLAB_([A-Z_]+)`", text))
    known = {name.upper() for name in Settings.model_fields} | {"OCTOPRINT", "NO_SKIPS", "CORPUS"}
    assert documented <= known


def test_every_command_and_make_target_is_documented():
    from fablab.cli import main

    text = (ROOT / "README.md").read_text() + (ROOT / "docs" / "commands.md").read_text()
    for name in main.commands:
        assert f"fablab {name}" in text, name
    for target in ("make run", "make test", "make bench", "make setup", "make help"):
        assert target in text


def test_every_task_that_is_asked_for_exists_and_every_one_is_asked_for():
    from workers import tasks

    source = "\n".join(path.read_text() for folder in ("fablab", "workers") for path in (ROOT / folder).rglob("*.py"))
    asked = set(re.findall(r'bus\.ask\(\s*session,\s*"(\w+)"', source))
    there = {name for name in tasks.app.tasks if "." not in name}
    assert asked == there


def test_every_queue_has_a_worker():
    from fablab.embedded import worker_programs

    queues = {route["queue"] for route in bus.celery().conf.task_routes.values()} | {"printing"}
    served = {part for program in worker_programs() for part in program.command}
    assert queues <= served


def test_the_subjects_do_not_know_flask_or_celery():
    subjects = ("accounts", "machines", "filament", "jobs", "orders", "billing", "printers", "slicing")
    for subject in subjects:
        for path in (ROOT / "fablab" / subject).rglob("*.py"):
            assert not re.search(r"^(from|import) (flask|celery)", path.read_text(), re.MULTILINE), path


def test_services_never_commit():
    for path in (ROOT / "fablab").rglob("services.py"):
        assert ".commit(" not in path.read_text(), path


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The sentences of the code and the templates."""
    pot = tmp_path_factory.mktemp("messages") / "messages.pot"
    words = ["-k", "say", "-k", "N_", "-k", "lazy_gettext", "-k", "pgettext:1c,2"]
    command = [
        sys.executable,
        "-m",
        "babel.messages.frontend",
        "-q",
        "extract",
        "-F",
        "babel.cfg",
        "--no-location",
        *words,
    ]
    subprocess.run([*command, "-o", str(pot), "."], cwd=ROOT, check=True)
    return read_po(pot.open("rb"))


def ids(message):
    return (message.id,) if isinstance(message.id, str) else message.id


def strings(message):
    return (message.string,) if isinstance(message.string, str) else message.string


def test_every_sentence_has_its_french(extracted):
    french = {
        message.id if isinstance(message.id, str) else message.id[0]: message
        for message in read_po(FRENCH.open("rb"))
        if message.id
    }
    wanted = {ids(message)[0] for message in extracted if message.id}
    assert wanted - set(french) == set(), "run make messages, then translate"
    assert set(french) - wanted == set(), "run make messages"
    for key, message in french.items():
        assert all(strings(message)), key
        assert not message.fuzzy, key


def test_the_french_keeps_every_place_of_the_english():
    for message in read_po(FRENCH.open("rb")):
        if not message.id:
            continue
        wanted = set(re.findall(r"\{\w+\}|%\(\w+\)s", "".join(ids(message))))
        for string in strings(message):
            assert set(re.findall(r"\{\w+\}|%\(\w+\)s", string)) == wanted, message.id


BREAKS = re.compile(r"« | »| [:;!?](?!\S)|(?<=[0-9}]) €| %(?![(a-z])|(?<=[^\W\d])'(?=\w)")


def test_the_french_keeps_its_signs_together_and_has_one_apostrophe():
    found = [string for message in read_po(FRENCH.open("rb")) if message.id for string in strings(message)]
    assert [string for string in found if BREAKS.search(string)] == []


ALLOWED = {"English", "Français", "Fablab", "OctoPrint"}


class Bare(HTMLParser):
    """Collects the text that stands in a template itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.quiet = 0

    def handle_starttag(self, tag, attrs):
        self.quiet += tag in ("code", "style", "script")
        for name, value in attrs:
            if name in ("title", "placeholder", "aria-label", "alt") and re.search(r"[A-Za-zÀ-ÿ]{3,}", value or ""):
                self.found.append(value)

    def handle_endtag(self, tag):
        self.quiet -= tag in ("code", "style", "script")

    def handle_data(self, data):
        if not self.quiet:
            self.found += [word for word in re.findall(r"[A-Za-zÀ-ÿ]{3,}", data) if word not in ALLOWED]


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.rglob("templates/**/*.html")), ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_no_word_stands_in_a_template_untranslated(path):
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    bare = Bare()
    bare.feed(text)
    assert bare.found == []


def test_no_file_names_a_registry_or_an_address_to_fetch_from():
    for path in [*ROOT.glob("requirements/*"), ROOT / "frontend" / "package-lock.json"]:
        assert not re.search(
            r"https?://(?!opencollective|github|spdx|tidelift|www\.patreon|paypal|feross)", path.read_text()
        ), path
        assert "resolved" not in path.read_text(), path


def test_the_vendored_files_are_the_ones_that_are_recorded():
    import hashlib

    vendor = ROOT / "fablab" / "web" / "static" / "vendor"
    rows = re.findall(
        r"^\| (\S+\.js) \| (\S+) \| \S+ \| \S+ \| ([0-9a-f]{64}) \|$",
        (vendor / "VERSIONS.md").read_text(),
        re.MULTILINE,
    )
    assert {name for name, _, _ in rows} == {path.name for path in vendor.glob("*.js")}
    for name, library, digest in rows:
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
        assert (vendor / f"LICENSE-{library}.txt").exists()
