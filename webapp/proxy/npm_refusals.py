"""What an operator is told when Nginx Proxy Manager does not do what was asked."""

from collections.abc import Iterable

from webapp.errors import ProxyError
from webapp.proxy.npm_certificate import Certificate
from webapp.proxy.npm_transport import Answer, NotAllowed
from webapp.proxy.npm_wire import Host


def refused(answer: Answer, action: str, email: str) -> ProxyError:
    """For an answer that says no to `action` ("create the proxy host a.example.com")."""
    if answer.denied:
        return denied(action, email)
    if answer.status == 400 and answer.message not in ("", "Internal Error"):
        return ProxyError(f"Nginx Proxy Manager refused to {action}: {answer.message}.")
    if answer.status in (400, 404):  # the next look tells what to do then
        return ProxyError(f"Nginx Proxy Manager could not {action}: it no longer has it.", will_heal=True)
    return ProxyError(f"Nginx Proxy Manager could not {action} (error {answer.status}).", will_heal=True)


def denied(action: str, email: str) -> ProxyError:
    """For an account that lacks the permission."""
    return NotAllowed(
        f"The account {email} may not {action}. Give it the permission in the list of users "
        "of Nginx Proxy Manager: Manage for proxy hosts, View for certificates."
    )


def unreadable(what: str) -> ProxyError:
    """For a read that failed in a way that says nothing."""
    return ProxyError(f"Nginx Proxy Manager could not be read: {what}.", will_heal=True)


def taken(domain: str, holder: Host | None) -> ProxyError:
    """For a name that another host has; `holder` is None when this account cannot see it."""
    if holder is None:
        return ProxyError(
            f"{domain} is in use in Nginx Proxy Manager, by a redirection, a 404 host or a host that "
            "this account cannot see. Remove it there, or choose another name."
        )
    owner = "was made by hand" if holder.mark is None else "belongs to something else"
    return ProxyError(
        f"{domain} is in use in Nginx Proxy Manager: proxy host {holder.id}, which {owner}. "
        "Adopt it, remove it there, or choose another name."
    )


def lost(what: str) -> ProxyError:
    """For a host that was there a moment ago: the next look tells what to do."""
    return ProxyError(f"Nginx Proxy Manager no longer has the proxy host of {what}.", will_heal=True)


def foreign(host: Host) -> ProxyError:
    """For a host that is not ours to touch."""
    return ProxyError(
        f"Proxy host {host.id} ({', '.join(host.domains)}) does not carry the mark it was made with here, "
        "so it is left alone. Adopt it to manage it here."
    )


def undone(what: str, timed_out: bool) -> ProxyError:
    """For a change that was not there when looked for; one that timed out may still come about."""
    if timed_out:
        return unconfirmed(what)
    return ProxyError(f"Nginx Proxy Manager failed at {what}; nothing was changed.", will_heal=True)


def unconfirmed(what: str, error: ProxyError | None = None) -> ProxyError:
    """For a change whose outcome could not be read afterwards."""
    reason = f" {error.message}" if error else ""
    return ProxyError(
        f"Nginx Proxy Manager could not confirm {what}.{reason}", will_heal=True, unconfirmed=True
    )


def blocked(hosts: Iterable[Host], certificates: Iterable[Certificate]) -> ProxyError:
    """For a change that nginx refuses because a configuration that was there before is bad.

    Nothing in the answer says which one, so the culprit is guessed. A change to the row has been made all the same.
    """
    hint = _culprit(list(hosts), {certificate.id for certificate in certificates})
    return ProxyError(
        "nginx refuses every change in Nginx Proxy Manager because the configuration of another site is "
        f"bad.{hint} Disable or repair that site there, then try again.",
        will_heal=True,
        unconfirmed=True,
    )


def _culprit(hosts: list[Host], certificates: set[int]) -> str:
    """Who is most likely to blame: a complaint of nginx's, a certificate that is gone, or a name that may be."""
    serving = [host for host in hosts if host.enabled]
    blamed = {host.blamed_host for host in hosts}
    for host in serving:
        if host.id in blamed:
            return f" It is {host.domains[0]} (proxy host {host.id}), which nginx complained about."
    for host in serving:
        if host.certificate_id and host.certificate_id not in certificates:
            return f" It may be {host.domains[0]} (proxy host {host.id}), whose certificate no longer exists."
    for host in serving:
        if host.named_upstreams:
            return (
                f" It may be {host.domains[0]} (proxy host {host.id}), where a custom location leads to "
                f"{host.named_upstreams[0]}, if that name cannot be found any more."
            )
    return ""
