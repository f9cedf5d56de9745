"""What holds in the books after every step, whatever happened: the invariants P1 to P14, each a function of its own."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fablab.billing import aid, failures, ledger, prepaid, services, vouchers
from fablab.billing import projects as budgets
from fablab.billing.failure_models import FailedPrint, ForgivenFailure
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine, Prepaid, Regime, TariffVersion
from fablab.billing.vouchers import Voucher, VoucherUse
from fablab.bookkeeping import aided, checking, fec, journal_csv, sheets
from fablab.bookkeeping.fec_checking import findings as fec_findings
from fablab.bookkeeping.models import Closing, Span
from fablab.bookkeeping.periods import period
from fablab.bookkeeping.sales import sales
from fablab.bookkeeping.statement import from_text as closing_of
from fablab.bookkeeping.takings import takings
from fablab.bookkeeping.totals import added
from fablab.db import APPEND_ONLY
from fablab.errors import Problem
from fablab.filament.models import Movement, SpoolMovement
from fablab.invoicing import chain, facturx, from_orders, queries
from fablab.invoicing.amounts import Rounding
from fablab.invoicing.content import Content, from_text
from fablab.invoicing.models import SERIES, Document, Kind, Payment
from fablab.jobs.models import Attempt, Job, JobEvent
from fablab.jobs.signoff import Reason
from fablab.jobs.states import AttemptState
from fablab.orders.models import Order
from fablab.refunds import queries as refunds
from fablab.tables import metadata
from tests.invoicing import schematrons

CAP_CENTS = 25_000


def documents(session: Session) -> list[Document]:
    return list(session.scalars(sa.select(Document).order_by(Document.position)))


def contents(session: Session) -> list[tuple[Document, Content]]:
    return [(each, from_text(each.payload)) for each in documents(session)]


def total(session: Session, *accounts: Account) -> int:
    """What stands on accounts, as a credit."""
    query = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account.in_(accounts))
    return -(session.scalar(query) or 0)


def sign(document: Document) -> int:
    return -1 if document.kind == Kind.CREDIT_NOTE else 1


def about_kind(document: Document) -> Kind:
    """Return what kind of invoice a document is, or corrects."""
    return Kind((document.corrects or document).kind)


def p1_numbers_have_no_gap_and_days_never_go_back(session: Session) -> None:
    last: dict[tuple[str, int], int] = defaultdict(int)
    day = None
    for each in documents(session):
        place = (SERIES[Kind(each.kind)], each.issued_on.year)
        last[place] += 1
        assert each.number == chain.number_text(*place, last[place])
        assert day is None or each.issued_on >= day
        day = each.issued_on


def p2_every_booking_balances_and_all_of_them_do(session: Session) -> None:
    assert ledger.unbalanced(session) == []
    assert total(session, *Account) == 0


def p3_every_hash_is_computed_again_and_chains(session: Session) -> None:
    previous = chain.START
    for each in documents(session):
        assert each.previous_hash == previous
        assert hashlib.sha256(f"{previous}\n{each.payload}".encode()).hexdigest() == each.hash
        previous = each.hash


def p4_lines_rates_and_totals_belong_together(session: Session) -> None:
    uses = Counter(session.scalars(sa.select(VoucherUse.document_id)))
    for document, content in contents(session):
        by_rate: Counter[int] = Counter()
        for line in content.lines:
            by_rate[line.rate_bp] += line.net_cents
        assert by_rate == {each.rate_bp: each.net_cents for each in content.rates}
        assert sum(each.net_cents for each in content.rates) == content.net_cents
        assert sum(each.vat_cents for each in content.rates) == content.vat_cents
        assert content.net_cents + content.vat_cents == content.gross_cents
        in_part = document.corrects is not None and document.gross_cents < document.corrects.gross_cents
        for each in content.rates:
            rate = Fraction(each.rate_bp, 10_000)
            of_net, of_gross = each.net_cents * rate, each.gross_cents * rate / (1 + rate)
            by_rule = of_net if content.rounding == Rounding.NET_FIRST else of_gross
            # a part is what two rounded sums leave between them of a whole that was rounded
            off, most = (each.vat_cents - of_gross, 3) if in_part else (each.vat_cents - by_rule, 1)
            if in_part and document.corrects.kind == Kind.VOUCHER:  # and evens out what its uses rounded
                most += uses[document.corrects_id]
            assert 2 * abs(off) <= most, f"{document.number}: {each} of {content.rounding}, in part: {in_part}"


def p5_nothing_is_credited_twice(session: Session) -> None:
    for each in documents(session):
        if each.kind != Kind.CREDIT_NOTE:
            left = queries.left_of(session, each)
            assert all(rate.net_cents >= 0 and rate.vat_cents >= 0 for rate in left)
            credited = queries.credited_cents(session, each.id)
            assert credited <= each.gross_cents
            if credited == each.gross_cents:
                assert all(rate.net_cents == rate.vat_cents == 0 for rate in left)


def p6_the_journals_are_read_again_and_balance(session: Session, years: set[int]) -> None:
    for year in years:
        made = fec.export(session, year)
        assert [str(each) for each in fec_findings(made.name, made.content)] == []


def exports(session: Session, years: set[int]) -> dict[str, bytes]:
    """Make all files of some years: journals in FEC format and for spreadsheets, VAT by rate, e-reporting, aid."""
    made = [fec.export(session, year) for year in years]
    for year in years:
        whole = period(Span.YEAR, date(year, 1, 1))
        made += [each(session, whole) for each in (journal_csv.export, sheets.vat_summary)]
        made += [each(session, whole) for each in (sheets.e_reporting, sheets.aid)]
    return {each.name: each.content for each in made}


def what_the_pages_say(session: Session, years: set[int]) -> dict[str, object]:
    """Return takings by how they were paid, aid by group, each sale, what is owed, and the documents with their names."""
    said: dict[str, object] = {}
    for year in years:
        whole = period(Span.YEAR, date(year, 1, 1))
        said[f"takings {year}"] = takings(session, whole)
        said[f"aid {year}"] = aided.by_group(session, whole)
        said[f"sales {year}"] = list(sales(session, whole))
    said["owed"] = queries.owed_invoices(session)
    said["documents"] = [(each.number, each.payload, each.hash) for each in documents(session)]
    return said


def what_machines_read_passes_the_rules(session: Session) -> None:
    """Each document passes the schema, the European rules and, for companies, the French ones."""
    for _, content in contents(session):
        xml = facturx.xml_of(content)
        assert schematrons.findings(xml, "european") == [], content.number
        assert not content.buyer.siren or schematrons.findings(xml, "french") == [], content.number


def p7_what_clients_owe_is_documents_less_payments(session: Session) -> None:
    owed = 0
    for document, content in contents(session):
        owed += sign(document) * (content.gross_cents - sum(each.gross_cents for each in content.deposits))
    paid = session.scalar(sa.select(sa.func.sum(Payment.amount_cents))) or 0
    assert -total(session, Account.RECEIVABLE) == owed - paid


def p8_wallets_are_the_advances_of_members(session: Session, people: list[int]) -> None:
    held = 0
    for person_id in people:
        wallet = ledger.balance_cents(session, person_id)
        reserved = ledger.balance_cents(session, person_id, Account.RESERVED)
        assert wallet >= 0
        assert reserved >= 0
        held += wallet + reserved
    assert held == total(session, Account.WALLET, Account.RESERVED)


def p9_nothing_issued_or_booked_can_be_changed(session: Session, table: str, verb: str) -> None:
    there = session.scalar(sa.text(f"SELECT count(*) FROM {table}"))
    if not there:
        return
    column = metadata.tables[table].primary_key.columns.values()[0].name
    statement = f"DELETE FROM {table}" if verb == "delete" else f"UPDATE {table} SET {column} = {column}"
    with pytest.raises(DBAPIError, match=APPEND_ONLY), session.begin_nested():
        session.execute(sa.text(statement))
    assert session.scalar(sa.text(f"SELECT count(*) FROM {table}")) == there


def p10_nothing_is_booked_in_a_closed_period(book) -> None:
    refused = False
    try:
        book()
    except Problem:
        refused = True
    assert refused


def p11_perpetual_totals_continue(session: Session) -> None:
    last: dict[str, tuple] = {}
    for each in session.scalars(sa.select(Closing).order_by(Closing.position)):
        said = closing_of(each.payload)
        assert said.perpetual == added([*last.get(said.span, ()), *said.period])
        last[said.span] = said.perpetual
    assert [str(each) for each in checking.findings(session)] == []


# P12, the same command twice is one document, is checked by each rule that issues: it sends its command again.


def p13_without_vat_there_is_none(session: Session, regime: Regime) -> None:
    if regime != Regime.STANDARD:
        accounts = (Account.VAT, Account.VAT_PREPAID, Account.VAT_WAITING)
        assert not session.scalar(sa.select(sa.func.count(LedgerLine.id)).where(LedgerLine.account.in_(accounts)))
        assert all(content.vat_cents == 0 for _, content in contents(session))


def p14_each_plate_took_its_filament_from_a_spool_once(session: Session) -> None:
    """What left the spools is what the volunteers signed off, gram for gram, failed plates included."""
    query = sa.select(SpoolMovement.attempt_id, SpoolMovement.mass_mg).where(SpoolMovement.kind == Movement.CONSUMED)
    taken = sorted((attempt_id, -mass_mg) for attempt_id, mass_mg in session.execute(query))
    signed = sa.select(JobEvent).join(Attempt, Attempt.id == JobEvent.attempt_id)
    signed = signed.where(Attempt.state == AttemptState.SIGNED_OFF)
    events = [each for each in session.scalars(signed) if each.details and "used_mg" in each.details]
    assert taken == sorted((each.attempt_id, each.details["used_mg"]) for each in events)


def p14_the_grams_billed_are_those_that_left_the_spools(session: Session) -> None:
    """For the good parts of each order, where plates weigh what the price was made for: from the bill to the spool."""
    for order in session.scalars(sa.select(Order).where(Order.price_cents > 0)):
        billed_cents = billed(session, order)
        billed_mg = grams_in_the_price(order) * 1000 * billed_cents / order.price_cents
        delivered_mg, attempts = delivered(session, order)
        # a cent for the order and each failed print, and a milligram a plate
        cents = 1 + len(failures.of_order(session, order.id))
        within_mg = grams_in_the_price(order) * 1000 * cents / order.price_cents + attempts
        assert billed_mg <= delivered_mg + within_mg, f"order {order.id}: billed for more than left the spools"
        if order.company_id is None or from_orders.to_invoice_cents(session, order) == 0 < billed_cents:
            assert abs(billed_mg - delivered_mg) <= within_mg, f"order {order.id}: {billed_mg} mg, not {delivered_mg}"


def billed(session: Session, order: Order) -> int:
    """What was billed of an order's price: on invoices, from its wallet or from its project, before any refund."""
    if order.company_id is not None:
        return queries.invoiced_cents(session, order.id)
    if order.project_id is not None:
        return budgets.used_for(session, order)
    return ledger.charged_cents(session, order.id) + ledger.refunded_cents(session, order.id)


def grams_in_the_price(order: Order) -> float:
    """The filament that the frozen price names, in grams."""
    params = [line["sentence"]["params"] for line in (order.price or {})["lines"]]
    return sum(each["mass"]["g"] for each in params if "mass" in each)


def delivered(session: Session, order: Order) -> tuple[float, int]:
    """What left the spools for an order's good and paid copies, in milligrams, and how many plates that were."""
    query = (
        sa.select(SpoolMovement.mass_mg, Attempt.good_copies, Attempt.copies)
        .join(Attempt, Attempt.id == SpoolMovement.attempt_id)
        .join(Job, Job.id == Attempt.job_id)
        .where(Job.order_id == order.id, SpoolMovement.kind == Movement.CONSUMED)
    )
    rows = session.execute(query).all()
    paid_mg = sum(
        each.printed_mg * each.copies / session.get_one(Attempt, each.attempt_id).copies
        for each in failures.of_order(session, order.id)
        if each.cents
    )
    return sum(-mass_mg * (good or 0) / copies for mass_mg, good, copies in rows) + paid_mg, len(rows)


def failed_prints_are_paid_after_the_free_ones(session: Session) -> None:
    """The first ones of who pays are free, each later one that was printed is not; an order never costs more.

    One that was forgiven at the very moment of another may count for it or not.
    """
    seen: defaultdict[tuple, list[FailedPrint]] = defaultdict(list)
    forgiven = {each.failed_print_id: each.at for each in session.scalars(sa.select(ForgivenFailure))}
    rows = sa.select(FailedPrint, Order, Attempt).join(Order, Order.id == FailedPrint.order_id)
    rows = rows.join(Attempt, Attempt.id == FailedPrint.attempt_id).order_by(FailedPrint.id)
    for failed, order, attempt in session.execute(rows):
        free = session.get_one(TariffVersion, order.tariff_id).rules["free_failures"]
        person_id = None if order.company_id or order.project_id else order.person_id
        earlier = seen[order.company_id, order.project_id, person_id]
        counted = [each for each in earlier if failed.at - each.at < failures.COUNTED_FOR]
        most = [each for each in counted if forgiven.get(each.id, failed.at) >= failed.at]
        least = [each for each in most if forgiven.get(each.id) != failed.at]
        assert attempt.reason == Reason.FILE
        assert failed.copies == attempt.copies - attempt.good_copies
        price = order.part(failed.line_id).price_cents * failed.copies / order.part(failed.line_id).quantity
        assert failed.free or len(most) >= free
        assert not failed.free or len(least) < free
        printed = min(Fraction(failed.printed_mg, failed.whole_mg), 1)
        assert abs(failed.cents - (0 if failed.free else price * printed)) < 1
        earlier.append(failed)
    signed = sa.select(Attempt, Order).join(Job, Job.id == Attempt.job_id).join(Order, Order.id == Job.order_id)
    wrong = [
        order
        for attempt, order in session.execute(signed.where(Attempt.reason == Reason.FILE))
        if order.price_cents
        and session.get_one(TariffVersion, order.tariff_id).rules["free_failures"] is not None
        and not session.scalar(sa.select(FailedPrint).where(FailedPrint.attempt_id == attempt.id))
    ]
    assert wrong == []
    for order in session.scalars(sa.select(Order).where(Order.price_cents > 0)):
        assert services.earned_cents(session, order) <= order.price_cents


def accounts_say_what_documents_say(session: Session, orders: list[int]) -> None:
    """Sales, VAT and advances, each from the documents and the charges alone; a voucher is no sale until it is used."""
    net = vat = advances = prepaid_vat = 0
    for document, content in contents(session):
        about = about_kind(document)
        deducted = sum(each.net_cents for each in content.deposits)
        vat += sign(document) * (content.vat_cents - sum(each.vat_cents for each in content.deposits))
        advances += sign(document) * ((content.net_cents if about == Kind.DEPOSIT else 0) - deducted)
        net += sign(document) * content.net_cents if about == Kind.INVOICE else 0
        prepaid_vat += sign(document) * content.vat_cents if about == Kind.VOUCHER else 0
    charged = sum((Counter(ledger.sold_by_account(session, each)) for each in orders), Counter())
    settled = sa.select(LedgerLine.account, sa.func.sum(LedgerLine.amount_cents)).group_by(LedgerLine.account)
    settled = settled.join(Payment, Payment.entry_id == LedgerLine.entry_id).where(Payment.key.like("%settled-%"))
    back = Counter(dict(session.execute(settled).all()))
    assert total(session, Account.SALES) == net + charged[Account.SALES] - back[Account.SALES]
    assert total(session, Account.VAT, Account.VAT_WAITING) == vat + charged[Account.VAT] - back[Account.VAT]
    assert total(session, Account.VAT_PREPAID) == charged[Account.VAT_PREPAID] - prepaid_vat
    assert total(session, Account.ADVANCES) == advances >= 0
    assert total(session, Account.VAT_WAITING) >= 0


def aid_is_the_share_of_what_was_paid(session: Session) -> None:
    """The aid of an order is all of it, none of it, or its share, as the price is; it stands against its counterpart."""
    booked = 0
    for order in session.scalars(sa.select(Order)):
        mine, frozen = aid.booked_cents(session, order.id), aid.of(order)
        booked += mine
        assert 0 <= mine <= frozen
        if order.company_id is None:
            paid = aid.paid_cents(session, order)
            untouched = not queries.invoiced_cents(session, order.id)
            assert mine == (frozen * paid // order.price_cents if frozen and order.price_cents else 0) or not untouched
        elif not queries.invoiced_cents(session, order.id):
            assert mine == 0, "a company's aid is booked when it is invoiced"
    assert booked == -total(session, Account.AID) == total(session, Account.AID_FUNDS)


def vat_of_wallets_is_as_their_rules_say(session: Session, rules: set[Prepaid], rate_bp: int) -> None:
    """Only single-purpose vouchers are invoiced at the top-up, and the VAT that waits in a wallet is theirs alone."""
    if Prepaid.SINGLE_PURPOSE not in rules or not rate_bp:
        assert not any(about_kind(each) == Kind.VOUCHER for each in documents(session))
    waiting = 0
    for person_id in session.scalars(sa.select(Voucher.person_id).distinct()):
        left = vouchers.total(vouchers.left(session, person_id))
        assert prepaid.vat_prepaid_cents(session, person_id) == left.vat_cents
        assert 0 <= left.vat_cents <= left.cents <= ledger.held_cents(session, person_id)
        waiting += left.vat_cents
    assert waiting == -total(session, Account.VAT_PREPAID)
    what_wallets_pay_owes_vat_once(session, rate_bp)


def what_wallets_pay_owes_vat_once(session: Session, rate_bp: int) -> None:
    """Vouchers pay first, and owed their VAT at the top-up; all the rest owes it when it is used."""
    of_voucher = sa.select(LedgerEntry.id, Voucher.person_id, Voucher.cents).where(
        LedgerEntry.document_id == Voucher.document_id, LedgerEntry.kind == EntryKind.INVOICE
    )
    of_use = sa.select(VoucherUse.entry_id, Voucher.person_id, VoucherUse.cents, VoucherUse.vat_cents).where(
        VoucherUse.document_id == Voucher.document_id
    )
    bought, used = session.execute(of_voucher).all(), session.execute(of_use).all()
    charged: defaultdict[int, Counter[str]] = defaultdict(Counter)
    holders = {}
    for line in session.scalars(sa.select(LedgerLine).join(LedgerEntry).where(LedgerEntry.kind == EntryKind.CHARGE)):
        charged[line.entry_id][line.account] -= line.amount_cents
        if line.account == Account.RESERVED:
            holders[line.entry_id] = line.holder_id
    for charge_id, moved in charged.items():
        parts = [each for each in used if each.entry_id == charge_id]
        rest = -moved[Account.RESERVED] - sum(each.cents for each in parts)
        assert moved[Account.VAT_PREPAID] == sum(each.vat_cents for each in parts)
        assert all(abs(prepaid.vat_within(each.cents, rate_bp) - each.vat_cents) <= 1 for each in parts)
        assert moved[Account.VAT] == prepaid.vat_within(rest, rate_bp)
        mine = holders[charge_id]
        unspent = sum(cents for entry_id, whose, cents in bought if whose == mine and entry_id <= charge_id)
        unspent -= sum(each.cents for each in used if each.person_id == mine and each.entry_id <= charge_id)
        assert rest == 0 or unspent == 0, f"booking {charge_id}: a voucher was left, and other money paid"


def nothing_is_given_back_twice(session: Session, order) -> None:
    assert refunds.refundable(session, order).most_cents >= 0
    assert ledger.refunded_cents(session, order.id) >= 0


def every_booking_is_tied(session: Session) -> None:
    """A booking belongs to an order, a document, a wallet or the drawer, and has at least two lines."""
    for each in session.scalars(sa.select(LedgerEntry)):
        assert len(each.lines) >= 2
        accounts = {line.account for line in each.lines}
        assert each.order_id or each.document_id or accounts & {Account.WALLET, Account.CASH, Account.PROJECT}
