"""A call written down for a shell and in three languages: what is written runs, and makes the same call again."""

import ast
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.model import Call, Unreadable, Value
from sandbox.web.inbox.snippets import PLACEHOLDER, Snippet, of_call
from sandbox.web.wire import read_call
from tests.command_line import unmeasured
from tests.served import Served, served
from tests.worlds import READINGS, get

BASE_URL = "http://127.0.0.1:7670"
KEY = "the-real-key"

SIGNED = {"user": "you@example.com", "apiKey": KEY, "to": "+34600000001"}

TELLING = {
    "plain": "Your code is 1234",
    "quotes": 'it\'s "quoted" \\ and `ticked` $HOME ${x} %s {y} #{z} <?php ?> */ // ',
    "lines": "one\ntwo\r\n\tthree",
    "wide": "Ω رمز 📦 👩‍👧 \u202ehidden\u202c \xa0",
    "controls": "a\x00b\x07c\x1b[31md\x7f\x85",
    "signs": "+ & = % ; ? @file",
    "minus": "-d",
    "empty": "",
}


def posted(parameters: Mapping[str, Value]) -> Call:
    return Call("POST", "/sendMtSms.php", parameters)


def posted_json(parameters: Mapping[str, Value], query: Mapping[str, Value] | None = None) -> Call:
    return Call(
        "POST", "/sendMtSms.php", {**(query or {}), **parameters}, tuple(parameters), has_json_body=True
    )


CALLS: Mapping[str, Call] = {
    **{f"get {name}": get({**SIGNED, "message": text}) for name, text in TELLING.items()},
    **{f"form {name}": posted({**SIGNED, "message": text}) for name, text in TELLING.items()},
    **{f"json {name}": posted_json({**SIGNED, "message": text}) for name, text in TELLING.items()},
    "get octets": get({**SIGNED, "message": Unreadable("is not UTF-8", b"\xff\x00'\"\\"), "dcs": "4"}),
    "form octets": posted({**SIGNED, "message": Unreadable("is not UTF-8", b"\xff\x00'\"\\"), "dcs": "4"}),
    "json and query": posted_json({"message": "Hi"}, {**SIGNED}),
    "other path": Call("POST", "/httpinput/sendMtSms.php", {**SIGNED, "message": "Hi"}),
    "strange names": posted({**SIGNED, "message": "Hi", "a b=c&d": "1", "__proto__": "2", "é'\"$x": "3"}),
    "strange names in json": posted_json({**SIGNED, "message": "Hi", "a b": "1", "__proto__": "2", "0": "3"}),
}


def snippet(call: Call, name: str, base_url: str = BASE_URL) -> str:
    by_id: dict[str, Snippet] = {each.id: each for each in of_call(call, base_url=base_url)}
    return by_id[name].text


def as_sent(call: Call) -> Call:
    """Return a call as the endpoint must see it again."""
    parameters = {name: PLACEHOLDER if name == "apiKey" else value for name, value in call.parameters.items()}
    return call._replace(parameters=parameters)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Served]:
    with served() as running:
        yield running


def run_curl(text: str, _: Path) -> None:
    words = shlex.split(text.replace("\\\n", " "))
    assert words[0] == "curl"
    subprocess.run(
        [words[0], "-sS", "--noproxy", "*", *words[1:]], check=True, capture_output=True, timeout=30
    )


def run_file(program: str, name: str, text: str, folder: Path) -> None:
    path = folder / name
    path.write_text(text, "utf-8")
    subprocess.run([program, str(path)], env=unmeasured(), check=True, capture_output=True, timeout=30)


RUNNERS: Mapping[str, Callable[[str, Path], None]] = {
    "curl": run_curl,
    "python": partial(run_file, sys.executable, "call.py"),
    "php": partial(run_file, "php", "call.php"),
    "javascript": partial(run_file, "node", "call.mjs"),
}
NEEDED = {"curl": "curl", "php": "php", "javascript": "node"}


@pytest.mark.parametrize("language", RUNNERS)
@pytest.mark.parametrize("name", CALLS)
def test_a_snippet_makes_the_same_call_again(
    name: str, language: str, sandbox: Served, tmp_path: Path
) -> None:
    if language in NEEDED and shutil.which(NEEDED[language]) is None:
        pytest.skip(f"{NEEDED[language]} is not installed")
    call = CALLS[name]
    host, port = sandbox.address
    RUNNERS[language](snippet(call, language, f"http://{host}:{port}"), tmp_path)
    made, expected = sandbox.record.call, as_sent(call)
    assert dict(made.parameters) == {
        name: value if isinstance(value, str) else made.parameters[name]
        for name, value in expected.parameters.items()
    }
    octets = [value.octets for value in made.parameters.values() if isinstance(value, Unreadable)]
    assert octets == [value.octets for value in expected.parameters.values() if isinstance(value, Unreadable)]
    assert (made.method, made.path) == (call.method, call.path)
    assert sorted(made.json_names) == sorted(call.json_names)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: "api" not in name.lower() and name != "callbackUrl"
)


@given(st.dictionaries(names, texts, max_size=4))
def test_a_shell_reads_back_what_curl_is_given(values: dict[str, str]) -> None:
    words = shlex.split(snippet(posted(values), "curl").replace(" \\\n", " "))
    body = []
    for option, field in zip(words[2::2], words[3::2], strict=True):
        name, _, value = field.partition("=")
        encoded = "".join(f"%{octet:02X}" for octet in value.encode())
        body.append(f"{name}={encoded if option == '--data-urlencode' else value}")
    call = read_call("POST", "/", b"", "application/x-www-form-urlencoded", "&".join(body).encode(), READINGS)
    assert {name: value for name, value in call.parameters.items() if values.get(name) != ""} == {
        name: value for name, value in values.items() if value != ""
    }


@given(st.dictionaries(names, texts, max_size=4))
def test_python_reads_back_what_it_is_given(values: dict[str, str]) -> None:
    tree = ast.parse(snippet(posted(values), "python"))
    (given_,) = [
        ast.literal_eval(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "data"
    ]
    assert given_ == values


@given(st.dictionaries(names, texts, max_size=4))
def test_json_reads_back_what_it_is_given(values: dict[str, str]) -> None:
    words = shlex.split(snippet(posted_json(values), "curl").replace(" \\\n", " "))
    assert json.loads(words[-1]) == values


@given(st.dictionaries(names, texts, max_size=4), st.sampled_from(["GET", "POST"]))
def test_nothing_hides_in_what_is_copied(values: dict[str, str], method: str) -> None:
    for each in of_call(Call(method, "/sendMtSms.php", values), base_url=BASE_URL):
        assert all(char == "\n" or char.isprintable() for char in each.text)


@pytest.mark.parametrize("name", ["apiKey", "apikey", "APIKEY", "api_key"])
@pytest.mark.parametrize("make", [get, posted, posted_json])
def test_the_key_is_never_written(name: str, make: Callable[[Mapping[str, Value]], Call]) -> None:
    for each in of_call(make({"user": "you", name: KEY, "message": "Hi"}), base_url=BASE_URL):
        assert KEY not in each.text
        assert PLACEHOLDER in each.text


def test_the_password_of_a_callback_url_is_never_written() -> None:
    call = posted({"callbackUrl": "http://me:hunter2hunter2@127.0.0.1/"})
    assert not [each for each in of_call(call, base_url=BASE_URL) if "hunter2" in each.text]


def test_a_session_is_called_where_it_is() -> None:
    for each in of_call(get(SIGNED), base_url=f"{BASE_URL}/s/test-7"):
        assert f"{BASE_URL}/s/test-7/sendMtSms.php" in each.text


def test_what_was_no_text_is_told() -> None:
    call = posted_json({"message": Unreadable("is a JSON array: send a string")})
    assert "is a JSON array" in snippet(call, "curl")


def test_a_get_has_its_parameters_in_the_query() -> None:
    words = shlex.split(snippet(get({"to": "+34", "message": "a b"}), "curl").replace(" \\\n", " "))
    assert words == [
        "curl",
        "-G",
        f"{BASE_URL}/sendMtSms.php",
        "--data-urlencode",
        "to=+34",
        "--data-urlencode",
        "message=a b",
    ]
