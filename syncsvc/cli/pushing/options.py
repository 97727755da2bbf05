"""What these commands take; users of testit-cli find their variables (TMS_...) understood."""

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # its rules take a while to load, and --help needs none of them
    from syncsvc.results.pushed.model import RunLink

DEFAULT_API = "http://127.0.0.1:8080"
CODES = (
    "Exit codes: 0 done, 1 some results are dead or not delivered in time, or it was refused, "
    "2 wrong usage or a report that cannot be read, 69 the gateway cannot be reached, 130 Ctrl-C. "
    "Address and token of Test IT are the gateway's (SYNCSVC_TESTIT_URL, SYNCSVC_TESTIT_TOKEN; "
    "TMS_URL and TMS_TOKEN are not read); the gateway's own token is SYNCSVC_API_TOKEN."
)

Api = Annotated[str, typer.Option("--api", envvar="SYNCSVC_API_URL", help="The gateway's API.")]
Project = Annotated[
    str | None,
    typer.Option(
        "--project", envvar="TMS_PROJECT_ID", help="Project in Test IT; default: the gateway's."
    ),
]
Configuration = Annotated[
    str | None,
    typer.Option(
        "--configuration",
        envvar="TMS_CONFIGURATION_ID",
        help="Configuration in Test IT; default: the gateway's.",
    ),
]
Name = Annotated[
    str | None, typer.Option("--name", envvar="TMS_TEST_RUN_NAME", help="Name of the new run.")
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", help="Tag of the new run; repeatable. Else TMS_TEST_RUN_TAGS: a,b or a JSON array."
    ),
]
Links = Annotated[
    list[str] | None,
    typer.Option(
        "--link",
        help="URL for the new run; repeatable. Else TMS_TEST_RUN_LINKS: "
        'URLs with commas between, or [{"url", "title", "type"}] as JSON.',
    ),
]
Timeout = Annotated[str, typer.Option("--timeout", help="Longest wait, such as 60s or 10m.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def canonical_id(found: str | None) -> str | None:
    """Spell the id of a run as Test IT does; what is none is the gateway's to refuse."""
    from syncsvc.results.pushed.model import canonical

    return None if found is None else canonical(found)


def tags_of(given: list[str] | None) -> list[str]:
    """Give the tags, or those of the environment: words with commas between, or a JSON array.

    Raises BadParameter.
    """
    text = os.environ.get("TMS_TEST_RUN_TAGS", "").strip()
    words = given or (_decoded("TMS_TEST_RUN_TAGS", text) if _is_json(text) else text.split(","))
    return [str(word).strip() for word in words if str(word).strip()]


def links_of(given: list[str] | None) -> list["RunLink"]:
    """Give the links, or those of the environment: URLs with commas between, or JSON objects.

    Raises BadParameter.
    """
    text = os.environ.get("TMS_TEST_RUN_LINKS", "").strip()
    is_json = not given and _is_json(text)
    words = _decoded("TMS_TEST_RUN_LINKS", text) if is_json else given or text.split(",")
    return [_link(word) for word in words if not isinstance(word, str) or word.strip()]


def _is_json(text: str) -> bool:
    return text.startswith(("[", "{"))


def _decoded(name: str, text: str) -> list[Any]:
    import msgspec

    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"{name}: expected JSON, found {text[:80]!r}: {error}") from None
    return found if isinstance(found, list) else [found]


def _link(word: Any) -> "RunLink":
    import msgspec

    from syncsvc.results.pushed.model import RunLink

    try:
        return msgspec.convert({"url": word.strip()} if isinstance(word, str) else word, RunLink)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(f"a link: expected a URL or an object with url: {error}") from None
