"""How names of the wildcard look from outside"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('dns_records') as batch_op:
        batch_op.add_column(sa.Column('live_elsewhere', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE dns_records SET live_due_at = updated_at WHERE status = 'covered'")


def downgrade() -> None:
    with op.batch_alter_table('dns_records') as batch_op:
        batch_op.drop_column('live_elsewhere')
