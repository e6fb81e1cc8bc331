"""The notes table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("notes", sa.Column("text", sa.String(1000), primary_key=True))


def downgrade() -> None:
    op.drop_table("notes")
