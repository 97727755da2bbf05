"""Calls that change a cluster: TestRuns are made, patched and deleted, and pods too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from starlette.responses import Response

from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.model import (
    GROUP,
    VERSION,
    Container,
    Json,
    Kind,
    Meta,
    Pod,
    TestRun,
)
from syncsvc.sandbox.kubernetes.operator import Operator
from syncsvc.sandbox.kubernetes.schema import TEST_RUN, pruned, wrong, wrong_name
from syncsvc.sandbox.kubernetes.status import (
    JSON_TYPE,
    Failure,
    about,
    bad_request,
    invalid,
    json_response,
    not_found,
    qualified,
)
from syncsvc.sandbox.kubernetes.store import Stored
from syncsvc.sandbox.kubernetes.wire import single

MERGE = "application/merge-patch+json"
_TYPES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
_KIND = "TestRun"


@dataclass(frozen=True)
class Writing:
    operator: Operator

    def create(self, kind: Kind, asked: Asked, body: bytes) -> Response:
        self._check_namespace(asked)
        if kind is Kind.PODS:
            return self._create_pod(asked, _object(body))
        if kind is not Kind.TESTRUNS:
            raise Failure(405, "the server does not allow this method on the requested resource")
        content, gone = _pruned(asked, _object(body))
        content.pop("status", None)
        name = content.get("metadata", {}).get("name")
        _check(content, str(name), [*wrong_name(name)])
        key = (asked.namespace or "", str(name))
        if self.operator.store.get(Kind.TESTRUNS, key):
            told = f'{qualified("testruns", GROUP)} "{name}" already exists'
            raise Failure(409, told, about(str(name), GROUP, "testruns"), "AlreadyExists")
        labels = dict(content["metadata"].get("labels") or {})
        self.operator.create(key, content["spec"], labels)
        return self._shown(Kind.TESTRUNS, key, 201, gone)

    def patch(self, asked: Asked, content_type: str, body: bytes) -> Response:
        """Merge a patch into a TestRun, or into its status alone."""
        if content_type.partition(";")[0] != MERGE:
            text = "the body of the request was in an unknown format - accepted media types include"
            raise Failure(415, f"{text}: {_TYPES}")
        stored, run = self._test_run(asked)
        return self._change(asked, stored, run, merged(_whole(stored, run), _object(body)))

    def update(self, asked: Asked, body: bytes) -> Response:
        stored, run = self._test_run(asked)
        return self._change(asked, stored, run, _object(body))

    def delete(self, kind: Kind, asked: Asked, body: bytes) -> Response:
        key = (asked.namespace or "", asked.name or "")
        stored = self.operator.store.get(kind, key)
        if stored is None:
            raise not_found(kind, asked.group, key[1])
        wanted = (_object(body) if body.strip() else {}).get("preconditions") or {}
        _check_uid(stored.object.meta, wanted.get("uid"))
        if kind is Kind.PODS:
            self.operator.delete_pod(key)
            return self._shown(kind, key, 200, ())
        self.operator.delete(key)
        details = {"name": key[1], "group": GROUP, "kind": kind, "uid": stored.object.meta.uid}
        head: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}}
        return json_response({**head, "status": "Success", "details": details})

    def _change(self, asked: Asked, stored: Stored, run: TestRun, wished: Json) -> Response:
        content, gone = _pruned(asked, wished)
        _check_version(stored, run, content)
        of_status = asked.sub == "status"
        _check(content if of_status else {**content, "status": {}}, run.meta.name, ())
        if of_status:
            changed = self._with_status(run, content.get("status"))
        else:
            changed = _with_spec(run, content)
        if changed != run:
            self.operator.store.put(Kind.TESTRUNS, changed)
        return self._shown(Kind.TESTRUNS, run.meta.key, 200, gone)

    def _with_status(self, run: TestRun, status: Json | None) -> TestRun:
        if status == run.status:
            return run
        return replace(run, status=status, status_at=self.operator.clock())

    def _test_run(self, asked: Asked) -> tuple[Stored, TestRun]:
        key = (asked.namespace or "", asked.name or "")
        stored = self.operator.store.get(Kind.TESTRUNS, key)
        if stored is None or not isinstance(stored.object, TestRun):
            raise not_found("testruns", GROUP, key[1])
        return stored, stored.object

    def _create_pod(self, asked: Asked, content: Json) -> Response:
        meta, spec = content.get("metadata") or {}, content.get("spec") or {}
        inits = [Container(each["name"], "init") for each in spec.get("initContainers") or ()]
        first, *rest = spec.get("containers") or [{"name": "main"}]
        told = [Container(first["name"]), *(Container(each["name"], "sidecar") for each in rest)]
        key = (asked.namespace or "", str(meta.get("name")))
        at, labels = self.operator.clock(), dict(meta.get("labels") or {})
        its = Meta(*key, self.operator.pods.uid(), at, labels)
        pod = Pod(its, (*inits, *told), spec.get("nodeName"))
        self.operator.store.put(Kind.PODS, pod)
        return self._shown(Kind.PODS, key, 201, ())

    def _check_namespace(self, asked: Asked) -> None:
        name = asked.namespace or ""
        if self.operator.store.get(Kind.NAMESPACES, ("", name)) is None:
            raise not_found("namespaces", "", name)

    def _shown(
        self, kind: Kind, key: tuple[str, str], status: int, gone: Sequence[str]
    ) -> Response:
        stored = self.operator.store.get(kind, key)
        assert stored is not None, "it has just been written"
        response = Response(single(kind, stored) + b"\n", status, media_type=JSON_TYPE)
        for name in gone:
            response.headers.append("Warning", f'299 - "unknown field \\"{name}\\""')
        return response


def merged(old: Any, patch: Any) -> Any:
    """Merge as RFC 7386 says: null takes away, objects go into each other, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _object(body: bytes) -> Json:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(found, dict):
        raise bad_request("couldn't get version/kind; json parse error: expected an object")
    return found


def _pruned(asked: Asked, content: Json) -> tuple[Json, list[str]]:
    kept, gone = pruned(TEST_RUN, content)
    if gone and asked.query.get("fieldValidation") == "Strict":
        told = ", ".join(f'unknown field "{name}"' for name in gone)
        text = f'TestRun in version "{VERSION}" cannot be handled as a TestRun'
        raise bad_request(f"{text}: strict decoding error: {told}")
    return kept, gone


def _check(content: Json, name: str, causes: Sequence[tuple[str, str, str]]) -> None:
    found = [*causes, *wrong(TEST_RUN, {"spec": {}, **content})]
    if found:
        raise invalid(_KIND, GROUP, name, found)


def _check_uid(meta: Meta, wanted: object) -> None:
    if wanted is None or wanted == meta.uid:
        return
    told = f"the UID in the precondition ({wanted}) does not match the UID in record ({meta.uid})"
    of = f'{qualified(_KIND, GROUP)} "{meta.name}"'
    text = f"Operation cannot be fulfilled on {of}: {told}."
    raise Failure(409, text, about(meta.name, GROUP, _KIND))


def _check_version(stored: Stored, run: TestRun, content: Mapping[str, Any]) -> None:
    wanted = (content.get("metadata") or {}).get("resourceVersion")
    if wanted in (None, str(stored.version)):
        return
    of = f'{qualified("testruns", GROUP)} "{run.meta.name}"'
    text = f"Operation cannot be fulfilled on {of}: the object has been modified"
    raise Failure(409, text, about(run.meta.name, GROUP, "testruns"))


def _whole(stored: Stored, run: TestRun) -> Json:
    metadata = {
        "labels": dict(run.meta.labels),
        "annotations": dict(run.meta.annotations),
        "resourceVersion": str(stored.version),
    }
    whole: Json = {"metadata": metadata, "spec": run.spec}
    return whole if run.status is None else {**whole, "status": run.status}


def _with_spec(run: TestRun, content: Json) -> TestRun:
    metadata, spec = content.get("metadata") or {}, content.get("spec") or {}
    meta = replace(
        run.meta,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        generation=run.meta.generation + int(spec != run.spec),
    )
    return replace(run, meta=meta, spec=spec)
