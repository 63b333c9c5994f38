"""Settings that wait for their confirmation."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapp.db import Base


class SettingsDraft(Base):
    """What somebody wants to save, sealed because it may hold secrets, until the preview is confirmed."""

    __tablename__ = "settings_drafts"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    sealed: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
