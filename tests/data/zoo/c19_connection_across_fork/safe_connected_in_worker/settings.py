"""Where the database is."""

import os

DATABASE = os.environ.get("DATABASE_URL", "postgresql://app@db/app")
