"""Python files as components: how programs are made of them, kept, and replaced."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import COMMAND, TIMEOUT, Run, environment

LINES = """
[process.main]
component = "COMPONENT"
[stdin]
to = "main.lines"
[stdout]
from = "main.answers"
"""

SHOUT = """\
from transputer import Receiver, Sender, process
from words import louder

@process
def shout(lines: Receiver[str], answers: Sender[str]):
    "Says it louder."
    for line in lines:
        answers.send(louder(line))
"""

WORDS = "def louder(text): return text.upper()\n"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Run]:
    """Runs a subcommand in the test's folder, with a line on standard input."""

    def command(*arguments: str, **variables: str) -> Run:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=tmp_path,
            env=environment() | variables,
            input="hello\n",
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Run(done.stdout, done.stderr, done.returncode)

    return command


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., None]:
    """Writes files into the test's folder; a network that has a component at stdin and stdout is among them."""

    def write(component: str, **files: str) -> None:
        (tmp_path / "network.toml").write_text(LINES.replace("COMPONENT", component))
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)

    return write


Written = Callable[..., None]
Command = Callable[..., Run]


def test_a_file_is_a_component(written: Written, command: Command) -> None:
    written("shout.py", shout=SHOUT, words=WORDS)
    done = command("run", ".")
    assert (done.out, done.status) == ("HELLO\n", 0), done.err


def test_one_of_several_processes(written: Written, command: Command) -> None:
    written("app.py:shout", app=SHOUT + "\n@process\ndef other(n: int): ...\n", words=WORDS)
    assert command("run", ".").out == "HELLO\n"
    written("app.py")
    assert "it has 2 processes, `shout`, `other`; choose one, such as `app.py:shout`" in (
        command("check", ".").err
    )
    written("app.py:whisper")
    done = command("run", ".")
    assert (done.status, done.out) == (2, "")
    assert "it has no process `whisper`; it has `shout`, `other`" in done.err


def test_a_change_of_what_it_imports_is_noticed(
    written: Written, command: Command, tmp_path: Path
) -> None:
    written("shout.py", shout=SHOUT, words=WORDS)
    assert command("run", ".").out == "HELLO\n"
    written("shout.py", words="def louder(text): return text + '!'\n")
    assert command("run", ".").out == "hello!\n"
    # A package comes before a module of its name.
    (tmp_path / "words").mkdir()
    (tmp_path / "words/__init__.py").write_text("def louder(text): return text + '?'\n")
    assert command("run", ".").out == "hello?\n"


def test_what_it_says_of_itself(written: Written, command: Command) -> None:
    written("shout.py", shout=SHOUT, words=WORDS)
    done = command("inspect", "shout.py")
    assert done.out.startswith("shout\n  Says it louder.\narguments: none\ninputs:\n  lines: string\n")
    assert "network `" in command("check", ".").err


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def shout(:\n", "SyntaxError: invalid syntax"),
        ("import nobody\n", "ModuleNotFoundError: No module named 'nobody'"),
        ("x = 1\n", "no function of `main` is marked `@process`"),
        ("1 / 0\n", 'File "main.py", line 1, in <module>'),
        ("while True: x = bytearray(1 << 26) + x if 'x' in vars() else b''\n", "over its memory limit"),
        ("import fast\n", "`fast` is made of machine code (fast.so), which cannot run in a sandbox"),
        ("from transputer import Network\nNetwork()\n", "cannot run networks; it spawns processes"),
        (SHOUT.replace(": Receiver[str]", ""), "parameter `lines` has no annotation"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    written: Written, command: Command, tmp_path: Path, source: str, says: str
) -> None:
    (tmp_path / "fast.so").write_bytes(b"")
    written("main.py", main=source, words=WORDS)
    done = command("run", ".")
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    # That it was run by the interpreter is nobody's business.
    assert "interpreter/" not in done.err


def test_a_file_cannot_have_the_name_of_a_library_module(written: Written, command: Command) -> None:
    written("queue.py", queue=SHOUT, words=WORDS)
    assert "a module `queue` in the standard library; give the file another name" in (
        command("check", ".").err
    )


LIBRARY = """\
from transputer import Receiver, Sender, process

@process
def imports(lines: Receiver[str], answers: Sender[str]):
    import importlib
    for line in lines:
        for name in "csv sqlite3 xml.dom.minidom email.mime.text http.cookies wave multiprocessing".split():
            importlib.import_module(name)
        from later import answer
        import packed
        answers.send(answer(line, packed.VALUE))
"""


def test_imports_in_functions(written: Written, command: Command, tmp_path: Path) -> None:
    """Any module of the library; those of the program, and of a package on the path."""
    site = tmp_path / "site"
    (site / "packed").mkdir(parents=True)
    (site / "packed/__init__.py").write_text("from .inner import VALUE\n")
    (site / "packed/inner.py").write_text("VALUE = 7\n")
    written(
        "imports.py", imports=LIBRARY, later="def answer(text, value): return f'{text} {value}'\n"
    )
    done = command("run", ".", PYTHONPATH=str(site))
    assert (done.out, done.status) == ("hello 7\n", 0), done.err


def test_a_traceback_has_the_lines_of_all_modules(written: Written, command: Command) -> None:
    written("shout.py", shout=SHOUT, words="def louder(text):\n    raise KeyError(text)\n")
    done = command("run", ".")
    assert done.status == 1
    for line in ('File "shout.py", line 8', "answers.send(louder(line))", 'File "words.py", line 2'):
        assert line in done.err


def test_a_seed_decides_a_run(written: Written, command: Command) -> None:
    written("shout.py", shout=SHOUT, words="import random\ndef louder(text): return str(random.random())\n")
    first, second = (command("run", ".", "--seed", "7") for _ in range(2))
    assert first.out, first.err
    assert first.out == second.out


def test_watching_a_file(written: Written, tmp_path: Path) -> None:
    """A module that the file imports changes while its process runs; a version that cannot be imported does not
    take its place.
    """
    written("shout.py", shout=SHOUT, words=WORDS)
    running = subprocess.Popen(
        [COMMAND, "run", ".", "--watch", "--max-processes", "50"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdin and running.stdout and running.stderr

    def ask(line: str) -> str:
        assert running.stdin and running.stdout
        running.stdin.write(line + "\n")
        running.stdin.flush()
        return running.stdout.readline()

    def told(text: str) -> None:
        assert running.stderr
        while text not in (line := running.stderr.readline()):
            assert line, f"the command ended before it said {text!r}"

    # Nothing else would end a wait for a line that does not come.
    ends = threading.Timer(TIMEOUT, running.kill)
    ends.start()
    with running:
        told("watching the components' files")
        assert ask("hello") == "HELLO\n"
        (tmp_path / "words.py").write_text("def louder(text) return 1\n")
        told("SyntaxError")
        assert ask("hello") == "HELLO\n"
        (tmp_path / "words.py").write_text("def louder(text): return text + '!'\n")
        told("`main` runs")
        assert ask("hello") == "hello!\n"
        running.stdin.close()
        assert running.wait(TIMEOUT) == 0
    ends.cancel()


def test_without_an_interpreter(written: Written, command: Command) -> None:
    written("shout.py", shout=SHOUT, words=WORDS)
    done = command("run", ".", TRANSPUTER_PYTHON="")
    assert done.status == 2
    assert "`pip install transputer` brings it" in done.err
