"""The form that asks for a certificate for names of one's own choice, for the page and for the command line."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, RadioField, SelectChoice, StringField
from wtforms.validators import InputRequired, ValidationError

from webapp.dns.names import Fqdn, parse_name
from webapp.errors import InvalidInput
from webapp.proxy.certificates.choice import SENDS
from webapp.proxy.certificates.models import Challenge
from webapp.proxy.certificates.service import MOST_NAMES, CertificateWish


class RequestForm(FlaskForm):  # type: ignore[misc]
    """Names, and how they are proven."""

    names = StringField("Names", validators=[InputRequired("Enter a name, for example app.example.com.")])
    challenge = RadioField("Proof", coerce=Challenge, default=Challenge.HTTP, validate_choice=False)

    def __init__(self, *args: Any, base: str, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base, self.zone, self.found = base, zone, list[Fqdn]()
        ways = [SelectChoice(Challenge.HTTP, "HTTP challenge")]
        if zone:
            ways.append(SelectChoice(Challenge.DNS, SENDS))
        self.challenge.choices = ways

    def validate_names(self, field: Field) -> None:
        """Names that DNS can hold, completed with the base domain."""
        try:
            self.found = [parse_name(word, self.base) for word in field.data.replace(",", " ").split()]
        except InvalidInput as error:
            raise ValidationError(error.message) from error
        if len(set(self.found)) > MOST_NAMES:
            raise ValidationError(f"A certificate holds at most {MOST_NAMES} names.")

    def validate_challenge(self, field: Field) -> None:
        """A star needs the DNS challenge, which needs a zone."""
        if field.data is Challenge.DNS and not self.zone:
            raise ValidationError(
                "The DNS challenge needs a zone at Cloudflare. Connect one in the settings."
            )
        if field.data is Challenge.HTTP and any(name.startswith("*.") for name in self.found):
            raise ValidationError("A wildcard needs the DNS challenge.")

    def wish(self) -> CertificateWish:
        """The validated values as a command."""
        return CertificateWish(tuple(self.found), self.challenge.data)
