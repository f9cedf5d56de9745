"""The chart of accounts: which number of the French plan each account of the ledger has in exports, by setting."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fablab.billing.models import Account
from fablab.errors import Invalid
from fablab.settings import settings
from fablab.words import say

NUMBER = re.compile(r"\d{3}[0-9A-Z]{0,9}")


@dataclass(frozen=True)
class PlanAccount:
    """An account as accountants number and name it."""

    number: str
    label: str


RESULT, LOSS = "result", "loss"  # what the accounts of classes 6 and 7 came to in the years before, in an opening

# PCG and ANC 2018-06 (associations). Prints from the place's filament are goods: 701.
DEFAULTS: dict[str, PlanAccount] = {
    Account.CASH: PlanAccount("530000", "Caisse"),
    Account.CHEQUE: PlanAccount("511200", "Chèques à encaisser"),
    Account.CARD: PlanAccount("511500", "Cartes bancaires à encaisser"),
    Account.BANK: PlanAccount("512000", "Banque"),
    Account.ONLINE: PlanAccount("517000", "Prestataire de paiement en ligne"),
    Account.WALLET: PlanAccount("419100", "Avances reçues : porte-monnaie"),
    Account.RESERVED: PlanAccount("419110", "Avances reçues : réservé"),
    Account.RECEIVABLE: PlanAccount("411000", "Clients"),
    Account.ADVANCES: PlanAccount("419120", "Avances et acomptes reçus sur commandes"),
    Account.SALES: PlanAccount("701000", "Ventes de produits finis"),
    Account.VAT: PlanAccount("445710", "TVA collectée"),
    Account.VAT_PREPAID: PlanAccount("445800", "TVA sur avances reçues à régulariser"),
    Account.VAT_WAITING: PlanAccount("445740", "TVA sur acomptes en attente d'encaissement"),
    Account.CASH_DIFFERENCE: PlanAccount("658000", "Écarts de caisse"),
    Account.CARD_FEES: PlanAccount("627800", "Commissions sur paiements par carte"),
    Account.PROJECT: PlanAccount("801800", "Budgets de projets : disponible"),
    Account.PROJECT_RESERVED: PlanAccount("801810", "Budgets de projets : réservé"),
    Account.PROJECT_FUNDS: PlanAccount("809180", "Contrepartie des budgets de projets"),
    Account.AID: PlanAccount("801820", "Aide accordée sur les prix"),
    Account.AID_FUNDS: PlanAccount("809182", "Contrepartie de l'aide accordée"),
    RESULT: PlanAccount("120000", "Résultat (excédent)"),
    LOSS: PlanAccount("129000", "Résultat (déficit)"),
}
OFF_BALANCE = frozenset(
    {Account.PROJECT, Account.PROJECT_RESERVED, Account.PROJECT_FUNDS, Account.AID, Account.AID_FUNDS}
)
"""Accounts that are booked against each other alone: one in another class would not balance in an opening."""


def chart() -> dict[str, PlanAccount]:
    """Return the chart of accounts: the defaults, with the numbers the setting gives instead ("sales=706000,...").

    Raises `Invalid` when the setting cannot be read.
    """
    chosen = dict(DEFAULTS)
    for part in filter(None, (each.strip() for each in settings().accounts.split(","))):
        name, _, number = part.partition("=")
        known = DEFAULTS.get(name.strip())
        if known is None or not NUMBER.fullmatch(number.strip()):
            raise Invalid(say("“{part}” in FABLAB_ACCOUNTS is not an account with its number.", part=part[:60]))
        if name.strip() in OFF_BALANCE and not number.strip().startswith("8"):
            raise Invalid(
                say(
                    "“{part}” in FABLAB_ACCOUNTS: this account is outside the balance sheet, in class 8.",
                    part=part[:60],
                )
            )
        chosen[name.strip()] = PlanAccount(number.strip(), known.label)
    return chosen
