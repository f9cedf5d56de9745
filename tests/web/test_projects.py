"""Projects in the pages: the treasurer opens one, its people order on it and read its statement, nobody else sees it."""

import re

from sqlalchemy import select

from fablab import db
from fablab.accounts.project_models import Project
from fablab.billing import ledger
from fablab.billing import projects as budgets
from fablab.jobs import queries as jobs
from fablab.orders.models import Order
from tests.books import make
from tests.people import draft_cube
from tests.web.test_member_pages import CHOICES, seen_cents

CLUB = {
    "name": "Robotics club",
    "budget": "50",
    "first_on": "2026-01-01",
    "last_on": "",
    "active": "y",
    "key": "first-form",
}


def opened(site, **changes):
    answer = site.as_("carole").post("/projects/new", **(CLUB | changes))
    assert answer.status_code == 302, answer.text
    assert site.as_("carole").post(f"{answer.location}/people", email="alice@example.org").status_code == 302
    return answer.location


def drafted(site):
    with db.transaction() as session:
        return draft_cube(session, site.cast.alice)


def test_a_project_is_chosen_on_the_order_pays_for_it_and_its_statement_says_so(site):
    project = opened(site)
    public_id = project.rsplit("/", 1)[1]
    order, alice = drafted(site), site.as_("alice")
    address = f"/orders/{order.public_id}"
    assert "Project Robotics club" in alice.get(address).text
    paid_by = {**CHOICES, "payer": f"project:{public_id}"}
    price = alice.get(f"{address}/price", query_string=paid_by).text
    for text in ("budget of Robotics club", "€50.00 are left", f"payer=project:{public_id}"):
        assert text in price.replace("%3A", ":")
    assert "wallet" not in price
    page = alice.get(address, query_string=paid_by).text
    assert f'value="project:{public_id}" checked' in page
    assert alice.post(f"{address}/confirm", **paid_by, seen_cents=seen_cents(price)).status_code == 302
    assert "Paid from the budget of Robotics club" in alice.get(address).text
    with db.transaction() as session:
        make(session, session.get_one(Order, order.id), 1, site.cast.bob)
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000
    statement = alice.get(project).text
    for text in ("Used for prints", "Reserved for an order", "Budget", "cube.stl", "Alice"):
        assert text in statement
    assert "Robotics club" in alice.get("/wallet/").text
    assert "Robotics club" in alice.get("/projects/").text


def test_a_budget_that_is_too_small_is_said_before_and_at_the_confirmation(site):
    project = opened(site, budget="1")
    order, alice = drafted(site), site.as_("alice")
    address, paid_by = f"/orders/{order.public_id}", {**CHOICES, "payer": f"project:{project.rsplit('/', 1)[1]}"}
    page = alice.get(address, query_string=paid_by).text
    assert re.search(r"€1.00 left: €\d.\d\d are missing", page)
    answer = alice.post(f"{address}/confirm", **paid_by, seen_cents=seen_cents(page))
    assert (answer.status_code, "are missing in the budget" in answer.text) == (409, True)
    with db.reading() as session:
        assert jobs.of_order(session, order.id) == []


def test_nobody_else_sees_it_or_orders_on_it(site):
    project = opened(site)
    charlie, alice = site.as_("charlie"), site.as_("alice")
    assert charlie.get(project).status_code == 404
    assert "Robotics" not in charlie.get("/projects/").text
    for path in (f"{project}/change", f"{project}/people", "/projects/new"):
        assert alice.post(path, **CLUB).status_code == 403
    with db.transaction() as session:
        order = draft_cube(session, site.cast.charlie)
    paid_by = {**CHOICES, "payer": f"project:{project.rsplit('/', 1)[1]}"}
    assert "cannot order on this project" in charlie.get(f"/orders/{order.public_id}/price", query_string=paid_by).text


def test_what_is_wrong_is_said_beside_its_field_and_stays(site):
    carole = site.as_("carole")
    for changes, said in (
        ({"budget": "much"}, "is not an amount"),
        ({"budget": "-5"}, "between nothing and"),
        ({"last_on": "2025-01-01"}, "ends after it begins"),
        ({"name": ""}, "required"),
        ({"first_on": "soon"}, "Not a valid date"),
    ):
        answer = carole.post("/projects/new", **(CLUB | changes))
        assert (answer.status_code, said in answer.text) == (422, True), changes
        assert 'value="Robotics club"' in answer.text or changes.get("name") == ""
    project = opened(site)
    assert 'value="50.00"' in carole.get(f"{project}/change").text
    assert (
        carole.post(
            f"{project}/change", **(CLUB | {"budget": "20", "seen_cents": "5000", "key": "second-form"})
        ).status_code
        == 302
    )
    assert "€20.00" in carole.get(project).text
    wrong = carole.post(f"{project}/people", email="nobody@example.org")
    assert (wrong.status_code, "Nobody has an account" in wrong.text) == (422, True)
    person = re.search(r"/people/([\w-]+)/leave", carole.get(project).text)[1]
    assert carole.post(f"{project}/people/{person}/leave").status_code == 302
    assert site.as_("alice").get(project).status_code == 404


def budgets_given():
    with db.reading() as session:
        return [budgets.budget_of(session, each).given_cents for each in session.scalars(select(Project.id))]


def test_a_project_opened_by_a_double_click_is_one(site):
    for _ in range(2):
        site.as_("carole").post("/projects/new", **CLUB)
    assert budgets_given() == [5_000]
    site.as_("carole").post("/projects/new", **(CLUB | {"key": "another-form"}))
    assert budgets_given() == [5_000, 5_000]


def test_a_budget_that_was_raised_meanwhile_is_not_lowered_by_another_change(site):
    project, carole = opened(site), site.as_("carole")
    seen = {**CLUB, "seen_cents": "5000"}
    assert carole.post(f"{project}/change", **(seen | {"budget": "200", "key": "second-form"})).status_code == 302
    assert carole.post(f"{project}/change", **(seen | {"name": "Robots", "key": "third-form"})).status_code == 302
    assert budgets_given() == [20_000]
    assert "Robots" in carole.get(project).text
    answer = carole.post(f"{project}/change", **(seen | {"budget": "60", "key": "fourth-form"}))
    assert (answer.status_code, "The budget is €200.00 now" in answer.text) == (409, True)
    assert budgets_given() == [20_000]
