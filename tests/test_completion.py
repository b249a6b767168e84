"""Shells complete commands, options and file names, as `docs/quick-start.md` says how to switch on."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

JAMLINE = Path(sys.executable).with_name("jamline")


def answer(shell, *words):
    """Ask for completion as a shell's script does."""
    number = str(len(words) - 1) if shell != "fish" else words[-1]
    typed = " ".join(words if shell != "fish" else words[:-1])
    variables = {"_JAMLINE_COMPLETE": f"{shell}_complete", "COMP_WORDS": typed, "COMP_CWORD": number}
    done = subprocess.run([JAMLINE], env=os.environ | variables, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_options_and_files_are_completed(shell):
    assert re.search(r"\bmeasure\b", answer(shell, "jamline", "mea"))
    assert "remeasure" not in answer(shell, "jamline", "mea")
    assert "--road-name" in answer(shell, "jamline", "measure", "--road")
    for words in (
        ("measure", "til"),
        ("measure", "--road", "ro"),
        ("check", "job"),
        ("remeasure", "ou"),
        ("batch", "j"),
    ):
        assert answer(shell, "jamline", *words).startswith("file"), words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_that_the_docs_give_switches_it_on(shell, repository, tmp_path):
    """Each line is in the docs, and the shells that are here take it and complete."""
    text = (repository / "docs" / "quick-start.md").read_text(encoding="utf-8")
    line = re.search(rf"^    (.*_JAMLINE_COMPLETE={shell}_source.*)$", text, re.MULTILINE)[1]
    source = subprocess.run(
        [JAMLINE], env=os.environ | {"_JAMLINE_COMPLETE": f"{shell}_source"}, capture_output=True, text=True, check=True
    ).stdout
    assert f"_JAMLINE_COMPLETE={shell}_complete" in source
    program = shutil.which(shell)
    if program is None or shell == "zsh":  # zsh completes only where somebody types
        return
    path = f"{JAMLINE.parent}{os.pathsep}{os.environ['PATH']}"
    ask = {
        "bash": 'COMP_WORDS=(jamline mea); COMP_CWORD=1; _jamline_completion jamline; echo "${COMPREPLY[@]}"',
        "fish": 'complete -C "jamline mea"',
    }[shell]
    script = f"{line}\n{ask}\n"
    done = subprocess.run(
        [program, "-c", script], env=os.environ | {"PATH": path, "HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert shlex.split(done.stdout)[0] == "measure"
