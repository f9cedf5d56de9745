"""What an answer does: money back into the wallet or by a credit note, or a new order at no charge."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import aid, ledger
from fablab.billing.quoting import plates_for
from fablab.errors import Conflict, Invalid
from fablab.invoicing import chain, crediting, payments
from fablab.invoicing import queries as documents
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs import queries as jobs
from fablab.languages import Language
from fablab.orders import services as orders
from fablab.orders.models import Order
from fablab.orders.services import Wanted
from fablab.refunds import queries
from fablab.refunds.models import Complaint
from fablab.slicing.choices import Choices, Quality
from fablab.words import Euros, Sentence, say


def give_back(session: Session, complaint: Complaint, cents: int, by: Person, now: datetime) -> int | None:
    """Give money back for an order; return the id of the credit note, if its invoice needed one. Raises `Invalid`."""
    order = complaint.order
    chain.hold(session)  # nobody invoices or credits it meanwhile
    ledger.lock_wallet(session, order.person_id)
    possible = queries.refundable(session, order)
    if possible.most_cents == 0:
        raise Conflict(_nothing_to_give(order, possible.invoice))
    if cents <= 0:
        raise Invalid(say("A refund is more than nothing."), field="amount")
    if cents > possible.most_cents:
        most = Euros(possible.most_cents)
        raise Invalid(say("At most {most} can be given back for this order.", most=most), field="amount")
    if possible.invoice is not None:
        return _credit(session, complaint, possible.invoice, cents, Command(f"refund-{complaint.id}", by.id, now)).id
    ledger.give_back(session, order.person_id, order.id, cents, f"refund-{complaint.id}", order.title, by.id)
    aid.settle(session, order, aid.paid_cents(session, order), by.id)
    return None


def _nothing_to_give(order: Order, invoice: Document | None) -> Sentence:
    if order.company_id is not None and invoice is None:
        return say("Nothing was invoiced for this order yet: send its invoice first, then give money back.")
    return say("Nothing that was charged for this order is left to give back.")


def _credit(session: Session, complaint: Complaint, invoice: Document, cents: int, command: Command) -> Document:
    """Write a partial credit note; what a member has paid from the wallet goes back into it at once."""
    words = Language(from_text(invoice.payload).language)
    reason = words.text(say("Refund for “{file}”", file=complaint.order.line.file_name[:120]))
    note = crediting.issue(session, invoice, Credit(cents, reason), command)
    owed = -documents.balance_cents(session, invoice)
    if invoice.company_id is None and invoice.person_id is not None and owed > 0:
        data = PaymentData(Method.WALLET, min(owed, cents), note.issued_on, note.number, command.key)
        payments.pay(session, invoice, data, command.by_id, command.now)
    return note


def print_again(session: Session, order: Order, line_id: int | None, copies: int, by: Person) -> Order:
    """Put copies of a part of an order, the first without an id, into the queue as a new order at no charge.

    Raises `Invalid` naming the field.
    """
    line = order.part(line_id)
    if line is None:
        raise Invalid(say("This part is not one of the order."), field="part")
    if not 1 <= copies <= line.quantity:
        raise Invalid(say("Between 1 and {most} copies can be printed again.", most=line.quantity), field="copies")
    assert line.material_code is not None
    assert line.machine_profile is not None
    assert order.tariff_id is not None
    again = orders.draft(session, order.person_id, line.model_file, line.file_name, line.sent_sha256)
    again.company_id, again.po_number, again.project_id = order.company_id, order.po_number, order.project_id
    again.price_before_vat, again.attested_at = order.price_before_vat, order.attested_at
    again.line.change = line.change
    choices = Choices(line.material_code, Quality(line.quality), line.infill_percent, supports=line.supports)
    part = copies / line.quantity
    mass_g, time_s = (line.estimated_mass_g or 0) * part, (line.estimated_time_s or 0) * part
    wanted = Wanted(choices, line.colour_name, copies)
    again.line.price_cents = 0
    orders.choose(session, again.line, wanted, line.machine_profile, mass_g, time_s)
    sentence = say("Printed again free of charge")
    explained = {"total_cents": 0, "lines": [{"sentence": sentence.to_json(), "amount_cents": 0}]}
    orders.accept(session, again, 0, explained, order.tariff_id, by.id)
    per_plate = max(job.copies for job in jobs.of_order(session, order.id) if job.line_id == line.id)
    orders.make_jobs(session, again, again.line, plates_for(copies, per_plate), {})
    return again
