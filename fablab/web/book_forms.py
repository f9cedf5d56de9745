"""The forms of bookkeeping: who sells, companies, payments, credit notes."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from fablab.accounts.models import COMPANY_KIND_LABELS, CompanyKind
from fablab.web.forms import PageForm


class AddressForm(PageForm):
    """A postal address."""

    street = StringField(lazy_gettext("Street and number"), [InputRequired(), Length(max=200)])
    postcode = StringField(lazy_gettext("Postcode"), [InputRequired(), Length(max=12)])
    city = StringField(lazy_gettext("Town"), [InputRequired(), Length(max=80)])


class IdentityForm(AddressForm):
    """Who sells, from a date on."""

    valid_from = DateField(lazy_gettext("Holds from"), [InputRequired()])
    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=160)])
    legal_form = StringField(lazy_gettext("Legal form"), [InputRequired(), Length(max=120)])
    siren = StringField(lazy_gettext("SIREN"), [Optional(), Length(max=20)])
    siret = StringField(lazy_gettext("SIRET"), [Optional(), Length(max=25)])
    rna = StringField(lazy_gettext("RNA number"), [Optional(), Length(max=20)])
    register = StringField(lazy_gettext("Trade register"), [Optional(), Length(max=80)])
    vat_number = StringField(lazy_gettext("VAT number"), [Optional(), Length(max=25)])
    iban = StringField(lazy_gettext("IBAN"), [Optional(), Length(max=50)])
    email = EmailField(lazy_gettext("E-mail for questions about invoices"), [Optional(), Length(max=254)])


class RegimeForm(PageForm):
    """How the seller stands to VAT, from a date on."""

    valid_from = DateField(lazy_gettext("Holds from"), [InputRequired()])
    regime = RadioField(lazy_gettext("VAT regime"))
    rate = StringField(lazy_gettext("Rate (%)"), [Optional(), Length(max=8)])
    operation = RadioField(lazy_gettext("What is sold"))
    companies_before_vat = BooleanField(lazy_gettext("Prices for companies are before VAT"))


class MentionForm(PageForm):
    """The wording of a legal mention, from a date on."""

    valid_from = DateField(lazy_gettext("Holds from"), [InputRequired()])
    text = TextAreaField(lazy_gettext("Wording"), [Optional(), Length(max=1000)], render_kw={"rows": 3})


class ContactForm(AddressForm):
    """Where a company's invoices go."""

    country = StringField(lazy_gettext("Country (two letters)"), [InputRequired(), Length(min=2, max=2)], default="FR")
    contact_name = StringField(lazy_gettext("Billing contact"), [Optional(), Length(max=120)])
    contact_email = EmailField(lazy_gettext("E-mail for invoices"), [Optional(), Length(max=254)])
    language = SelectField(lazy_gettext("Language of the documents"), default="fr")


class CompanyForm(ContactForm):
    """Who a company is, and when it pays."""

    kind = SelectField(
        lazy_gettext("Kind of customer"),
        choices=list(COMPANY_KIND_LABELS),
        default=CompanyKind.COMPANY,
        coerce=CompanyKind,
    )
    rna = StringField(lazy_gettext("RNA number"), [Optional(), Length(max=20)])
    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=160)])
    siret = StringField(lazy_gettext("SIRET"), [Optional(), Length(max=25)])
    siren = StringField(lazy_gettext("SIREN"), [Optional(), Length(max=20)])
    vat_number = StringField(lazy_gettext("VAT number"), [Optional(), Length(max=25)])
    payment_days = IntegerField(lazy_gettext("Days to pay"), [InputRequired(), NumberRange(0, 60)], default=30)
    active = BooleanField(lazy_gettext("May order"), default=True)


class MemberForm(PageForm):
    """Somebody who acts for a company."""

    email = EmailField(lazy_gettext("E-mail of the account"), [InputRequired(), Length(max=254)])
    role = SelectField(lazy_gettext("Role"))


class OwnAddressForm(AddressForm):
    """How a person is named on invoices."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=160)])


class BuyerForm(OwnAddressForm):
    """How a person is named on one invoice."""

    key = StringField(validators=[InputRequired(), Length(max=40)])


class PaymentForm(PageForm):
    """Money that came for an invoice, or that is paid back."""

    amount = StringField(lazy_gettext("Amount (€)"), [InputRequired(), Length(max=20)])
    method = SelectField(lazy_gettext("Paid by"))
    received_on = DateField(lazy_gettext("On"), [InputRequired()])
    reference = StringField(lazy_gettext("Reference"), [Optional(), Length(max=80)])
    key = StringField(validators=[InputRequired(), Length(max=40)])


class CreditForm(PageForm):
    """What a credit note is about."""

    amount = StringField(lazy_gettext("Amount with VAT (€)"), [InputRequired(), Length(max=20)])
    reason = StringField(lazy_gettext("Reason of the credit note"), [InputRequired(), Length(max=200)])
    invoice_again = BooleanField(lazy_gettext("The orders are to be invoiced again"))
    key = StringField(validators=[InputRequired(), Length(max=40)])


class DepositForm(PageForm):
    """How much of an order's price a deposit is about."""

    percent = IntegerField(lazy_gettext("Percent of the price"), [Optional()])
    amount = StringField(lazy_gettext("Or an amount with VAT (€)"), [Optional(), Length(max=20)])
    key = StringField(validators=[InputRequired(), Length(max=40)])


class WalletRulesForm(PageForm):
    """When VAT is due on wallets and how much one may hold, from a date on."""

    prepaid = RadioField(lazy_gettext("VAT on prepaid credit"))
    invoice_orders = BooleanField(lazy_gettext("Invoice each order paid from a wallet by itself once it is done"))
    cap = StringField(lazy_gettext("A wallet holds at most (€)"), [InputRequired(), Length(max=20)])
    valid_from = DateField(lazy_gettext("Holds from"), [InputRequired()])
