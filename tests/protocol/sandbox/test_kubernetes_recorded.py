"""What a real API server was asked and answered, asked of the sandbox's Kubernetes.

The recordings are reduced to their facts: status, type and, of a refusal, all that it says; of
an answer, which fields it has. They are replayed in their order, for later ones need what
earlier ones have made.
"""

import json
from pathlib import Path

from syncsvc.sandbox.identities import (
    KUBERNETES_ADMIN_TOKEN,
    KUBERNETES_NOBODY_TOKEN,
    KUBERNETES_TOKEN,
)
from tests.support.kubernetes import MERGE, NAMESPACE, PODS, TESTRUNS, a_kubernetes

ROWS = json.loads((Path(__file__).parent / "kubernetes_recorded.json").read_text())
TOKENS = {
    "reader": KUBERNETES_TOKEN,
    "admin": KUBERNETES_ADMIN_TOKEN,
    "nobody": KUBERNETES_NOBODY_TOKEN,
    "wrong": "wrong",
    None: None,
}
POD = "bench-0-1-x1xyz"
PARTIAL = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


async def prepare(world):
    """Make what the recorded cluster held beforehand."""
    labels = {"app": "k6", "syncsvc": "yes"}
    await world.testruns(name="bench", count=100, parallelism=4, labels=labels, until="started")
    spec = {"containers": [{"name": "k6", "image": "i"}], "nodeName": "fake-1"}
    await world.admin("POST", PODS, {"metadata": {"name": POD}, "spec": spec})
    operator = world.cluster.operator
    operator.pods.run((NAMESPACE, POD), ("bench-0", ""), operator.clock())
    texts = [f'time="2026-11-21T00:00:00Z" level=info msg="iteration {n}"' for n in range(200)]
    await world.tell("POST", "/emit", {"pod": POD, "texts": texts})
    forbidden = [{"resource": "pods", "namespace": "default"}]
    await world.tell("PUT", "/switches", {"forbidden": forbidden})


def headers_of(row):
    token = TOKENS[row["as"]]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if row["call"].startswith("PATCH") and "unsupported" not in row["does"]:
        headers |= MERGE
    if "metadata only" in row["does"]:
        headers |= {"Accept": PARTIAL}
    return headers


async def replay(world, row, go_on):
    if "kubelet down" in row["does"]:
        await world.tell("PUT", "/switches", {"kubelet": False})
    method, path = row["call"].replace("{continue}", go_on).split(" ", 1)
    request = world.http.build_request(
        method, world.url + path, headers=headers_of(row), json=row.get("body")
    )
    return await world.http.send(request, stream="lines" in row)


async def lines_of(row, reply):
    """Read as much of a watch as was recorded, rather than wait for its end."""
    found = []
    async for line in reply.aiter_lines():
        found.append(json.loads(line))
        if len(found) == len(row["lines"]):
            break
    await reply.aclose()
    return [{"type": each["type"], "keys": sorted(each["object"])} for each in found]


async def compared(row, reply):
    """Give what the row says, as the sandbox has it."""
    known = {name: row[name] for name in ("does", "call", "as", "body") if name in row}
    found = {"status": reply.status_code}
    for name, header in (("type", "content-type"), ("warning", "warning")):
        if header in reply.headers:
            found[name] = reply.headers[header]
    if "retry-after" in reply.headers:
        found["retry_after"] = reply.headers["retry-after"]
    told = {"lines": await lines_of(row, reply)} if "lines" in row else content(row, reply)
    return {**known, **found, **told}


def content(row, reply):
    if "text" in row:
        return {"text": reply.text}
    if "refusal" in row:
        told = reply.json()
        return {"refusal": {name: told[name] for name in row["refusal"] if name in told}}
    return shape(row, reply.json()) if "keys" in row else {}


def shape(row, told):
    found = {"kind": told.get("kind"), "keys": sorted(told)}
    if "metadata" in row:
        found["metadata"] = sorted(told["metadata"])
    if "item" in row:
        first = told["items"][0]
        found |= {"item": sorted(first), "item_metadata": sorted(first["metadata"])}
    return found


async def test_the_sandbox_answers_as_the_recorded_server_did():
    differences, go_on = [], ""

    async with a_kubernetes() as world:
        await prepare(world)
        for row in ROWS:
            reply = await replay(world, row, go_on)
            if (found := await compared(row, reply)) != row:
                differences.append((row, found))
            if row["does"] == "list limit 2":
                go_on = reply.json()["metadata"]["continue"]

    assert differences == []
    assert len(ROWS) == 69
    assert TESTRUNS in ROWS[1]["call"]
