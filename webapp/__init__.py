"""Wires the panel together; nothing imports it but the entry points and the tests."""

from pathlib import Path

from flask import Flask

from webapp import auth, db, errorpages, vault
from webapp.auth import protection
from webapp.config import Config
from webapp.deploy import connection as engines
from webapp.deploy.action_views import blueprint as actions
from webapp.deploy.instance_views import blueprint as instances
from webapp.deploy.views import blueprint as apps
from webapp.dns.history_views import blueprint as history
from webapp.dns.views import blueprint as dns
from webapp.health import blueprint as health
from webapp.overview.views import blueprint as overview
from webapp.proxy.adoption_views import blueprint as adoption
from webapp.proxy.certificates.views import blueprint as certificates
from webapp.proxy.drift_views import blueprint as drift
from webapp.proxy.views import blueprint as proxy
from webapp.settings.views import blueprint as settings
from webapp.templating import install as install_templating

MEGABYTE = 1024 * 1024


def create_app(config: Config | None = None) -> Flask:
    """The panel as a WSGI application. Raises InvalidInput for an environment it cannot work in."""
    config = config or Config.from_env()
    root = resources()
    app = Flask("webapp", root_path=str(root), static_folder="static", template_folder="templates")
    app.config.update(
        FORGE=config,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        MAX_CONTENT_LENGTH=MEGABYTE,
        MAX_FORM_MEMORY_SIZE=MEGABYTE,
        MAX_FORM_PARTS=200,
        TESTING=config.testing,
    )
    vault.init(app, config.secret_key)
    db.init(app)
    protection.init(app, config)
    auth.init(app)
    engines.init(app, config)
    errorpages.init(app)
    install_templating(app)
    for blueprint in (
        health, overview, apps, instances, actions, proxy, drift, adoption, certificates, dns, history, settings,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    return app


def resources() -> Path:
    """Where templates, static files and migrations are: inside the package once installed, beside it before."""
    package = Path(__file__).parent
    return package if (package / "templates").is_dir() else package.parent
