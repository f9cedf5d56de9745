"""All tables of all subjects, for migrations: importing this module makes the metadata complete."""

from fablab import ticks
from fablab.accounts import addresses
from fablab.accounts import models as accounts
from fablab.accounts import project_models as projects
from fablab.billing import closed, vouchers
from fablab.billing import failure_models as failed_prints
from fablab.billing import hand_models as hand_prices
from fablab.billing import models as billing
from fablab.billing import projects as project_budgets
from fablab.bookkeeping import cash
from fablab.bookkeeping import digest_models as digests
from fablab.bookkeeping import models as bookkeeping
from fablab.db import Base
from fablab.filament import models as filament
from fablab.invoicing import deposit_models as deposits
from fablab.invoicing import mail_models as document_mails
from fablab.invoicing import models as invoicing
from fablab.jobs import models as jobs
from fablab.machines import models as machines
from fablab.notices import models as notices
from fablab.orders import models as orders
from fablab.orders import review_models as reviews
from fablab.orders import shelf
from fablab.orders import thread_models as threads
from fablab.payments import models as payments
from fablab.quotes import models as quotes
from fablab.receivables import models as receivables
from fablab.refunds import models as refunds

metadata = Base.metadata

APPEND_ONLY = (
    "ledger_entry",
    "ledger_line",
    "spool_movement",
    "spool_override",
    "job_event",
    "machine_event",
    "house_rules",
    "hand_over_note",
    "order_event",
    "thread_message",
    "seller_identity",
    "vat_regime",
    "wallet_rules",
    "legal_mention",
    "document",
    "document_order",
    "document_file",
    "payment",
    "closing",
    "tariff",
    "tariff_group",
    "cash_count",
    "reminder",
    "quote",
    "quote_answer",
    "quote_link",
    "quote_reminder",
    "card_event",
    "deposit",
    "deduction",
    "archive",
    "project_booking",
    "document_mail",
    "digest_readers",
    "digest_mail",
    "e_report",
    "hand_price",
    "failed_print",
    "forgiven_failure",
    "voucher",
    "voucher_use",
)

__all__ = [
    "APPEND_ONLY",
    "accounts",
    "addresses",
    "billing",
    "bookkeeping",
    "cash",
    "closed",
    "deposits",
    "digests",
    "document_mails",
    "failed_prints",
    "filament",
    "hand_prices",
    "invoicing",
    "jobs",
    "machines",
    "metadata",
    "notices",
    "orders",
    "payments",
    "project_budgets",
    "projects",
    "quotes",
    "receivables",
    "refunds",
    "reviews",
    "shelf",
    "threads",
    "ticks",
    "vouchers",
]
