"""Objects as the API shows them; their bytes are kept, for most are read far more than changed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from syncsvc.sandbox.kubernetes.model import (
    API_VERSIONS,
    NAMES,
    Job,
    Json,
    Kind,
    Meta,
    Object,
    Pod,
    TestRun,
    stamp,
)
from syncsvc.sandbox.kubernetes.pod_wire import pod_spec, pod_status
from syncsvc.sandbox.kubernetes.store import Stored

GRACE = timedelta(seconds=30)  # after a deletion was asked for; the timestamp is when it ends
_PARTIAL = ("meta.k8s.io/v1", "PartialObjectMetadata")


def item(kind: Kind, stored: Stored) -> bytes:
    """Encode for a list: custom resources name their kind there, built-in ones do not."""
    if stored.body is None:
        shown = _content(stored)
        if kind is Kind.TESTRUNS:
            shown = {"apiVersion": API_VERSIONS[kind], "kind": NAMES[kind], **shown}
        stored.body = msgspec.json.encode(shown)
    return stored.body


def single(kind: Kind, stored: Stored) -> bytes:
    """Encode for an answer of its own, or for a watch."""
    body = item(kind, stored)
    if kind is Kind.TESTRUNS:
        return body
    return f'{{"kind":"{NAMES[kind]}","apiVersion":"{API_VERSIONS[kind]}",'.encode() + body[1:]


def partial(stored: Stored) -> bytes:
    """Encode the metadata alone."""
    version, name = _PARTIAL
    shown = {"kind": name, "apiVersion": version, "metadata": _meta(stored)}
    return msgspec.json.encode(shown)


def _content(stored: Stored) -> Json:
    thing, shown = stored.object, {"metadata": _meta(stored)}
    if isinstance(thing, TestRun):
        shown["spec"] = thing.spec
        return shown if thing.status is None else {**shown, "status": thing.status}
    if isinstance(thing, Pod):
        return {**shown, "spec": pod_spec(thing), "status": pod_status(thing)}
    if isinstance(thing, Job):
        return {**shown, "spec": _job_spec(thing), "status": _job_status(thing)}
    return {**shown, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def _meta(stored: Stored) -> Json:
    meta = stored.object.meta
    shown: Json = {
        "name": meta.name,
        "namespace": meta.namespace,
        "uid": meta.uid,
        "resourceVersion": str(stored.version),
        "generation": meta.generation,
        "creationTimestamp": stamp(meta.created_at),
        "labels": meta.labels,
        "annotations": meta.annotations,
        "ownerReferences": _owners(meta),
    }
    if meta.deleting_at is not None:
        shown["deletionTimestamp"] = stamp(meta.deleting_at + GRACE)
        shown["deletionGracePeriodSeconds"] = int(GRACE.total_seconds())
    shown["managedFields"] = _managed(stored.object)
    return {name: value for name, value in shown.items() if value}


def _owners(meta: Meta) -> Sequence[Json]:
    if meta.owner is None:
        return ()
    kind = meta.owner.kind
    return [
        {
            "apiVersion": API_VERSIONS[kind],
            "kind": NAMES[kind],
            "name": meta.owner.name,
            "uid": meta.owner.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def _managed(thing: Object) -> Sequence[Json]:
    """Tell which fields whom belong to, which is half of what a real object says."""
    if isinstance(thing, TestRun):
        return _of_a_test_run(thing)
    if isinstance(thing, Pod):
        owned = {"f:metadata": _of_labels(thing.meta), "f:spec": fields(pod_spec(thing))}
        told = {"f:status": fields(pod_status(thing))}
        version, created = "v1", stamp(thing.meta.created_at)
        return [
            _entry("kube-controller-manager", version, created, owned),
            {**_entry("kubelet", version, created, told), "subresource": "status"},
        ]
    return ()


def _of_a_test_run(thing: TestRun) -> Sequence[Json]:
    version, created = API_VERSIONS[Kind.TESTRUNS], stamp(thing.meta.created_at)
    owned = {"f:spec": fields(thing.spec)}
    if thing.meta.labels:
        owned = {"f:metadata": _of_labels(thing.meta), **owned}
    entries = [_entry("unknown", version, created, owned)]
    if thing.status is not None:
        at = stamp(thing.status_at or thing.meta.created_at)
        told = _entry("unknown", version, at, {"f:status": fields(thing.status)})
        entries.append({**told, "subresource": "status"})
    return entries


def _of_labels(meta: Meta) -> Json:
    return {"f:labels": fields(dict(meta.labels))}


def _entry(manager: str, version: str, at: str, owned: Json) -> Json:
    return {
        "apiVersion": version,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned,
        "manager": manager,
        "operation": "Update",
        "time": at,
    }


def fields(value: Mapping[str, Any]) -> Json:
    """Name what a value holds in the way of server-side apply."""
    owned: Json = {".": {}}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            owned[f"f:{name}"] = fields(inner)
        elif isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            owned[f"f:{name}"] = _keyed(inner)
        else:
            owned[f"f:{name}"] = {}
    return owned


def _keyed(values: Sequence[Mapping[str, Any]]) -> Json:
    owned: Json = {".": {}}
    for each in values:
        key = "type" if "type" in each else "name"
        owned[f'k:{{"{key}":"{each.get(key, "")}"}}'] = fields(each)
    return owned


def _job_spec(job: Job) -> Json:
    return {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 0,
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": job.meta.uid}},
        "template": {"metadata": {"labels": job.meta.labels}},
        "completionMode": "NonIndexed",
        "suspend": False,
    }


def _job_status(job: Job) -> Json:
    shown: Json = {"startTime": stamp(job.meta.created_at)}
    for name, number in (
        ("active", job.active),
        ("succeeded", job.succeeded),
        ("failed", job.failed),
    ):
        if number:
            shown[name] = number
    if job.ended_at is None:
        return {**shown, "ready": job.active}
    at, kind = stamp(job.ended_at), "Complete" if job.succeeded else "Failed"
    reason = "CompletionsReached" if job.succeeded else "BackoffLimitExceeded"
    told = {"type": kind, "status": "True", "reason": reason}
    times = {"lastProbeTime": at, "lastTransitionTime": at}
    if job.succeeded:
        shown["completionTime"] = at
    return {**shown, "ready": 0, "conditions": [{**told, **times, "message": ""}]}
