"""The server under load. Load is ghz's, started as deploy/loadtest does it."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "deploy/loadtest"))
