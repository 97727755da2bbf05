"""Files that belong to a run itself, and how far each is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("run_name", "run_state", "run_reason"):
        op.add_column("attachments", sa.Column(name, sa.Text))
