"""Which names have to prove at their proxy host that they lead here: those that the provider proxies."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.dns import ledger
from webapp.dns.models import DnsRecord
from webapp.dns.proof import proof_for
from webapp.proxy.npm_proof import location


def pieces(session: Session) -> dict[str, str]:
    """What nginx has to be told for each of these names."""
    put_back = DnsRecord.pin["proxied"].as_boolean()  # counts before what the name or the settings say
    proxied = func.coalesce(put_back, DnsRecord.override_proxied, ledger.settings(session).proxied)
    query = select(DnsRecord.fqdn).where(DnsRecord.wanted, DnsRecord.connection_id.is_not(None), proxied)
    proofs = {name: proof_for(name) for name in session.scalars(query.distinct())}
    return {name: location(proof.path, proof.text) for name, proof in proofs.items()}
