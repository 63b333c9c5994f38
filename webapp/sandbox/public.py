"""A stand-in for the public side: Cloudflare's edge, with the nginx of Nginx Proxy Manager behind it."""

import re

from webapp.sandbox.cloudflare import CloudflareStandIn
from webapp.sandbox.npm import NpmStandIn
from webapp.sandbox.server import Reply, Request, StandIn

_LOCATION = re.compile(r'location = (\S+) \{ default_type text/plain; return 200 "([^"]*)"; \}')


class PublicStandIn(StandIn):
    """Serves what the hosts at the NPM stand-in serve by themselves, for names that the zone has a record of.

    Those whose addresses are not the server's, which is at the public address, are served by somebody else.

    A host that forces SSL has visitors go to https, which nobody serves here: its proof counts all the same.
    """

    def __init__(self, cloudflare: CloudflareStandIn, npm: NpmStandIn, port: int = 0) -> None:
        super().__init__(port)
        self.cloudflare, self.npm = cloudflare, npm

    def handle(self, request: Request) -> Reply:
        """Answer as the name's host does; everything behind it is out."""
        if request.path == "/cdn-cgi/trace":
            return Reply(200, f"ip={self.cloudflare.public_ip}\n".encode(), {"Content-Type": "text/plain"})
        name = request.headers.get("host", "").partition(":")[0].lower()
        wild = f"*.{name.partition('.')[2]}"
        records = self.cloudflare.find(name) or self.cloudflare.find(wild)
        if not records:
            return Reply(409, "error code: 1001")
        addresses = {record["content"] for record in records if record["type"] == "A"}
        if addresses and self.cloudflare.public_ip not in addresses:
            return Reply(200, "<html><body>Another server</body></html>")
        host = self.npm.host_for(name) or self.npm.host_for(wild)
        if host is None or not self.npm.served() & {name, wild}:
            return Reply(404, "<html><body>404 Not Found</body></html>")
        places = dict(_LOCATION.findall(host["advanced_config"]))
        if request.path in places:
            return Reply(200, places[request.path].encode(), {"Content-Type": "text/plain"})
        return Reply(502, "<html><body>502 Bad Gateway</body></html>")
