"""What is out of order in a cluster: rights, the operator's resource, kubelets, nodes, tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta, Struct

from syncsvc.sandbox.identities import KUBERNETES_TOKEN
from syncsvc.sandbox.kubernetes.rights import Forbidden


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All switches; what is left out is in order."""

    forbidden: Sequence[Forbidden] = ()
    crd: bool = True
    kubelet: bool = True
    gone_nodes: Sequence[str] = ()
    expired_continues: Annotated[int, Meta(ge=0, le=1000)] = 0
    tokens: Sequence[str] = (KUBERNETES_TOKEN,)
    anonymous: Literal["nobody", "syncsvc", "admin"] = "nobody"  # kubectl sends none without TLS


@dataclass
class Switches:
    now: Wanted = field(default_factory=Wanted)
