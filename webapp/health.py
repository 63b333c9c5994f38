"""GET /healthz, for container health checks and monitors."""

from datetime import timedelta

from flask import Blueprint, Response, jsonify
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.db import db, now
from webapp.lease import Lease

WORKER = "worker"
ALIVE_FOR = timedelta(seconds=30)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """200 when the database answers and a worker has been at work in the last half minute, else 503."""
    try:
        alive = worker_is_alive(db.session())
    except SQLAlchemyError:
        return jsonify(status="failing", database="not readable", worker="unknown"), 503
    worker = "alive" if alive else "not running"
    return jsonify(status="ok" if alive else "failing", database="ok", worker=worker), 200 if alive else 503


def worker_is_alive(session: Session) -> bool:
    """Whether any worker has been at work in the last half minute."""
    beat = session.scalar(select(Lease.until).where(Lease.name == WORKER))
    return beat is not None and beat > now()
