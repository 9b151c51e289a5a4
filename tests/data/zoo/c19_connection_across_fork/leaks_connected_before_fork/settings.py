"""Where the store is."""

import os

STORE = os.environ.get("KV_SOCKET", "/run/kv.sock")
