"""Filaments and spools as tables, and from a Spoolman: all or nothing, nothing twice, nothing that runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab import db
from fablab.errors import Invalid
from fablab.filament import exchange, products, queries, spoolman, tables_as_csv
from fablab.filament import services as filament
from fablab.filament.colour_words import PALETTE, nearest
from fablab.filament.models import Owner
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.filament.tables_as_csv import BadTable
from fablab.settings import settings
from tests.people import add_spool, small_place
from tests.spoolman import answering, spool

NEW = (
    b"maker,material,name,colour,colour_hex,left_g,lot,price_paid_eur,owner,member,shelf,own_tare_g,comment\n"
    b'Francofil,PLA,Basic,orange,#f2711c,"750,5",L1,"24,90",member,alice@example.org,A1,210,dry it\n'
    b"Francofil,PLA,Basic,orange,#f2711c,1000,L2,,,,,,\n"
)


def test_a_table_of_spools_brings_makers_filaments_and_spools_once(session):
    cast = small_place(session)
    for added in (2, 0):
        assert exchange.spools_from_csv(session, NEW, cast.carole.id) == added
    first, second = (each for each in queries.spools(session) if each.spool.colour_name == "orange")
    assert first.spool.filament_id == second.spool.filament_id
    assert (first.remaining_g, first.spool.price_cents, first.spool.tare_g) == (750.5, 2490, 210)
    assert (first.spool.owner, first.spool.owner_id) == (Owner.MEMBER, cast.alice.id)
    assert queries.movements(session, first.spool.id)[0].person_id == cast.carole.id


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_goes_out_comes_in_again_elsewhere(session, separator):
    cast = small_place(session)
    add_spool(session, colour="blue, light", mass_g=123.25)
    out = exchange.spools_as_csv(session).decode("utf-8-sig")
    assert exchange.spools_from_csv(session, out.encode(), cast.carole.id) == 0
    rows = list(csv.reader(io.StringIO(out)))
    again = io.StringIO()
    csv.writer(again, delimiter=separator).writerows([rows[0], *[["", *row[1:]] for row in rows[1:]]])
    assert exchange.spools_from_csv(session, again.getvalue().encode(), cast.carole.id) == 2
    found = [each.remaining_g for each in queries.spools(session) if each.spool.colour_name == "blue, light"]
    assert found == [123.25, 123.25]


def test_filaments_are_added_and_changed_by_a_table(session):
    small_place(session)
    products.add(session, FilamentData("PLA", "Francofil", "orange", "#f2711c", price_cents=2490))
    table = exchange.filaments_as_csv(session).decode("utf-8-sig").replace("24.90", "26,50".replace(",", "."))
    assert exchange.filaments_from_csv(session, table.encode()) == 2
    assert {each.price_cents for each in queries.filaments(session)} == {None, 2650}
    assert len(queries.filaments(session)) == 2


def test_every_bad_line_is_named_and_nothing_is_taken_over(any_place):
    with db.transaction() as session:
        cast = small_place(session)
    lines = NEW.decode().splitlines()
    bad = [
        lines[0],
        lines[1],
        lines[2].replace("PLA", "WOOD"),
        lines[2].replace("1000", "lots"),
        lines[2].replace("1000", ""),
        lines[2].replace("L2,,", "L2,,thief"),
        lines[1].replace("alice@", "zoe@"),
        lines[2].replace("#f2711c", "orange"),
    ]
    with pytest.raises(BadTable) as problem, db.transaction() as session:
        exchange.spools_from_csv(session, "\n".join(bad).encode(), cast.carole.id)
    assert [str(line).partition(":")[0] for line in problem.value.lines] == [f"Line {number}" for number in range(3, 9)]
    words = " ".join(map(str, problem.value.lines))
    for part in ("not known here", "“lots” in the column left_g", "how many grams", "“thief”", "zoe@", "like #1e88e5"):
        assert part in words
    with db.reading() as session:
        assert len(queries.spools(session)) == 1
        assert len(queries.filaments(session)) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "choose a file"),
        (b"a,b\n1,2\n", "these are missing: material, colour, colour_hex, left_g"),
        ("matière".encode("latin-1"), "not in UTF-8"),
        (b"x" * 2_000_001, "too large"),
        (b'material,colour,colour_hex,left_g\nPLA,"white,#ffffff,1\n', "not a CSV table"),
        (b"material,colour,colour_hex,left_g\n" + b"PLA,w,#ffffff,1\n" * 5001, "at most 5000 lines"),
    ],
)
def test_what_is_no_table_gets_a_sentence(session, data, words):
    small_place(session)
    with pytest.raises(Invalid, match=words):
        exchange.spools_from_csv(session, data, 1)


cells = st.text(st.characters(exclude_characters="\x00\r\n", exclude_categories=["Cs"]), max_size=12)


@given(texts=st.lists(cells, min_size=1, max_size=4))
def test_no_cell_that_goes_out_is_a_formula_and_all_come_back(texts):
    names = [f"c{number}" for number in range(len(texts))]
    out = tables_as_csv.write(names, [["x", *texts[1:]] if not texts[0].strip() else texts])
    row = list(csv.reader(io.StringIO(out.decode("utf-8-sig"))))[1]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row)
    back = tables_as_csv.read(out, [], names)[0].cells
    expected = ["x", *texts[1:]] if not texts[0].strip() else texts
    assert [back[name] for name in names] == [text.strip() for text in expected] or any(
        text.strip() != text or text.startswith("'") for text in expected
    )


def test_every_word_for_a_colour_is_the_nearest_to_itself():
    for word, (red, green, blue) in PALETTE.items():
        assert nearest(f"#{red:02x}{green:02x}{blue:02x}") == word


def fetched(content, status=200, suffix=""):
    with answering(content, status) as (address, _):
        return spoolman.fetch(address + suffix, settings().networks())


def test_spools_of_a_spoolman_are_looked_at_then_taken_and_never_doubled(session):
    cast = small_place(session)
    with answering([spool(7), spool(8, remaining_weight=1000.0, price=None), spool(9, archived=True)]) as (
        address,
        asked,
    ):
        found = spoolman.fetch(address, settings().networks())
    assert asked == ["/api/v1/spool"]
    assert [each.is_new for each in spoolman.look(session, found)] == [True, True]
    assert len(queries.spools(session)) == 1, "looking writes nothing"
    assert spoolman.take(session, found, {7}, cast.carole.id) == 1
    assert spoolman.take(session, found, {7, 8}, cast.carole.id) == 1
    assert spoolman.take(session, found, {7, 8}, cast.carole.id) == 0
    seven, eight = (each for each in queries.spools(session) if each.spool.spoolman_id)
    assert seven.spool.filament_id == eight.spool.filament_id
    kind = seven.spool.filament
    assert (kind.vendor_name, kind.name, kind.colour_name) == ("Polymaker", "PolyTerra™ Charcoal Black", "black")
    assert (kind.colour_hex, kind.density_g_cm3, kind.tare_g, kind.price_cents) == ("#1a1a1d", 1.31, 140, 2000)
    assert (seven.remaining_g, seven.spool.price_cents, seven.spool.shelf) == (499.7, 1850, "Shelf A")
    assert (seven.spool.lot, seven.spool.comment) == ("52342", "a little brittle")


def test_what_cannot_come_from_a_spoolman_says_why(session):
    cast = small_place(session)
    odd = spool(1)["filament"] | {"material": "ABS"}
    found = fetched([spool(1, filament=odd), spool(2, remaining_weight=None), spool(3, remaining_weight=0.2)])
    words = [str(each.problem) for each in spoolman.look(session, found)]
    assert words == [
        "The material “ABS” is not known here.",
        "Spoolman does not know how much is left on it.",
        "Nothing is left on it.",
    ]
    assert spoolman.take(session, found, {1, 2, 3}, cast.carole.id) == 0


def test_a_spool_of_a_spoolman_that_cannot_be_is_named_by_its_number(session):
    cast = small_place(session)
    found = fetched([spool(5, filament=spool(5)["filament"] | {"diameter": 17.5})])
    with pytest.raises(Invalid, match="Spool 5: A filament is between"):
        spoolman.take(session, found, {5}, cast.carole.id)


def test_colours_of_a_spoolman_that_are_many_or_none_get_a_word(session):
    small_place(session)
    several = spool(1)["filament"] | {"color_hex": None, "multi_color_hexes": "CD2328,2864C8"}
    none = spool(1)["filament"] | {"color_hex": None}
    clear = spool(1)["filament"] | {"color_hex": "FFFFFF80"}
    found = fetched([spool(1, filament=several), spool(2, filament=none), spool(3, filament=clear)])
    assert [each.kind.colour_name for each in found] == ["red", "natural", "white"]


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"<html>a router</html>", 200, "no Spoolman"),
        ({"message": "x"}, 200, "no Spoolman"),
        ([{"id": "seven"}], 200, "no Spoolman"),
        ([], 404, "no Spoolman"),
        (b"", 302, "no Spoolman"),
        (b"[" + b" " * 5_000_001 + b"]", 200, "too long"),
    ],
)
def test_what_is_no_spoolman_gets_a_sentence_beside_its_field(place, content, status, words):
    with pytest.raises(Invalid, match=words) as problem:
        fetched(content, status)
    assert problem.value.field == "address"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:9", "Nothing answers"),
        ("ftp://shelf", "starts with http"),
        ("http://169.254.169.254", "not in a network"),
        ("http://8.8.8.8", "not in a network"),
        ("http://user:word@10.0.0.1", "no password"),
    ],
)
def test_an_address_no_spoolman_may_have_is_refused(place, address, words):
    with pytest.raises(Invalid, match=words) as problem:
        spoolman.fetch(address, settings().networks())
    assert problem.value.field == "address"


def test_a_spool_out_of_use_is_not_brought_back_by_a_table(session):
    cast = small_place(session)
    out = exchange.spools_as_csv(session)
    filament.retire(session, cast.spool, Why(cast.bob.id, "brittle"))
    assert exchange.spools_from_csv(session, out, cast.carole.id) == 0


def test_a_donation_stays_one_on_the_way_out_and_in(session):
    cast = small_place(session)
    filament.change(session, cast.spool, SpoolData(owner=Owner.DONATION))
    out = exchange.spools_as_csv(session).decode("utf-8-sig").replace(cast.spool.public_id, "label-from-there")
    assert exchange.spools_from_csv(session, out.encode(), cast.carole.id) == 1
    assert queries.by_public_id(session, "label-from-there").owner == Owner.DONATION
