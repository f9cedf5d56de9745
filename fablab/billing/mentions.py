"""The legal mentions of French invoices: when each is printed, its ready-made wordings, and where they come from.

The wordings are French whatever the language of the document. The first one of each holds until somebody enters
another one with a date; docs/billing.md lists the sources. Article numbers of the CGI stay admitted until 31 December
2027 although the rules have stood in the CIBS since 1 September 2026, and no official new wording was found.
"""

from __future__ import annotations

from dataclasses import dataclass

from fablab.words import N_


@dataclass(frozen=True)
class Wording:
    """A ready-made text and its source."""

    text: str
    source: str


@dataclass(frozen=True)
class Mention:
    """A legal mention: what it is about, whether it may be left out, and its ready-made wordings."""

    label: str
    mandatory: bool
    wordings: tuple[Wording, ...]


DEBITS = "debits"

MENTIONS: dict[str, Mention] = {
    "late_penalty": Mention(
        N_("Late-payment penalty (companies)"),
        True,
        (
            Wording(
                "En cas de retard de paiement, pénalités exigibles sans rappel au taux de refinancement de la Banque "
                "centrale européenne majoré de 10 points.",
                "C. com. L441-10 II",
            ),
            Wording(
                "En cas de retard de paiement, pénalités exigibles sans rappel à trois fois le taux d’intérêt légal.",
                "C. com. L441-10 II",
            ),
        ),
    ),
    "recovery": Mention(
        N_("Fixed indemnity for recovery (companies)"),
        True,
        (
            Wording(
                "Indemnité forfaitaire pour frais de recouvrement en cas de retard de paiement : 40 €.",
                "C. com. L441-10 II, D441-5",
            ),
        ),
    ),
    "early_payment": Mention(
        N_("Discount for early payment (companies)"),
        True,
        (Wording("Pas d’escompte pour paiement anticipé.", "C. com. L441-9"),),
    ),
    "franchise": Mention(
        N_("No VAT: small business exemption"),
        True,
        (
            Wording("TVA non applicable, art. 293 B du CGI", "CGI art. 293 B"),
            Wording("TVA non applicable, art. L. 223-3 du CIBS", "CIBS art. L. 223-3"),
        ),
    ),
    "exempt_261_7": Mention(
        N_("No VAT: exempt non-profit body"),
        True,
        (Wording("Exonération de TVA, art. 261, 7-1° du CGI", "CGI art. 261, 7-1°"),),
    ),
    "not_taxable": Mention(
        N_("No VAT: not a taxable person"),
        True,
        (Wording("TVA non applicable : organisme non assujetti à la TVA", "CGI art. 256 A"),),
    ),
    DEBITS: Mention(
        N_("Option to pay VAT on invoices (services; only if your structure has opted for it)"),
        False,
        (
            Wording("", ""),
            Wording("Option pour le paiement de la taxe d’après les débits", "décret 2022-1299; CGI art. 269, 2-c"),
        ),
    ),
    "footer": Mention(
        N_("Free text at the bottom"),
        False,
        (Wording("", ""),),
    ),
}

B2B = ("late_penalty", "recovery", "early_payment")
