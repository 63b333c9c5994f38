"""How names look from outside"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('dns_records') as batch_op:
        batch_op.add_column(sa.Column('live', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('live_message', sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column('live_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('live_due_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('live_tries', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_index('ix_dns_records_live', ['live', 'live_due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_dns_records_live_due_at'), ['live_due_at'], unique=False)
    op.create_table('dns_address_watch',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('looked_at', sa.DateTime(), nullable=True),
    sa.Column('message', sa.String(length=500), nullable=False),
    sa.Column('new_ipv4', sa.String(length=15), nullable=True),
    sa.Column('new_ipv4_at', sa.DateTime(), nullable=True),
    sa.Column('new_ipv6', sa.String(length=45), nullable=True),
    sa.Column('new_ipv6_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dns_address_watch'))
    )
    # What is at the provider already is looked at soon, too.
    op.execute("UPDATE dns_records SET live_due_at = updated_at WHERE status = 'synced'")


def downgrade() -> None:
    op.drop_table('dns_address_watch')
    with op.batch_alter_table('dns_records') as batch_op:
        batch_op.drop_index(batch_op.f('ix_dns_records_live_due_at'))
        batch_op.drop_index('ix_dns_records_live')
        for column in ('live_tries', 'live_due_at', 'live_at', 'live_message', 'live'):
            batch_op.drop_column(column)
