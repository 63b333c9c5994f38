"""The images of the engine tests, made from busybox alone: nothing is pulled from outside."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import docker

BASE = """FROM scratch
COPY busybox /bin/busybox
COPY slow /www/cgi-bin/slow
RUN ["/bin/busybox","--install","-s","/bin"]
RUN mkdir -p /etc && mkdir -m 1777 /tmp && echo 'root:x:0:0:root:/:/bin/sh' >/etc/passwd
ENV PATH=/bin
"""
# /cgi-bin/slow answers after a second: a request that is under way while versions change.
SLOW_ANSWER = b"#!/bin/sh\nsleep 1\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\ncat /www/version\n"
WEB = """FROM rig-base:1
ARG VERSION=v1
ENV PORT=8080
RUN printf '%s\\n' "$VERSION" >/www/version && echo ok >/www/healthz
EXPOSE 8080
"""
CHECK = "HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD wget -q -O /dev/null http://127.0.0.1:$PORT/healthz\n"
SICK = "HEALTHCHECK --interval=1s --timeout=1s --retries=2 CMD echo not ready; exit 1\n"
LATE = "HEALTHCHECK --interval=1s --timeout=1s --retries=20 CMD wget -q -O /dev/null http://127.0.0.1:8080/healthz\n"
SERVE = 'CMD ["/bin/sh","-c","exec httpd -f -vv -p $PORT -h /www"]\n'
STUBBORN = """FROM rig-base:1
CMD ["/bin/sh","-c","trap '' TERM INT; while :; do date; sleep 1; done"]
"""

LOCKED = "rig-locked:v1"
DOCKERFILES = {
    "rig-web:v1": WEB + SERVE,
    "rig-web:v2": WEB.replace("VERSION=v1", "VERSION=v2") + SERVE,
    "rig-healthy:v1": WEB + CHECK + SERVE,
    "rig-healthy:v2": WEB.replace("VERSION=v1", "VERSION=v2") + CHECK + SERVE,
    "rig-sick:v1": WEB + SICK + SERVE,
    "rig-slow:v1": WEB + LATE + 'CMD ["/bin/sh","-c","sleep 5; exec httpd -f -p 8080 -h /www"]\n',
    "rig-crash:v1": "FROM rig-base:1\n"
    'CMD ["/bin/sh","-c","echo starting; echo fatal: no database >&2; sleep 0.3; exit 3"]\n',
    "rig-stubborn:v1": STUBBORN,
    "rig-deaf:v1": 'FROM rig-base:1\nEXPOSE 8080\nCMD ["/bin/sleep","100000"]\n',
    LOCKED: WEB + "LABEL kind=locked\n" + SERVE,
}
REMOTES = {
    "rig-web:v1": ("acme/web:v1",),
    "rig-web:v2": ("acme/web:v2",),
    "rig-healthy:v1": ("acme/healthy:v1",),
    "rig-healthy:v2": ("acme/healthy:v2",),
    **{
        f"rig-{kind}:v1": (f"acme/{kind}:v1", f"acme/web:{kind}", f"acme/healthy:{kind}")
        for kind in ("sick", "slow", "crash", "stubborn", "deaf")
    },
}
"""Where each image is pushed: a bad one also as a tag of the good ones, as a bad release is."""


def build(
    client: docker.DockerClient,
    tag: str,
    dockerfile: str,
    files: Mapping[str, bytes] | None = None,
    **arguments: str,
) -> None:
    """Build one image from a Dockerfile and files beside it."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, data in {"Dockerfile": dockerfile.encode(), **(files or {})}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    context.seek(0)
    client.images.build(fileobj=context, custom_context=True, tag=tag, rm=True, buildargs=arguments)


def build_all(client: docker.DockerClient) -> None:
    """Build all of them."""
    build(client, "rig-base:1", BASE, {"busybox": Path("/bin/busybox").read_bytes(), "slow": SLOW_ANSWER})
    for tag, dockerfile in DOCKERFILES.items():
        build(client, tag, dockerfile)
