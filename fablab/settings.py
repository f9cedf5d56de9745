"""Every setting of the system, read once from the environment (`FABLAB_…`). The defaults are the embedded mode."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes for the path of a Unix socket


class Settings(BaseSettings):
    """The settings of one installation; `docs/settings.md` lists the same names."""

    model_config = SettingsConfigDict(env_prefix="FABLAB_", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("data"), description="Folder of the database, the files, the secret and the logs.")
    database_url: str = Field("", description="SQLAlchemy address of the database; empty: SQLite in the data folder.")
    owner_database_url: str = Field(
        "", description="The same PostgreSQL as its owner, for `fablab migrate` alone; empty: the application owns it."
    )
    redis_url: str = Field("", description="Address of Redis or Valkey; empty: the embedded one on a Unix socket.")
    secret_key: str = Field("", description="Key of cookies and stored printer keys; empty: made once, kept in a file.")
    demo: bool = Field(False, description="Show the demo sign-ins and the sample parts on the pages.")
    language: str = Field("fr", description="Language of a visitor whose browser asks for neither French nor English.")
    timezone: str = Field("Europe/Paris", description="Time zone in which dates are shown.")
    place_name: str = Field("Fablab", description="Name of the place, shown on every page.")
    secure_cookies: bool = Field(False, description="Send cookies over HTTPS only; set it behind a TLS proxy.")
    max_upload_mb: int = Field(100, ge=1, le=1000, description="Largest model file that is taken, in megabytes.")
    reconfirm_above_percent: int = Field(
        25,
        ge=0,
        le=1000,
        description="If the slice costs more than the confirmed price by more than this, the order is asked again.",
    )
    accounts: str = Field(
        "",
        description="Numbers of accounts in exports, where they differ from the defaults: “sales=706000,bank=512100”.",
    )
    fec_opening: bool = Field(
        True, description="Whether the journals in FEC format of a year begin with the balances of the year before."
    )
    e_reporting_from: date = Field(
        date(2027, 9, 1), description="Day from which sales to consumers are reported to the tax office."
    )
    vat_returns: Literal["monthly", "quarterly", "simplified"] = Field(
        "monthly", description="Returns of VAT, which decide how often is reported: monthly, quarterly or simplified."
    )
    slicer: str = Field("", description="Path or name of the slicer to use; empty: the PrusaSlicer on the PATH.")
    slicing_timeout_s: int = Field(300, ge=10, le=540, description="Longest time one slice may take, in seconds.")
    preview_timeout_s: int = Field(
        60, ge=5, le=540, description="Longest time the slice that checks the price of a draft may take, in seconds."
    )
    keep_previews_days: int = Field(
        7, ge=1, le=365, description="Days after which slices that no print uses are deleted."
    )
    profiles: Path | None = Field(None, description="Folder of own printer, filament and print profiles.")
    printer_networks: str = Field(
        "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7",
        description="Networks in which printers may live, separated by commas; other addresses are refused.",
    )
    start_tries: int = Field(3, ge=1, le=20, description="Harmless failed starts after which a job is put on hold.")
    public_url: str = Field(
        "http://localhost:8000", description="Address of the place in a browser, for the links in mails."
    )
    mail_server: str = Field(
        "",
        pattern=r"^((smtps?|smtp\+plain)://\S+)?$",
        description="Mail server, such as smtp://name:password@mail.example.org:587; empty: mails are kept, not sent.",
    )
    mail_from: str = Field("", description="Address mails come from; empty: fablab@ the host of the public address.")
    mail_timeout_s: float = Field(
        20, gt=0, le=40, description="Longest wait for an answer of the mail server, in seconds."
    )
    mail_quiet_hours: str = Field(
        "22:00-07:00",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$",
        description="Hours in which no mail leaves; empty: none.",
    )
    mail_digest_hour: int = Field(8, ge=0, le=23, description="Hour at which the mail with the news of a day leaves.")
    overdue_days: str = Field(
        "8,21,45",
        pattern=r"^[1-9]\d{0,2},[1-9]\d{0,2},[1-9]\d{0,2}$",
        description="Days after its due date on which a company is reminded of an invoice: three numbers, each larger.",
    )
    quote_days: int = Field(30, ge=1, le=365, description="Days a quote is valid for.")
    quote_reminder_days: int = Field(
        5, ge=0, le=90, description="Days before its end on which a client is reminded of a quote; 0: never."
    )
    quote_deposit_percent: int = Field(
        0, ge=0, le=100, description="Deposit a company pays when it accepts a quote, in per cent; 0: none."
    )
    sign_up: bool = Field(True, description="Whether visitors may open an account for themselves.")
    sign_up_limit: str = Field("10 per hour", description="How many accounts one address may ask for.")
    stripe_key: str = Field("", description="Secret key of a Stripe account, for payments by card online; empty: none.")
    stripe_webhook_secret: str = Field(
        "", description="Secret with which Stripe signs its messages to /pay/webhook/stripe; empty: no payments online."
    )
    stripe_url: str = Field("https://api.stripe.com", description="Address of Stripe's interface.")
    sign_in_limit: str = Field("10 per minute", description="How many sign-ins one address may try.")
    upload_limit: str = Field("60 per hour", description="How many files one person may upload.")
    event_streams: int = Field(120, ge=1, description="Open live pages per web process; further ones ask by polling.")
    web_threads: int = Field(160, ge=8, description="Threads of the web server.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    def database(self) -> str:
        """Return the address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'fablab.db'}"

    def redis(self) -> str:
        """Return the address of the broker as redis-py writes it."""
        return self.redis_url or f"unix://{self.socket()}?db=0"

    def broker(self) -> str:
        """Return the address of the broker as Celery writes it."""
        address = self.redis()
        if address.startswith("unix://"):
            path, _, query = address.removeprefix("unix://").partition("?")
            return f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or '0'}"
        return address

    def socket(self) -> Path:
        """Return the path of the embedded server's socket; a long data folder gets a short one elsewhere."""
        path = self.data_dir.absolute() / "run" / "redis.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        short = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"fablab-{os.getuid()}-{short}" / "redis.sock"

    def files(self) -> Path:
        """Return the folder of the content-addressed files."""
        return self.data_dir.absolute() / "files"

    def networks(self) -> tuple[str, ...]:
        """Return the networks printers may live in."""
        return tuple(part.strip() for part in self.printer_networks.split(",") if part.strip())


@cache
def settings() -> Settings:
    """Return the settings of this process; tests call `settings.cache_clear()` after changing the environment."""
    return Settings()  # type: ignore[call-arg]  # pydantic fills every field from its default
