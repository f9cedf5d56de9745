"""Associations that pay on invoice: known by a SIRET, an RNA number or neither, and ordered for by their people."""

from dataclasses import replace

import pytest

from fablab.accounts import companies
from fablab.accounts.models import CompanyKind, CompanyRole
from fablab.errors import Invalid
from fablab.invoicing import from_orders
from fablab.invoicing.content import from_text
from tests.books import ACME, ACME_CONTACT, business, command, company_order, make

CLUB = companies.Identity("Les Petits Débrouillards", "", "", "", 30, kind=CompanyKind.ASSOCIATION, rna="w 381 000 123")


def test_an_association_is_known_by_its_rna_number_and_needs_no_other(session):
    club = companies.add(session, CLUB, ACME_CONTACT)
    assert (club.rna, club.siren, club.siret) == ("W381000123", "", "")
    session.refresh(club)
    assert club.kind == CompanyKind.ASSOCIATION
    both = replace(CLUB, name="Foyer rural", siret="73282932000074", rna="")
    assert companies.add(session, both, ACME_CONTACT).siren == "732829320"
    assert companies.add(session, replace(CLUB, name="Club sans numéro", rna=""), ACME_CONTACT).rna == ""


@pytest.mark.parametrize("rna", ["381000123", "W38100012", "W3810001234", "W38100012A", "X381000123", "W381 000-12é"])
def test_what_is_no_rna_number_is_said_beside_its_field(session, rna):
    with pytest.raises(Invalid, match="not an RNA number") as raised:
        companies.add(session, replace(CLUB, rna=rna), ACME_CONTACT)
    assert raised.value.field == "rna"


def test_a_company_has_none_and_no_two_have_the_same(session):
    with pytest.raises(Invalid, match="Only an association") as raised:
        companies.add(session, replace(ACME, rna="W381000123"), ACME_CONTACT)
    assert raised.value.field == "rna"
    club = companies.add(session, CLUB, ACME_CONTACT)
    companies.change(session, club, replace(CLUB, payment_days=10), ACME_CONTACT)
    with pytest.raises(Invalid, match="has this number already"):
        companies.add(session, replace(CLUB, name="Another"), ACME_CONTACT)


def test_its_people_order_for_it_and_its_invoice_names_its_number(session):
    cast, _ = business(session)
    club = companies.add(session, CLUB, ACME_CONTACT)
    companies.join(session, club, cast.charlie.email, CompanyRole.BUYER)
    make(session, company_order(session, cast.charlie, club), 1, cast.bob)
    (invoice,) = from_orders.invoice_company(session, club, "", command("one"))
    buyer = from_text(invoice.payload).buyer
    assert (buyer.name, buyer.rna, buyer.is_company) == (CLUB.name, "W381000123", True)
