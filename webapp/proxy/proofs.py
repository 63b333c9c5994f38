"""Which names have to prove at their proxy host that they lead here: those that somebody proxies."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.dns import ledger
from webapp.dns.models import DnsRecord, Status
from webapp.dns.proof import proof_for
from webapp.proxy.npm_proof import location


def pieces(session: Session) -> dict[str, str]:
    """What nginx has to be told for each of these names."""
    put_back = DnsRecord.pin["proxied"].as_boolean()  # counts before what the name or the settings say
    proxied = func.coalesce(put_back, DnsRecord.override_proxied, ledger.settings(session).proxied)
    kept = DnsRecord.connection_id.is_not(None) & proxied
    by_the_wildcard = (DnsRecord.status == Status.COVERED) & DnsRecord.live_elsewhere
    query = select(DnsRecord.fqdn).where(DnsRecord.wanted, kept | by_the_wildcard)
    proofs = {name: proof_for(name) for name in session.scalars(query.distinct())}
    return {name: location(proof.path, proof.text) for name, proof in proofs.items()}
