"""What the README tells people to type works."""

import re
import subprocess
import sys


def test_the_first_python_block_runs(repository, tmp_path):
    text = (repository / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block, "README.md has no Python block"
    # Beside the inputs that it names, but not in the repository: it writes.
    for name in ("seeds", "sample_tiles"):
        (tmp_path / name).symlink_to(repository / name)
    done = subprocess.run([sys.executable, "-W", "error", "-c", block[1]], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
