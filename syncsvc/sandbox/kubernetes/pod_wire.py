"""The spec and the status of a Pod as the API shows them."""

from collections.abc import Sequence
from datetime import datetime

from syncsvc.sandbox.kubernetes.model import Container, Json, Pod, stamp

IMAGES = {"k6": "grafana/k6:latest", "k6-curl": "ghcr.io/grafana/k6-operator:latest-starter"}
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def pod_spec(pod: Pod) -> Json:
    volume = {"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io"}
    shown: Json = {"volumes": [{"name": "kube-api-access", "projected": {"defaultMode": 420}}]}
    inits = [_spec(each, pod, volume) for each in pod.containers if each.kind == "init"]
    if inits:
        shown["initContainers"] = inits
    shown["containers"] = [
        _spec(each, pod, volume) for each in pod.containers if each.kind != "init"
    ]
    shown |= {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "automountServiceAccountToken": True,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "tolerations": [_toleration(key) for key in _TOLERATED],
    }
    job = pod.meta.labels.get("job-name")
    if job is not None:
        shown["hostname"] = job
    return shown if pod.node is None else {**shown, "nodeName": pod.node}


def pod_status(pod: Pod) -> Json:
    shown: Json = {"phase": pod.phase, "conditions": _conditions(pod), "qosClass": "BestEffort"}
    shown |= {"reason": pod.reason} if pod.reason else {}
    shown |= {"message": pod.message} if pod.message else {}
    if pod.node is None:
        return shown
    shown |= {"hostIP": "127.0.0.1", "startTime": stamp(pod.meta.created_at)}
    inits = [_status(each, pod) for each in pod.containers if each.kind == "init"]
    if inits:
        shown["initContainerStatuses"] = inits
    shown["containerStatuses"] = [_status(e, pod) for e in pod.containers if e.kind != "init"]
    return shown


def _spec(container: Container, pod: Pod, volume: Json) -> Json:
    shown: Json = {"name": container.name, "image": image_of(container.name)}
    run = pod.meta.labels.get("k6_cr", "")
    if container.name == "k6" and pod.meta.labels.get("runner") == "true":
        index = pod.meta.labels.get("job-name", "").rpartition("-")[2]
        shown["command"] = ["k6", "run", "--quiet", "/test/test.js", "--address=0.0.0.0:6565"]
        tags = ["--paused", "--tag", f"instance_id={index}", "--tag", f"testrun_name={run}"]
        shown["command"] += tags
        shown["ports"] = [{"containerPort": 6565, "protocol": "TCP"}]
    return {
        **shown,
        "resources": {},
        "volumeMounts": [{**volume, "readOnly": True}],
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always",
    }


def image_of(name: str) -> str:
    return IMAGES.get(name, f"registry.example.com/{name}:1")


def _toleration(key: str) -> Json:
    known = {"key": key, "operator": "Exists"}
    return {**known, "effect": "NoExecute", "tolerationSeconds": 300}


def _conditions(pod: Pod) -> Sequence[Json]:
    ready = pod.phase == "Running"
    states = {"Initialized": pod.node is not None, "Ready": ready, "ContainersReady": ready}
    shown = [_condition(kind, holds=holds, pod=pod) for kind, holds in states.items()]
    scheduled = _condition("PodScheduled", holds=pod.node is not None, pod=pod)
    if pod.unschedulable is not None:
        scheduled |= {"reason": "Unschedulable", "message": pod.unschedulable}
    return [*shown, scheduled]


def _condition(kind: str, *, holds: bool, pod: Pod) -> Json:
    at = stamp(pod.meta.created_at)
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "lastProbeTime": None,
        "lastTransitionTime": at,
    }


def _status(container: Container, pod: Pod) -> Json:
    running = container.state == "running"
    identifier = f"containerd://{pod.meta.uid}-{container.name}"
    return {
        "name": container.name,
        "state": {container.state: _state(container, identifier)},
        "lastState": {},
        "ready": running,
        "started": running,
        "restartCount": container.restarts,
        "image": image_of(container.name),
        "imageID": "" if container.state == "waiting" else f"{image_of(container.name)}@sha256:5a",
        **({} if container.state == "waiting" else {"containerID": identifier}),
    }


def _state(container: Container, identifier: str) -> Json:
    if container.state == "running":
        return {"startedAt": _moment(container.started_at)}
    told: Json = {"reason": container.reason} if container.reason else {}
    told |= {"message": container.message} if container.message else {}
    if container.state == "waiting":
        return told
    return {
        "exitCode": container.exit_code,
        **told,
        "startedAt": _moment(container.started_at),
        "finishedAt": _moment(container.finished_at),
        "containerID": identifier,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
