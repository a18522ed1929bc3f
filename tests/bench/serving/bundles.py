"""What a bundle root holds."""

import json


def current(root):
    """The folder of the version that CURRENT names."""
    return root / (root / "CURRENT").read_text().strip()


def content(folder):
    """What a version's manifest says of its content."""
    return json.loads((folder / "MANIFEST.json").read_text())["content"]
