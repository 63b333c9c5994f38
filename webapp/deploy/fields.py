"""The fields of the app form, with what each of them means; `forms` says what they must be."""

from wtforms import (
    BooleanField,
    FloatField,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from webapp.deploy.engine import Restart
from webapp.deploy.health import CheckKind
from webapp.deploy.recipe import Reach, Strategy
from webapp.proxy.forms import OptionsForm


def between(least: int, most: int) -> NumberRange:
    """A whole number in a range."""
    return NumberRange(least, most, message=f"Enter a number from {least} to {most}.")


def choices(*pairs: tuple[str, str]) -> list[SelectChoice]:
    """Values with their labels."""
    return [SelectChoice(str(value), label) for value, label in pairs]


class AppFields(OptionsForm):
    """An app: the image and all it needs, how it is checked and reached, and the options of its hosts."""

    version = IntegerField(validators=[Optional()])
    slug = StringField(
        "Name", validators=[DataRequired("Enter a short name, for example blog.")],
        description="Lower-case letters, digits and hyphens. It cannot be changed later.",
    )  # fmt: skip
    image = StringField(
        "Image", validators=[InputRequired("Enter an image, for example ghcr.io/acme/web.")],
        description="Repository, with its registry where it is not Docker Hub's.",
    )  # fmt: skip
    tag = StringField("Tag", default="latest")
    port = IntegerField(
        "Container port", validators=[InputRequired("Enter the port the container listens on."), between(1, 65535)],
        description="Where the container itself listens.",
    )  # fmt: skip
    subdomain = StringField("Subdomain", validators=[Length(max=253)])
    env = TextAreaField("Environment", description="One KEY=VALUE a line.")
    secrets = TextAreaField(
        "Secrets",
        description="KEY=VALUE lines, kept encrypted and never shown again. «KEY=» keeps the saved value.",
    )
    command = StringField("Command", description="Blank: what the image says.", validators=[Length(max=2000)])
    mounts = TextAreaField("Volumes", description="One SOURCE:TARGET a line, :ro at the end for read-only.")
    labels = TextAreaField("Labels", description="One KEY=VALUE a line.")
    memory = IntegerField("Memory (MiB)", default=512, validators=[InputRequired(), between(6, 1048576)])
    cpus = FloatField(
        "Processors", default=0.0, validators=[Optional(), NumberRange(0, 512, message="Enter 0 or more.")],
        description="0: no limit. 0.5 is half of one.",
    )  # fmt: skip
    pids = IntegerField("Processes", default=256, validators=[InputRequired(), between(1, 100000)])
    drop_all = BooleanField(
        "Drop every capability",
        description="Safest. Images that start as root and change user do not work then.",
    )
    restart = SelectField(
        "Restart", default=Restart.UNLESS_STOPPED,
        choices=choices(
            (Restart.UNLESS_STOPPED, "Unless stopped"), (Restart.ON_FAILURE, "On failure"), (Restart.NO, "Never")
        ),
    )  # fmt: skip
    reach = SelectField(
        "How the proxy reaches it", default=Reach.PORT,
        choices=choices(
            (Reach.PORT, "By a port of this server"), (Reach.NETWORK, "By a Docker network shared with the proxy")
        ),
    )  # fmt: skip
    network = StringField("Network", description="Made when it is not there yet.")
    publish_on = StringField(
        "Address", default="127.0.0.1",
        description="The address of this server that Nginx Proxy Manager can reach; the port is open only there.",
    )  # fmt: skip
    host_port = IntegerField(
        "Fixed port", validators=[Optional(), between(1, 65535)],
        description="Blank: one is chosen. With a fixed one the old version has to stop first.",
    )  # fmt: skip
    scheme = SelectField(
        "Container speaks", choices=choices(("http", "http"), ("https", "https")), default="http"
    )
    check_kind = SelectField(
        "Health check", default=CheckKind.AUTO,
        choices=choices(
            (CheckKind.AUTO, "The image's own, else a connection"), (CheckKind.HTTP, "An HTTP request"),
            (CheckKind.TCP, "A connection"),
        ),
    )  # fmt: skip
    check_path = StringField("Path", default="/")
    check_status = IntegerField("Expected status", default=200, validators=[Optional(), between(100, 599)])
    check_interval = IntegerField("Interval (s)", default=3, validators=[InputRequired(), between(1, 300)])
    check_timeout = IntegerField("Time-out (s)", default=5, validators=[InputRequired(), between(1, 60)])
    check_start_period = IntegerField(
        "Start period (s)", default=20, validators=[InputRequired(), between(0, 1800)],
        description="Failures this early do not count.",
    )  # fmt: skip
    strategy = SelectField(
        "Deploy", default=Strategy.AUTO,
        choices=choices(
            (Strategy.AUTO, "Blue-green where possible"), (Strategy.BLUE_GREEN, "Always blue-green"),
            (Strategy.STOP_FIRST, "Stop the old version first"),
        ),
    )  # fmt: skip
    drain = IntegerField(
        "Drain (s)", default=5, validators=[InputRequired(), between(0, 600)],
        description="Time for the old version's last requests.",
    )  # fmt: skip
    stop_seconds = IntegerField(
        "Stop within (s)", default=10, validators=[InputRequired(), between(1, 300)],
        description="Then it is ended the hard way.",
    )  # fmt: skip
    versions_kept = IntegerField("Old versions kept", default=5, validators=[InputRequired(), between(0, 50)])
    registry_user = StringField("Registry account", validators=[Length(max=255)])
    registry_password = PasswordField("Registry password", validators=[Length(max=2000)])
