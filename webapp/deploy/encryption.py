"""The certificate of an app, which all its hosts use: asked for with the form, and put to use when it is there."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from webapp.db import now, reading
from webapp.deploy.models import App
from webapp.proxy import instances
from webapp.proxy.certificates import service
from webapp.proxy.certificates.holders import encryption_of
from webapp.proxy.certificates.models import CertificateRequest, Holder
from webapp.proxy.forms import OptionsForm
from webapp.proxy.models import ProxyHost


class Apps:
    """Apps as holders of certificates, see `holders.Keeper`."""

    def names(self, session: Session, holder_id: int) -> Sequence[str] | None:
        """The names of its instances."""
        app = session.get(App, holder_id)
        if app is None or app.removing:
            return None
        return [instance.fqdn for instance in app.instances if not instance.removing]

    def encryption(self, session: Session, holder_id: int) -> dict[str, Any]:
        """As in its row."""
        return encryption_of(session.get_one(App, holder_id))

    def encrypt(self, session: Session, holder_id: int, encryption: Mapping[str, Any], at: datetime) -> None:
        """Changes the app and its hosts; a form that is open by now is out of date."""
        app = session.get_one(App, holder_id)
        if encryption_of(app) == dict(encryption):
            return
        for name, value in encryption.items():
            setattr(app, name, value)
        app.updated_at, app.version = at, app.version + 1
        for host in self.hosts(session, holder_id):
            instances.apply_options(host, app, tuple(encryption), at=at)

    def hosts(self, session: Session, holder_id: int) -> Sequence[ProxyHost]:
        """Those of its instances."""
        app = session.get_one(App, holder_id)
        return list(instances.hosts_of(session, [instance.id for instance in app.instances]).values())


def asked_for(app: App | None) -> CertificateRequest | None:
    """The request for a certificate of this app that is not fulfilled, if there is one."""
    if app is None:
        return None
    with reading() as session:
        return service.of_holders(session, Holder.APP, [app.id]).get(app.id)


def asking(form: OptionsForm) -> Callable[[App], None]:
    """What to do about the certificate once the app is written."""
    chosen, at = form.chosen(), now()
    return lambda app: chosen.apply(Holder.APP, app.id, [one.fqdn for one in app.instances], at)
