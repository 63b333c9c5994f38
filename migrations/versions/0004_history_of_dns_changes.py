"""History of DNS changes"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('dns_connections', schema=None) as batch_op:
        batch_op.add_column(sa.Column('approved_by', sa.String(length=100), nullable=False, server_default=sa.text("''")))

    with op.batch_alter_table('dns_records', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pin', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('asked_by', sa.String(length=100), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column('asked_for', sa.String(length=100), nullable=False, server_default=sa.text("''")))

    op.create_table('dns_changes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('round', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('connection_id', sa.Integer(), nullable=False),
    sa.Column('zone', sa.String(length=255), nullable=False),
    sa.Column('fqdn', sa.String(length=255), nullable=False),
    sa.Column('type', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('record_id', sa.String(length=128), nullable=True),
    sa.Column('before', sa.JSON(), nullable=True),
    sa.Column('after', sa.JSON(), nullable=True),
    sa.Column('why', sa.String(length=200), nullable=False),
    sa.Column('by', sa.String(length=100), nullable=False),
    sa.Column('consumer_type', sa.String(length=16), nullable=True),
    sa.Column('consumer_id', sa.Integer(), nullable=True),
    sa.Column('result', sa.String(length=16), nullable=False),
    sa.Column('error', sa.String(length=500), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dns_changes'))
    )
    with op.batch_alter_table('dns_changes', schema=None) as batch_op:
        batch_op.create_index('ix_dns_changes_result', ['connection_id', 'result'], unique=False)
        batch_op.create_index(batch_op.f('ix_dns_changes_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_dns_changes_fqdn'), ['fqdn'], unique=False)
        batch_op.create_index('uq_dns_changes_round', ['round', 'number'], unique=True)


def downgrade() -> None:
    op.drop_table('dns_changes')
    with op.batch_alter_table('dns_records', schema=None) as batch_op:
        batch_op.drop_column('asked_for')
        batch_op.drop_column('asked_by')
        batch_op.drop_column('version')
        batch_op.drop_column('pin')

    with op.batch_alter_table('dns_connections', schema=None) as batch_op:
        batch_op.drop_column('approved_by')
