"""A document for machines: EN 16931 as Cross Industry Invoice, made from the same frozen content as the page.

The names BT-n and BG-n are those of the standard. Amounts are decimal text, made from integer cents.
"""

from __future__ import annotations

from typing import Any

from fablab.billing.mentions import DEBITS
from fablab.billing.models import Operation, Regime
from fablab.invoicing.content import Buyer, Content, Seller
from fablab.invoicing.models import Kind, Method

SIREN, SIRET, DIRECTORY = "0002", "0009", "0225"
TYPES = {Kind.INVOICE: "380", Kind.VOUCHER: "380", Kind.DEPOSIT: "386", Kind.CREDIT_NOTE: "381"}
UNPAID, PAID, FINAL = "1", "2", "4"
NOTES = {"late_penalty": "PMD", "recovery": "PMT", "early_payment": "AAB", "footer": "AAI"}
PROCESS = {Operation.GOODS: "B", Operation.SERVICES: "S"}
CATEGORIES = {Regime.STANDARD: "S", Regime.FRANCHISE: "E", Regime.EXEMPT_261_7: "E", Regime.NOT_TAXABLE: "O"}
EXEMPTIONS = {
    Regime.FRANCHISE: "VATEX-FR-FRANCHISE",
    Regime.EXEMPT_261_7: "VATEX-EU-132-1L",
    Regime.NOT_TAXABLE: "VATEX-EU-O",
}
TRANSFER, NOT_SAID = "30", "1"
PAID_BY = {Method.CASH: "10", Method.CHEQUE: "20", Method.CARD: "48", Method.ONLINE: "68"}


def xml_of(content: Content) -> bytes:
    """Return a document as XML of the profile EN 16931; `ValueError` when the schema does not take it."""
    from facturx import generate_xml  # half a second that the web server need not take to start

    made: bytes = generate_xml(data_of(content), level="en16931", check_xsd=True, check_schematron=False)
    return made


def data_of(content: Content) -> dict[str, Any]:
    """Return the fields of the standard."""
    data: dict[str, Any] = {
        "BT-1": content.number,
        "BT-2": content.issued_on,
        "BT-3": TYPES[content.kind],
        "BT-5": content.currency,
        "BT-9": content.due_on,
        "BT-23": PROCESS[content.operation] + _stage(content),
        "BT-24": "urn:cen.eu:en16931:2017",
        "BT-72": content.delivered_on,  # of a deposit or a credit note: the day of issue, the schema wants one
        "BT-83": content.number,
        "BG-1": [{"BT-21": NOTES[each.code], "BT-22": each.text} for each in content.mentions if each.code in NOTES],
        "BG-4": _seller(content.seller, content.regime),
        "BG-7": _buyer(content.buyer, content.regime),
        **_totals(content),
        "BG-23": [_rate(content, place) for place in range(len(content.rates))],
        "BG-25": [_line(content, place) for place in range(len(content.lines))],
        **_means(content),
    }
    if content.regime == Regime.STANDARD and content.operation == Operation.SERVICES:
        opted = any(each.code == DEBITS for each in content.mentions)
        data["BT-8"] = "invoice" if opted else "payment"  # when VAT on services is due
    if content.po_number:
        data["BT-13"] = content.po_number
    if content.corrects:
        data["BG-3"] = [{"BT-25": content.corrects.number, "BT-26": content.corrects.issued_on}]
        data["BG-1"].append({"BT-21": "AAI", "BT-22": content.corrects.reason})
    elif content.deposits:
        data["BG-3"] = [{"BT-25": each.number, "BT-26": each.issued_on} for each in content.deposits]
    return data


def _stage(content: Content) -> str:
    """Return where the sale stands: a credit note says nothing of what was paid with the invoice."""
    if content.deposits and content.kind == Kind.INVOICE:
        return FINAL
    return PAID if content.paid_cents else UNPAID


def _totals(content: Content) -> dict[str, str]:
    return {
        "BT-106": euros(content.net_cents),
        "BT-109": euros(content.net_cents),
        "BT-110": euros(content.vat_cents),
        "BT-112": euros(content.gross_cents),
        "BT-113": euros(content.paid_cents),
        "BT-115": euros(content.due_cents),
    }


def _means(content: Content) -> dict[str, str]:
    if content.seller.iban and content.due_cents and content.kind != Kind.CREDIT_NOTE:
        return {"BT-81": TRANSFER, "BT-84": content.seller.iban}
    if content.paid_by == Method.TRANSFER and content.seller.iban:
        return {"BT-81": TRANSFER, "BT-84": content.seller.iban}
    return {"BT-81": PAID_BY.get(Method(content.paid_by), NOT_SAID) if content.paid_by else NOT_SAID}


def _rate(content: Content, place: int) -> dict[str, str]:
    rate, category = content.rates[place], CATEGORIES[content.regime]
    data = {"BT-116": euros(rate.net_cents), "BT-117": euros(rate.vat_cents), "BT-118": category}
    if category != "O":
        data["BT-119"] = percent(rate.rate_bp)
    if content.regime in EXEMPTIONS:
        reason = next((each.text for each in content.mentions if each.code == content.regime.value), "")
        data |= {"BT-120": reason, "BT-121": EXEMPTIONS[content.regime]}
    return data


def _line(content: Content, place: int) -> dict[str, str]:
    line, category = content.lines[place], CATEGORIES[content.regime]
    data = {
        "BT-126": str(place + 1),
        "BT-129": str(line.quantity),
        "BT-130": "C62",
        "BT-131": euros(line.net_cents),
        "BT-146": f"{line.unit_price // 10_000}.{line.unit_price % 10_000:04d}",
        "BT-151": category,
        "BT-153": line.text,
    }
    return data if category == "O" else {**data, "BT-152": percent(line.rate_bp)}


def _seller(seller: Seller, regime: Regime) -> dict[str, Any]:
    party = _party(seller.name, seller.street, seller.postcode, seller.city, seller.country)
    party |= _numbers(seller.siren, seller.siret)
    if not seller.siren and seller.rna:
        party["identifiers"] = {None: seller.rna}
    party["legal_info"] = ", ".join(each for each in (seller.legal_form, seller.register, seller.rna) if each)
    if seller.vat_number and regime != Regime.NOT_TAXABLE:
        party["vat_identifier"] = seller.vat_number
    elif regime != Regime.NOT_TAXABLE:
        party["tax_identifier"] = seller.siren or seller.rna or seller.name
    return party | _address(seller.siren, seller.email)


def _buyer(buyer: Buyer, regime: Regime) -> dict[str, Any]:
    party = _party(buyer.name, buyer.street, buyer.postcode, buyer.city, buyer.country)
    party |= _numbers(buyer.siren, buyer.siret)
    if buyer.rna and not buyer.siret:
        party["identifiers"] = {None: buyer.rna}
    if buyer.contact_name:
        party["contacts"] = [{"name": buyer.contact_name}]
    if buyer.vat_number and regime != Regime.NOT_TAXABLE:
        party["vat_identifier"] = buyer.vat_number
    return party | _address(buyer.siren, buyer.email)


def _party(name: str, street: str, postcode: str, city: str, country: str) -> dict[str, Any]:
    return {"name": name, "addr_l1": street, "postcode": postcode, "city": city, "country_code": country}


def _numbers(siren: str, siret: str) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    if siren:
        numbers |= {"legal_identifier": siren, "legal_identifier_schemeid": SIREN}
    if siret:
        numbers["identifiers"] = {SIRET: siret}
    return numbers


def _address(siren: str, email: str) -> dict[str, str]:
    """Return where electronic invoices go: by SIREN in the French directory, by mail otherwise."""
    if siren:
        return {"einvoicing_addr": siren, "einvoicing_addr_schemeid": DIRECTORY}
    return {"einvoicing_addr": email, "einvoicing_addr_schemeid": "EM"} if email else {}


def euros(cents: int) -> str:
    """Write cents as the standard wants them: 12.34."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def percent(rate_bp: int) -> str:
    """Write hundredths of a per cent: 20.00."""
    return f"{rate_bp // 100}.{rate_bp % 100:02d}"
