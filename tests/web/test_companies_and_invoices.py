"""Companies and their documents through the pages: Alice buys for Acmé, Bob is its accountant, Charlie a stranger."""

import re
import sys

import pytest
import sqlalchemy as sa

from fablab import checkup, db
from fablab.accounts.models import Company, Person
from fablab.accounts.permissions import Role
from fablab.billing import ledger
from fablab.invoicing import from_orders, issuing, queries
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document
from fablab.jobs import queries as jobs
from fablab.orders.models import Order
from tests.books import add_company, command, company_order, draft_of, made_company_order, make, open_books
from tests.people import draft_cube, order_cube, slice_job

CHOICES = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "1"}
COMPANY = {
    "name": "Acmé",
    "siret": "552 100 554 00013",
    "vat_number": "FR96552100554",
    "street": "12 quai de l’Isère",
    "postcode": "38000",
    "city": "Grenoble",
    "country": "fr",
    "contact_name": "Zoé",
    "contact_email": "compta@acme.example",
    "language": "fr",
    "payment_days": "45",
    "active": "y",
}
HOME = {"name": "Alice Martin", "street": "1 rue Haute", "postcode": "26400", "city": "Crest"}


@pytest.fixture
def acme(site):
    """Acmé with Alice and Bob; everybody but Carole is a plain member here."""
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.MEMBER
        open_books(session)
        return add_company(session, buyer=site.cast.alice, accountant=site.cast.bob)


@pytest.fixture
def invoice(site, acme):
    with db.transaction() as session:
        return issuing.issue(session, draft_of(10_000, company=acme, before_vat=True), command("one"))


def key_in(page):
    return re.search(r'name="key"[^>]*value="(\w+)"', page.text).group(1)


def test_a_company_is_added_with_its_people(site):
    carole = site.as_("carole")
    carole.get("/companies/new")
    answer = carole.post("/companies/new", **COMPANY)
    assert answer.status_code == 302
    assert "552 100" not in carole.get(answer.location).text
    joined = carole.post(f"{answer.location}/people", email="alice@example.org", role="buyer")
    assert joined.status_code == 302
    page = site.as_("alice").get(answer.location).text
    assert "55210055400013" in page
    assert "Alice" in page
    with db.reading() as session:
        company = session.scalars(sa.select(Company)).one()
    assert (company.siren, company.country, company.payment_days) == ("552100554", "FR", 45)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("siret", "55210055400014", "is not a SIRET"),
        ("siren", "732829320", "belongs to another SIREN"),
        ("vat_number", "FR00552100554", "is not a VAT number"),
        ("vat_number", "FR44732829320", "belongs to another SIREN"),
        ("contact_email", "nobody", "not an e-mail"),
        ("payment_days", "90", "60"),
        ("country", "F1", "two letters"),
        ("name", "", "required"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(site, field, value, sentence):
    answer = site.as_("carole").post("/companies/new", **{**COMPANY, field: value})
    assert answer.status_code == 422
    wrong = re.findall(r'<div class="field wrong">.*?</div>', answer.text, re.DOTALL)
    assert any(sentence in each for each in wrong), wrong
    assert "12 quai de l’Isère" in answer.text


def test_people_of_a_company_change_where_invoices_go_and_nothing_else(site, acme):
    bob = site.as_("bob")
    address = f"/companies/{acme.public_id}/change"
    assert 'name="siret"' not in bob.get(address).text
    assert bob.post(address, **{**COMPANY, "city": "Lyon", "name": "Mine now"}).status_code == 302
    with db.reading() as session:
        found = session.get(Company, acme.id)
    assert (found.city, found.name) == ("Lyon", "Acmé Mécanique SARL")


def test_orders_are_shared_within_the_company_only(site, acme):
    with db.transaction() as session:
        order = company_order(session, site.cast.alice, session.get(Company, acme.id))
        private = order_cube(session, site.cast.alice)
        draft = draft_cube(session, site.cast.alice)
    for name, status in (("alice", 200), ("bob", 200), ("charlie", 404), ("carole", 200)):
        assert site.as_(name).get(f"/orders/{order.public_id}").status_code == status, name
    for shared in (private, draft):
        assert site.as_("bob").get(f"/orders/{shared.public_id}").status_code == 404
    assert site.as_("bob").post(f"/orders/{order.public_id}/cancel").status_code == 404, "accountants only look"
    with db.transaction() as session:
        from fablab.accounts import companies

        companies.leave(session, session.get(Company, acme.id), session.get(Person, site.cast.bob.id))
    assert site.as_("bob").get(f"/orders/{order.public_id}").status_code == 404


def test_another_buyer_of_the_company_may_cancel_its_order(site, acme):
    with db.transaction() as session:
        from fablab.accounts import companies
        from fablab.accounts.models import CompanyRole

        order = company_order(session, site.cast.alice, session.get(Company, acme.id))
        companies.join(session, session.get(Company, acme.id), "bob@example.org", CompanyRole.BUYER)
    assert site.as_("bob").post(f"/orders/{order.public_id}/cancel").status_code == 302


def test_invoices_are_seen_by_the_company_and_the_bookkeeper_only(site, invoice):
    address = f"/invoices/{invoice.public_id}"
    for name, status in (("alice", 200), ("bob", 200), ("charlie", 404), ("carole", 200)):
        person = site.as_(name)
        assert person.get(address).status_code == status, name
        assert person.get(f"{address}/document.pdf").status_code == status, name
        assert (invoice.number in person.get("/invoices/").text) == (status == 200)
        if name != "carole":
            assert person.post(f"{address}/payments").status_code == 403
            assert person.get(f"{address}/credit").status_code == 403


def test_a_treasurer_keeps_the_books_and_sets_nothing_up(site, invoice):
    with db.transaction() as session:
        session.get(Person, site.cast.charlie.id).role = Role.TREASURER
    charlie = site.as_("charlie")
    assert invoice.number in charlie.get("/invoices/").text
    assert charlie.get("/setup/seller/").status_code == 403
    assert charlie.get("/board/").status_code == 403


def test_who_pays_is_chosen_with_the_order(site, acme):
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    alice, address = site.as_("alice"), f"/orders/{order.public_id}"
    choices = {**CHOICES, "payer": acme.public_id, "po_number": "BC-9"}
    page = alice.get(address, query_string=choices).text
    assert "Who pays?" in page
    assert "Price before VAT" in page
    seen = re.search(r'name="seen_cents" value="(\d+)"', page).group(1)
    assert alice.post(f"{address}/confirm", **choices, seen_cents=seen).status_code == 409, "the price seen was another"
    confirmed = alice.post(f"{address}/confirm", **choices, seen_cents=seen, seen_before_vat="y")
    assert confirmed.status_code == 302
    assert "pays on invoice" in alice.get(address).text
    with db.reading() as session:
        found = session.get(Order, order.id)
        assert (found.company_id, found.po_number, found.price_before_vat) == (acme.id, "BC-9", True)
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000


def test_a_dearer_slice_of_a_companys_order_is_confirmed_again_before_vat(site, acme):
    with db.transaction() as session:
        order = company_order(session, site.cast.alice, session.get(Company, acme.id))
        slice_job(session, jobs.of_order(session, order.id)[0], mass_g=90.0)
    alice, address = site.as_("alice"), f"/orders/{order.public_id}"
    page = alice.get(address).text
    assert "before VAT" in page
    seen = re.search(r'name="seen_cents" value="(\d+)"', page).group(1)
    assert alice.post(f"{address}/confirm-again", seen_cents=seen).status_code == 302
    with db.reading() as session:
        assert session.get(Order, order.id).price_cents == int(seen)
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000


@pytest.mark.parametrize("name", ["bob", "charlie"])
def test_only_buyers_order_for_a_company(site, acme, name):
    with db.transaction() as session:
        order = draft_cube(session, getattr(site.cast, name))
    person = site.as_(name)
    assert "Who pays?" not in person.get(f"/orders/{order.public_id}").text
    answer = person.post(f"/orders/{order.public_id}/confirm", **CHOICES, payer=acme.public_id, seen_cents="200")
    assert answer.status_code == 409
    assert "cannot order for this company" in answer.text


def test_from_good_parts_to_a_paid_invoice(site, acme):
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.VOLUNTEER
        order = made_company_order(session, site.cast, session.get(Company, acme.id), 2, "BC-9")
    carole = site.as_("carole")
    listed = carole.get("/invoices/").text
    assert "To be invoiced" in listed
    preview = carole.get(f"/invoices/company/{acme.public_id}", query_string={"po": "BC-9"})
    assert "cube.stl" in preview.text
    key = key_in(preview)
    made = [carole.post(f"/invoices/company/{acme.public_id}", po="BC-9", key=key).location for _ in range(2)]
    assert made[0] == made[1], "a double click issues one invoice"
    page = carole.get(made[0])
    assert "Due" in page.text
    gross = re.search(r'name="amount"[^>]*value="([\d.]+)"', page.text).group(1)
    payment = {"received_on": "2026-11-01", "method": "transfer", "reference": "VIR 1", "key": key_in(page)}
    for _ in range(2):
        assert carole.post(f"{made[0]}/payments", amount="1.00", **payment).status_code == 302
    page = carole.get(made[0])
    rest = re.search(r'name="amount"[^>]*value="([\d.]+)"', page.text).group(1)
    assert float(rest) == pytest.approx(float(gross) - 1)
    carole.post(f"{made[0]}/payments", **{**payment, "amount": rest, "key": key_in(page)})
    assert "Paid" in carole.get(made[0]).text
    assert carole.get("/invoices/", query_string={"state": "due"}).text.count("F-20") == 0
    assert "F-20" in site.as_("alice").get(f"/orders/{order.public_id}").text
    with db.transaction() as session:
        session.get(Person, site.cast.charlie.id).role = Role.VOLUNTEER
    printed = site.as_("charlie").get(f"/orders/{order.public_id}").text
    assert "cube.stl" in printed
    assert "F-20" not in printed, "volunteers print, others keep the books"


def test_a_payment_typed_wrong_stays_on_the_page_with_its_sentence_and_can_be_taken_back(site, invoice):
    carole, address = site.as_("carole"), f"/invoices/{invoice.public_id}"
    page = carole.get(address)
    payment = {"received_on": "2026-11-01", "method": "cash", "reference": "caisse", "key": key_in(page)}
    for amount, sentence in (
        ("12,345", "not an amount"),
        ("999999", "Only €120.00 is due"),
        ("0", "more than nothing"),
    ):
        answer = carole.post(f"{address}/payments", amount=amount, **payment)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "caisse" in answer.text
    carole.post(f"{address}/payments", amount="20", **payment)
    action = re.search(r'action="([^"]+/reverse)"', carole.get(address).text).group(1)
    assert carole.post(action).status_code == 302
    assert carole.post(action).status_code == 409
    with db.reading() as session:
        assert queries.balance_cents(session, session.get(Document, invoice.id)) == 12_000


def test_a_credit_note_shows_its_consequence_first(site, invoice):
    carole, address = site.as_("carole"), f"/invoices/{invoice.public_id}/credit"
    key = key_in(carole.get(address))
    asked = {"amount": "60", "reason": "Deux pièces rayées", "key": key}
    shown = carole.get(address, query_string=asked).text
    for text in ("€50.00", "€10.00", "Still due afterwards", "€60.00"):
        assert text in shown
    with db.reading() as session:
        assert queries.credited_cents(session, invoice.id) == 0
    notes = [carole.post(address, **asked).location for _ in range(2)]
    assert notes[0] == notes[1]
    page = carole.get(notes[0]).text
    assert "A-20" in page
    assert "Deux pièces rayées" in page
    much = carole.get(address, query_string={**asked, "amount": "60,01"})
    assert much.status_code == 422
    assert "Only €60.00" in much.text


def test_a_member_asks_for_an_invoice_of_a_paid_order_once(site, acme):
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.VOLUNTEER
        order = make(session, order_cube(session, site.cast.alice), 1, site.cast.bob)
    alice, address = site.as_("alice"), f"/invoices/order/{order.public_id}"
    assert "Ask for an invoice" in alice.get(f"/orders/{order.public_id}").text
    key = key_in(alice.get(address))
    assert alice.post(address, **{**HOME, "street": ""}, key=key).status_code == 422
    answer = alice.post(address, **HOME, key=key)
    assert answer.status_code == 302
    assert "Paid" in alice.get(answer.location).text
    pdf = alice.get(f"{answer.location}/document.pdf")
    assert pdf.data.startswith(b"%PDF")
    assert alice.get(f"{answer.location}/document.pdf").data == pdf.data
    assert "Ask for an invoice" not in alice.get(f"/orders/{order.public_id}").text
    with db.reading() as session:
        assert from_text(session.scalars(sa.select(Document)).one().payload).buyer.city == "Crest"


def test_where_pdfs_cannot_be_made_invoices_are_issued_and_printed_later(site, acme, monkeypatch):
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.VOLUNTEER
        made_company_order(session, site.cast, session.get(Company, acme.id))
    carole = site.as_("carole")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "weasyprint", None)
        issued = carole.post(f"/invoices/company/{acme.public_id}", key="12345678")
        assert issued.status_code == 302
        answer = carole.get(f"{issued.location}/document.pdf")
        assert answer.status_code == 503
        assert "libpango" in answer.text
        assert not next(each for each in checkup.run() if "libpango" in str(each.sentence)).ok
    assert carole.get(f"{issued.location}/document.pdf").status_code == 200


def test_who_sells_is_entered_by_date_in_the_browser(site):
    carole = site.as_("carole")
    assert "Nothing can be invoiced" in carole.get("/setup/seller/").text
    identity = {
        "valid_from": "2020-01-01",
        "name": "Les Ateliers",
        "legal_form": "Association loi 1901",
        "rna": "W263001234",
    }
    identity |= {"street": "2 rue du Moulin", "postcode": "26400", "city": "Crest", "siret": "73282932000074"}
    for field, value, sentence in (
        ("iban", "FR14", "not an IBAN"),
        ("rna", "W26", "not an RNA number"),
        ("siret", "73282932000075", "not a SIRET"),
    ):
        answer = carole.post("/setup/seller/identity", **{**identity, field: value})
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "Les Ateliers" in answer.text
    assert carole.post("/setup/seller/identity", **identity).status_code == 302
    regime = {"valid_from": "2020-01-01", "regime": "franchise", "operation": "goods"}
    wrong = carole.post("/setup/seller/vat", **regime, rate="20")
    assert wrong.status_code == 422
    assert "VAT that is shown" in wrong.text
    assert carole.post("/setup/seller/vat", **regime).status_code == 302
    ready = carole.get("/setup/seller/mentions/franchise")
    assert "L. 223-3 du CIBS" in ready.text
    assert carole.post("/setup/seller/mentions/franchise", valid_from="2026-09-01", text="").status_code == 422
    wording = "TVA non applicable, art. L. 223-3 du CIBS"
    assert carole.post("/setup/seller/mentions/franchise", valid_from="2026-09-01", text=wording).status_code == 302
    page = carole.get("/setup/seller/").text
    for text in ("Les Ateliers", "732829320", wording):
        assert text in page
    assert "Les Ateliers" in carole.get("/setup/").text


def test_no_route_changes_or_deletes_a_document(site):
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("invoices.")]
    posting = {rule.endpoint for rule in rules if "POST" in rule.methods}
    names = ("invoice_company", "invoice_order", "pay", "reverse", "issue_credit", "send_again")
    assert posting == {f"invoices.{name}" for name in names}
    assert not any({"PUT", "PATCH", "DELETE"} & rule.methods for rule in rules)


def test_a_company_that_is_closed_orders_no_more(site, acme):
    with db.transaction() as session:
        session.get(Company, acme.id).active = False
        order = draft_cube(session, site.cast.alice)
    alice = site.as_("alice")
    answer = alice.post(f"/orders/{order.public_id}/confirm", **CHOICES, payer=acme.public_id, seen_cents="200")
    assert answer.status_code == 409
    with db.reading() as session:
        assert from_orders.waiting(session) == []


def test_an_association_is_added_by_its_rna_number_and_chosen_on_the_order(site):
    carole = site.as_("carole")
    values = COMPANY | {
        "name": "Le Club",
        "kind": "association",
        "siren": "",
        "siret": "",
        "vat_number": "",
        "rna": "W38100012",
    }
    wrong = carole.post("/companies/new", **values)
    assert (wrong.status_code, "not an RNA number" in wrong.text, 'value="W38100012"' in wrong.text) == (
        422,
        True,
        True,
    )
    made = carole.post("/companies/new", **(values | {"rna": "W381000123"}))
    assert made.status_code == 302
    carole.post(f"{made.location}/people", email="alice@example.org", role="buyer")
    for path in (made.location, "/companies/"):
        assert "W381000123" in carole.get(path).text
    assert '<option selected value="association">' in carole.get(f"{made.location}/change").text
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    assert "Le Club, on invoice" in site.as_("alice").get(f"/orders/{order.public_id}").text
