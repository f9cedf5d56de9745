"""Numbers in fields, the way their reader types them: with a comma in French. Both ways are read everywhere."""

from __future__ import annotations

from wtforms import FloatField
from wtforms.widgets import TextInput

from fablab.web.language import choose


def decimal(text: str) -> str:
    """Write a number that has a point."""
    return text.replace(".", ",") if choose() == "fr" else text


def euros(cents: int | None) -> str:
    """Write an amount that is not negative; none stays empty."""
    return decimal(f"{cents // 100}.{cents % 100:02d}") if cents is not None else ""


class DecimalField(FloatField):  # type: ignore[misc]  # WTForms has no types
    """A number that may be written with a comma, as French keyboards do; a number field would not take it."""

    widget = TextInput()

    def _value(self) -> str:
        return decimal(str(super()._value()).removesuffix(".0"))

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it either way."""
        super().process_formdata([text.strip().replace(",", ".") for text in valuelist])
