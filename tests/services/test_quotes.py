"""Quotes, on both databases: a price on paper that binds, answered once, and the order it becomes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from fablab import db
from fablab.accounts import addresses, companies
from fablab.accounts.addresses import AddressData
from fablab.billing import ledger, offering, payers, reviewing, tariffs
from fablab.billing import services as billing
from fablab.billing.models import Group
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import Rules
from fablab.billing.seller import today
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.invoicing import chain, deposits, from_orders, verifying
from fablab.invoicing.models import Document
from fablab.invoicing.models import Kind as Paper
from fablab.jobs import queries as jobs
from fablab.notices import queries as notice_queries
from fablab.notices.kinds import Kind
from fablab.notices.models import Mail
from fablab.orders import lines, review
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import Verdict
from fablab.quotes import answering, content, ending, issuing, links, queries
from fablab.quotes.answering import Signature
from fablab.quotes.models import Quote, QuoteAnswer, QuoteLink, Standing
from tests.books import FRANCHISE, business, command, open_books
from tests.conftest import environment
from tests.people import draft_cube, slice_job, small_place, wanted
from tests.quoting import quoted, rules
from tests.services.test_orders_of_several_parts import print_next, three_cubes


def offered(session):
    """Alice's company has a quote for three parts."""
    cast, company = business(session)
    order = three_cubes(session, cast.alice)
    review.set_rules(session, rules())
    return cast, company, order, quoted(session, order, cast.alice, company)


def by(person):
    return Signature(person.name, person)


def today_of(session, quote):
    return queries.standing(session, quote, today(utcnow()))


def test_a_quote_says_what_the_order_will_cost_and_nothing_is_made_yet(session):
    _, company, order, quote = offered(session)
    said = content.from_text(quote.payload)
    assert order.state == OrderState.OFFERED
    assert (quote.number, quote.version) == (f"D-{quote.year}-00001", 1)
    assert said.content.buyer.name == company.name
    assert [line.quantity for line in said.content.lines] == [1, 2, 3]
    assert said.content.net_cents == quote.cents == order.price_cents
    assert said.content.vat_cents == round(quote.cents * 0.2)
    assert said.valid_until == quote.issued_on + timedelta(days=30)
    assert content.hash_of(quote.payload) == quote.sha256
    assert jobs.of_order(session, order.id) == []


def test_accepted_it_is_an_order_at_exactly_its_price_whatever_prices_are_by_then(session):
    cast, _, order, quote = offered(session)
    tariffs.set_tariff(
        session, tariffs.TariffData("Dear", 9000, 8000, 20000, {"PLA": 90000}, group=Group.COMPANY), None
    )
    answering.accept(session, quote, by(cast.alice), "PO 7", utcnow())
    assert (order.state, order.price_cents, order.po_number) == (OrderState.ACCEPTED, quote.cents, "PO 7")
    assert order.quote_sha256 == quote.sha256
    said = content.from_text(quote.payload).content.lines
    assert [line.price_cents for line in order.lines] == [line.net_cents for line in said]
    assert [job.copies for job in jobs.of_order(session, order.id)] == [1, 2, 3]
    assert today_of(session, quote) == Standing.ACCEPTED


def test_a_dearer_slice_does_not_ask_again_for_a_price_that_was_quoted(session):
    cast, _, order, quote = offered(session)
    answering.accept(session, quote, by(cast.alice), "", utcnow())
    first, *_ = jobs.of_order(session, order.id)
    slice_job(session, first, mass_g=500)
    assert (order.state, order.price_cents) == (OrderState.ACCEPTED, quote.cents)


def test_the_invoice_of_what_was_quoted_says_the_same_amounts_to_the_cent(session):
    cast, company, order, quote = offered(session)
    answering.accept(session, quote, by(cast.alice), "", utcnow())
    for job in jobs.of_order(session, order.id):
        slice_job(session, job)
    for _ in order.lines:
        print_next(session, cast.bob)
    (invoice,) = from_orders.invoice_company(session, company, "", command("quoted"))
    assert (invoice.net_cents, invoice.vat_cents, invoice.gross_cents) == (
        quote.net_cents,
        quote.vat_cents,
        quote.gross_cents,
    )
    assert list(verifying.findings(session)) == []


def test_a_quote_names_a_private_buyer_as_their_invoices_do(session):
    cast = small_place(session)
    addresses.keep(session, cast.alice.id, AddressData("Alice Martin", "1 rue Haute", "26400", "Crest"))
    open_books(session)
    quote = quoted(session, draft_cube(session, cast.alice), cast.alice)
    buyer = content.from_text(quote.payload).content.buyer
    assert (buyer.name, buyer.street, buyer.city, buyer.email) == (
        "Alice Martin",
        "1 rue Haute",
        "Crest",
        cast.alice.email,
    )


def test_a_quote_is_answered_once(session):
    cast, _, order, quote = offered(session)
    answering.accept(session, quote, by(cast.alice), "", utcnow())
    with pytest.raises(Conflict, match="answered already: Agreed to, by Alice"):
        answering.accept(session, quote, by(cast.alice), "", utcnow())
    with pytest.raises(Conflict, match="answered already"):
        answering.refuse(session, quote, by(cast.alice), "", utcnow())
    assert len(jobs.of_order(session, order.id)) == 3


def test_of_two_who_accept_at_the_same_moment_one_is_told_that_it_was_answered(any_place):
    with db.transaction() as session:
        cast, _, order, quote = offered(session)
        link = links.send(session, quote, "Zoé", "zoe@acme.example", cast.alice, utcnow())
    together, told = threading.Barrier(2), []

    def accept(name, person, by_link):
        together.wait()
        try:
            with db.transaction() as session:
                signature = Signature(name, person, session.get(QuoteLink, by_link))
                answering.accept(session, session.get_one(Quote, quote.id), signature, "", utcnow())
        except Conflict as problem:
            told.append(problem.sentence.msgid)

    both = [("Alice", cast.alice, 0), ("Zoé", None, link.id)]
    threads = [threading.Thread(target=accept, args=each) for each in both]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with db.reading() as session:
        assert len(session.scalars(select(QuoteAnswer)).all()) == 1
        assert [job.copies for job in jobs.of_order(session, order.id)] == [1, 2, 3]
    assert told == ["This quote was answered already: {said}, by {name} on {day}."]


def test_two_quotes_written_at_the_same_moment_get_two_numbers(any_place):
    with db.transaction() as session:
        cast, company, *_ = offered(session)
        drafts = [three_cubes(session, cast.alice).id for _ in range(4)]
    together = threading.Barrier(len(drafts))

    def write(order_id):
        together.wait()
        with db.transaction() as session:
            quoted(session, session.get_one(Order, order_id), cast.alice, company)

    with ThreadPoolExecutor(len(drafts)) as pool:
        list(pool.map(write, drafts))
    with db.reading() as session:
        assert sorted(session.scalars(select(Quote.sequence))) == [1, 2, 3, 4, 5]


def test_refused_its_order_is_a_draft_and_the_next_quote_is_a_new_version_of_the_number(session):
    cast, company, order, quote = offered(session)
    answering.refuse(session, quote, by(cast.alice), "Too dear", utcnow())
    assert (order.state, order.price_cents) == (OrderState.DRAFT, None)
    lines.keep_wish(session, order, order.lines[0].id, wanted(5))
    second = quoted(session, order, cast.alice, company)
    assert (second.number, second.version, second.sequence) == (f"{quote.number}-2", 2, quote.sequence)
    assert today_of(session, quote) == Standing.REFUSED


def test_a_quote_that_is_changed_is_withdrawn_and_its_old_version_cannot_be_accepted(session):
    cast, company, order, quote = offered(session)
    answering.withdraw(session, quote, cast.alice, utcnow())
    assert today_of(session, quote) == Standing.WITHDRAWN
    second = quoted(session, order, cast.alice, company)
    with pytest.raises(Conflict, match="replaced or withdrawn"):
        answering.accept(session, quote, by(cast.alice), "", utcnow())
    answering.accept(session, second, by(cast.alice), "", utcnow())


def test_a_quote_whose_day_is_over_cannot_be_accepted_and_its_order_is_a_draft_again(session):
    cast, _, order, quote = offered(session)
    late = utcnow() + timedelta(days=32)
    with pytest.raises(Conflict, match="valid until"):
        answering.accept(session, quote, by(cast.alice), "", late)
    assert list(ending.due(session, late)) == [quote.id]
    ending.attend(session, quote.id, late)
    ending.attend(session, quote.id, late)
    assert order.state == OrderState.DRAFT
    assert list(ending.due(session, late)) == []
    assert queries.standing(session, quote, today(late)) == Standing.EXPIRED


def test_everybody_who_can_answer_is_reminded_once_before_the_end(session):
    cast, _, _, quote = offered(session)
    links.send(session, quote, "Zoé", "zoe@acme.example", cast.alice, utcnow())
    near = utcnow() + timedelta(days=27)
    assert list(ending.due(session, utcnow())) == []
    assert list(ending.due(session, near)) == [quote.id]
    ending.attend(session, quote.id, near)
    ending.attend(session, quote.id, near)
    assert list(ending.due(session, near)) == []
    written = session.scalars(select(Mail.subject).where(Mail.to_email == "zoe@acme.example")).all()
    assert len(written) == 2
    told = [each.title.msgid for each in notice_queries.newest(session, cast.alice.id)]
    assert told.count("Quote {number} ends soon") == 1


def test_a_link_opens_its_quote_and_who_has_it_can_accept(session):
    cast, _, order, quote = offered(session)
    link = links.send(session, quote, "Zoé Achats", "ZOE@acme.example", cast.alice, utcnow())
    assert links.send(session, quote, "Zoé", "zoe@acme.example", cast.alice, utcnow()) == link
    _, _, public_id, signature = links.path(link).split("/")
    assert links.opened(session, public_id, signature).quote == quote
    for wrong in ("", "0" * 40, signature[:-1] + "x", signature + "0"):
        with pytest.raises(NotFound):
            links.opened(session, public_id, wrong)
    answering.accept(session, quote, Signature("Zoé Achats", None, link), "", utcnow())
    assert order.state == OrderState.ACCEPTED
    with pytest.raises(Conflict, match="cannot be answered any more"):
        links.send(session, quote, "Max", "max@acme.example", cast.alice, utcnow())


def test_a_link_needs_a_name_and_an_address(session):
    cast, _, _, quote = offered(session)
    for name, email, field in (("", "a@b.fr", "name"), ("Zoé", "nowhere", "email")):
        with pytest.raises(Invalid) as wrong:
            links.send(session, quote, name, email, cast.alice, utcnow())
        assert wrong.value.field == field


def test_who_answers_writes_their_name(session):
    cast, _, _, quote = offered(session)
    with pytest.raises(Invalid) as wrong:
        answering.accept(session, quote, Signature(" \u200b ", cast.alice), "", utcnow())
    assert wrong.value.field == "name"


def test_a_quote_may_first_lie_on_the_desk_and_is_written_when_it_is_accepted_there(session):
    cast, company = business(session)
    review.set_rules(session, rules(company=True))
    order = three_cubes(session, cast.alice)
    assert quoted(session, order, cast.alice, company) is None
    assert (order.state, order.wants_quote) == (OrderState.IN_REVIEW, True)
    seen = order.price_cents
    reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob, issuing.write)
    quote = issuing.latest(session, order)
    assert (order.state, quote.cents) == (OrderState.OFFERED, seen)
    assert [each.kind for each in notice_queries.newest(session, cast.alice.id)] == [Kind.QUOTE]


def test_confirmed_instead_after_the_desk_asked_for_changes_no_quote_is_written(session):
    cast, company = business(session)
    review.set_rules(session, rules(company=True))
    order = three_cubes(session, cast.alice)
    quoted(session, order, cast.alice, company)
    reviewing.decide(session, order, Verdict.CHANGE, "Please turn it.", cast.bob, issuing.write)
    seen = offering.order_offer(session, order, {}).price.total_cents
    reviewing.submit(session, order, {}, seen, cast.alice, attested=True)
    reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob, issuing.write)
    assert order.state == OrderState.ACCEPTED
    assert issuing.latest(session, order) is None


def test_a_quote_of_an_order_that_was_cancelled_is_withdrawn(session):
    cast, _, order, quote = offered(session)
    billing.cancel(session, order, cast.alice)
    assert today_of(session, quote) == Standing.WITHDRAWN
    with pytest.raises(Conflict, match="replaced or withdrawn"):
        answering.accept(session, quote, by(cast.alice), "", utcnow())


def test_what_a_person_pays_from_the_wallet_is_reserved_when_they_accept(session):
    cast = small_place(session)
    open_books(session, FRANCHISE)
    review.set_rules(session, rules())
    order = draft_cube(session, cast.alice)
    lines.keep_wish(session, order, order.line.id, wanted(1))
    quote = quoted(session, order, cast.alice)
    assert quote.vat_cents == 0
    assert ledger.reserved_cents(session, order.id) == 0
    answering.accept(session, quote, by(cast.alice), "", utcnow())
    assert ledger.reserved_cents(session, order.id) == quote.cents


def test_a_deposit_that_was_agreed_on_is_invoiced_with_the_acceptance(session):
    with environment(quote_deposit_percent="30"):
        cast, _, order, quote = offered(session)
    said = content.from_text(quote.payload)
    assert said.deposit_percent == 30
    answering.accept(session, quote, by(cast.alice), "PO 7", utcnow())
    (deposit,) = session.scalars(select(Document))
    assert (deposit.kind, deposit.gross_cents) == (Paper.DEPOSIT, said.deposit_cents)
    assert deposits.room(session, order, utcnow()).rest_cents == quote.gross_cents - said.deposit_cents
    assert list(verifying.findings(session)) == []


def test_without_a_seller_no_quote_is_written(session):
    cast = small_place(session)
    order = draft_cube(session, cast.alice)
    with pytest.raises(Conflict, match="who sells"):
        quoted(session, order, cast.alice)
    assert order.state == OrderState.DRAFT


def test_the_numbers_of_quotes_are_their_own_and_leave_the_books_alone(session):
    cast, company, _, first = offered(session)
    second = quoted(session, three_cubes(session, cast.alice), cast.alice, company)
    assert (first.sequence, second.sequence) == (1, 2)
    assert chain.hold(session).length == 0
    assert list(verifying.findings(session)) == []


def test_a_quote_cannot_be_changed_or_deleted(session):
    *_, quote = offered(session)
    for statement in (update(Quote).values(cents=1), delete(Quote)):
        with pytest.raises(DatabaseError, match="only grows"), session.begin_nested():
            session.execute(statement.execution_options(synchronize_session=False))
    assert session.get_one(Quote, quote.id).cents == quote.cents


def test_only_the_company_and_the_place_see_its_quotes_and_only_buyers_answer(session):
    cast, _, _, quote = offered(session)
    assert queries.seen_by(session, cast.bob, quote.public_id) == quote
    with pytest.raises(NotFound):
        queries.seen_by(session, cast.charlie, quote.public_id)
    assert queries.may_answer(session, cast.alice, quote)
    assert not queries.may_answer(session, cast.bob, quote)
    assert [each.quote for each in queries.listed(session, cast.alice, today(utcnow()))] == [quote]
    assert queries.listed(session, cast.charlie, today(utcnow())) == []


def test_the_text_of_a_quote_comes_back_as_it_was(session):
    *_, quote = offered(session)
    said = content.from_text(quote.payload)
    assert content.to_text(said) == quote.payload
    assert content.to_text(replace(said, payment_days=None)) != quote.payload


def test_the_days_to_pay_of_a_quote_are_those_of_its_invoices(session):
    with environment(quote_deposit_percent="30"):
        cast, company, order, quote = offered(session)
        company.payment_days = 0
        answering.accept(session, quote, by(cast.alice), "", utcnow())
    for job in jobs.of_order(session, order.id):
        slice_job(session, job)
    for _ in order.lines:
        print_next(session, cast.bob)
    from_orders.invoice_company(session, company, "", command("quoted"))
    papers = session.scalars(select(Document).where(Document.kind != Paper.CREDIT_NOTE)).all()
    assert [(each.due_on - each.issued_on).days for each in papers] == [30, 30]


def test_a_quote_names_the_surcharge_of_what_is_urgent(session):
    cast, company = business(session)
    rates = tariffs.TariffData("Firms", 100, 80, 200, {"PLA": 4000}, Rules(urgent_percent=50), Group.COMPANY)
    tariffs.set_tariff(session, rates, None)
    order = three_cubes(session, cast.alice)
    payers.choose(session, order, PayerChoice(company.public_id, "", seen_before_vat=True), cast.alice)
    orders.hurry(session, order, urgent=True)
    said = content.from_text(quoted(session, order, cast.alice, company).payload).content
    assert all("au plus vite, supplément compris" in line.text for line in said.lines)


def test_who_left_a_company_answers_nothing_by_a_link_of_their_own(session):
    cast, company, order, quote = offered(session)
    link = links.send(session, quote, "Alice", "alice@private.example", cast.alice, utcnow())
    companies.leave(session, company, cast.alice)
    with pytest.raises(Conflict, match="by this link any more"):
        answering.accept(session, quote, Signature("Alice", None, link), "", utcnow())
    with pytest.raises(Conflict, match="by this link any more"):
        answering.refuse(session, quote, Signature("Alice", None, link), "", utcnow())
    with pytest.raises(Conflict, match="cannot order for this company"):
        answering.accept(session, quote, by(cast.alice), "", utcnow())
    assert order.state == OrderState.OFFERED


def test_a_company_that_may_not_order_any_more_accepts_no_quote(session):
    cast, company, order, quote = offered(session)
    company.active = False
    session.flush()
    with pytest.raises(Conflict, match="cannot order for this company"):
        answering.accept(session, quote, by(cast.alice), "", utcnow())
    assert order.state == OrderState.OFFERED


def quoted_for(session, days, order, *who):
    with environment(quote_days=str(days)):
        return quoted(session, order, *who)


def test_old_versions_do_not_keep_newer_quotes_from_ending(session, monkeypatch):
    monkeypatch.setattr(ending, "AT_ONCE", 2)
    cast, company = business(session)
    for _ in range(2):
        twice = three_cubes(session, cast.alice)
        answering.withdraw(session, quoted_for(session, 1, twice, cast.alice, company), cast.alice, utcnow())
        quoted_for(session, 90, twice, cast.alice, company)
    ended = quoted_for(session, 5, three_cubes(session, cast.alice), cast.alice, company)
    assert list(ending.due(session, utcnow() + timedelta(days=20))) == [ended.id]
