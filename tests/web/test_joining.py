"""Opening an account from outside: at once where no mail leaves, else by the link in the mail; with a company too."""

import re

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts import companies
from fablab.accounts.models import Company, CompanyKind, CompanyRole, Person
from fablab.billing import joining, tariffs
from fablab.billing.models import Group
from fablab.db import utcnow
from fablab.notices.models import Mail
from tests.conftest import environment
from tests.people import PASSWORD

DORA = {"name": "Dora Petit", "email": "Dora@example.org", "password": PASSWORD}
FIRM = {
    "company": "Dora Design",
    "number": "552 100 554 00013",
    "street": "1 rue Haute",
    "postcode": "26400",
    "city": "Crest",
}


@pytest.fixture
def mailing(site):
    with environment(mail_server="smtp+plain://127.0.0.1:1", sign_up_limit="1000 per hour"):
        yield site


def dora():
    with db.reading() as session:
        return session.scalar(sa.select(Person).where(Person.email == "dora@example.org"))


def mailed():
    with db.reading() as session:
        return session.scalars(sa.select(Mail.body).where(Mail.to_email == "dora@example.org")).all()


def test_where_no_mail_leaves_the_account_is_open_at_once(site):
    visitor = site.as_(None)
    assert "/sign-up" in visitor.get("/sign-in").text
    visitor.get("/sign-up")
    assert visitor.post("/sign-up", **DORA).status_code == 302
    assert visitor.get("/orders/").status_code == 200
    with db.reading() as session:
        assert tariffs.group_of(session, dora().id) == Group.OUTSIDE


def test_who_joins_with_a_company_buys_for_it(site):
    visitor = site.as_(None)
    assert visitor.post("/sign-up", **DORA, **FIRM).status_code == 302
    with db.reading() as session:
        company = session.scalars(sa.select(Company)).one()
        assert (company.name, company.siren, company.contact_email) == ("Dora Design", "552100554", "dora@example.org")
        assert [each.role for each in companies.people_of(session, company.id)] == [CompanyRole.BUYER]


def test_an_association_without_a_siret_joins_with_its_rna_number(site):
    club = {**FIRM, "company": "Club de Crest", "number": "w263001234"}
    assert site.as_(None).post("/sign-up", **DORA, **club).status_code == 302
    with db.reading() as session:
        company = session.scalars(sa.select(Company)).one()
        assert (company.kind, company.rna, company.siret) == (CompanyKind.ASSOCIATION, "W263001234", "")
    again = site.as_(None).post("/sign-up", **{**DORA, "email": "eve@example.org"}, **club)
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"number": "55210055400012"}, "SIRET"),
        ({"number": ""}, "entreprise"),
        ({"number": "W12"}, "RNA"),
        ({"city": ""}, "entreprise"),
        ({"password": "short"}, "8"),
        ({"email": "nowhere"}, "e-mail"),
        ({"vat_number": "FR00000000000"}, "TVA"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(mailing, changed, told):
    visitor = mailing.as_(None)
    answer = visitor.post("/sign-up", **{**DORA, **FIRM, **changed})
    assert answer.status_code == 422
    (error,) = re.findall(r'class="error"[^>]*>([^<]*)<', answer.text)
    assert told in error
    assert "Dora Petit" in answer.text
    assert dora() is None
    assert mailed() == []


def test_where_mail_leaves_the_link_in_it_opens_the_account_once(mailing):
    visitor = mailing.as_(None)
    assert visitor.post("/sign-up", **DORA, **FIRM).status_code == 200
    assert dora() is None
    (body,) = mailed()
    assert PASSWORD not in body
    path = re.search(r"(/sign-up/[\w=-]+)", body).group(1)
    assert "Dora Design" in visitor.get(path).text
    assert dora() is None
    assert visitor.post(path).status_code == 302
    assert dora() is not None
    assert visitor.get("/orders/").status_code == 200
    assert mailing.as_(None).post(path).status_code == 409
    mailing.as_("dora")


def test_a_link_that_is_changed_or_old_opens_nothing(mailing, monkeypatch):
    visitor = mailing.as_(None)
    visitor.post("/sign-up", **DORA)
    path = re.search(r"(/sign-up/[\w=-]+)", mailed()[0]).group(1)
    for wrong in ("/sign-up/x", path[:-4], path[:20] + ("A" if path[20] != "A" else "B") + path[21:]):
        assert visitor.post(wrong).status_code == 404
    with pytest.raises(Exception, match="too old"):
        joining.read(path.removeprefix("/sign-up/"), utcnow() + joining.LINK_LASTS * 2)
    assert dora() is None


def test_somebody_with_an_account_is_told_by_mail_only(mailing):
    visitor = mailing.as_(None)
    visitor.post("/sign-up", **DORA)
    path = re.search(r"(/sign-up/[\w=-]+)", mailed()[0]).group(1)
    visitor.post(path)
    stranger = mailing.as_(None)
    answer = stranger.post("/sign-up", **{**DORA, "password": "another-password"})
    assert answer.status_code == 200
    assert "déjà un compte" in mailed()[-1]


def test_a_company_that_is_known_is_not_taken_over(site):
    site.as_(None).post("/sign-up", **DORA, **FIRM)
    answer = site.as_(None).post("/sign-up", **{**DORA, "email": "eve@example.org"}, **FIRM)
    assert answer.status_code == 422
    assert "Dora Design" not in re.sub(r'value="[^"]*"', "", answer.text)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Company.id))) == 1


def test_a_place_may_open_accounts_itself(site):
    with environment(sign_up="false"):
        visitor = site.as_(None)
        assert "/sign-up" not in visitor.get("/sign-in").text
        assert visitor.get("/sign-up").status_code == 404
        assert visitor.post("/sign-up", **DORA).status_code == 404
