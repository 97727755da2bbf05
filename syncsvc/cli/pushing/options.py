"""What these commands take; users of testit-cli find their variables (TMS_...) understood."""

import os
from typing import Annotated

import typer

DEFAULT_API = "http://127.0.0.1:8080"
CODES = (
    "Exit codes: 0 done, 1 some results are dead or not delivered in time, or it was refused, "
    "2 wrong usage or a report that cannot be read, 69 the gateway cannot be reached, 130 Ctrl-C. "
    "The API's token comes from SYNCSVC_API_TOKEN."
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
    typer.Option("--tag", help="Tag of the new run; repeatable. Else TMS_TEST_RUN_TAGS: a,b."),
]
Links = Annotated[
    list[str] | None,
    typer.Option("--link", help="URL for the new run; repeatable. Else TMS_TEST_RUN_LINKS."),
]
Timeout = Annotated[str, typer.Option("--timeout", help="Longest wait, such as 60s or 10m.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def tags_of(given: list[str] | None) -> list[str]:
    """Give the tags, or those of the environment."""
    words = given or os.environ.get("TMS_TEST_RUN_TAGS", "").split(",")
    return [word.strip() for word in words if word.strip()]


def links_of(given: list[str] | None) -> list[str]:
    """Give the links, or those of the environment: URLs with commas between, or JSON with `url`.

    Raises BadParameter.
    """
    text = os.environ.get("TMS_TEST_RUN_LINKS", "").strip()
    if given or not text.startswith(("[", "{")):
        return [word.strip() for word in given or text.split(",") if word.strip()]
    import msgspec

    try:
        found = msgspec.json.decode(text)
        each = found if isinstance(found, list) else [found]
        return [str(link["url"] if isinstance(link, dict) else link) for link in each]
    except (msgspec.DecodeError, KeyError) as error:
        raise typer.BadParameter(
            f"TMS_TEST_RUN_LINKS: expected URLs, or JSON objects with url: {error!r}"
        ) from None
