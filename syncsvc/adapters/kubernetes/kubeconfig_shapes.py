"""What we read of kubectl's configuration files, by their own names."""

from msgspec import Struct
from msgspec import field as named


class Named(Struct, rename="kebab"):
    """An entry of a list; only one of the three is there."""

    name: str
    cluster: object = None
    context: object = None
    user: object = None


class Config(Struct, rename="kebab"):
    clusters: list[Named] | None = None
    contexts: list[Named] | None = None
    users: list[Named] | None = None
    current_context: str | None = None


class Context(Struct, rename="kebab"):
    cluster: str
    user: str = ""
    namespace: str | None = None


class Extension(Struct):
    name: str
    extension: object = None


class Cluster(Struct, rename="kebab"):
    server: str
    certificate_authority: str | None = None
    certificate_authority_data: str | None = None
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = None
    extensions: list[Extension] | None = None


class Variable(Struct):
    name: str
    value: str = ""


class Exec(Struct):
    command: str
    api_version: str = named(name="apiVersion")
    args: list[str] | None = None
    env: list[Variable] | None = None
    install_hint: str | None = named(name="installHint", default=None)
    provide_cluster_info: bool = named(name="provideClusterInfo", default=False)
    interactive_mode: str | None = named(name="interactiveMode", default=None)


class User(Struct, rename="kebab"):
    token: str | None = None
    token_file: str | None = named(name="tokenFile", default=None)
    client_certificate: str | None = None
    client_certificate_data: str | None = None
    client_key: str | None = None
    client_key_data: str | None = None
    username: str | None = None
    password: str | None = None
    exec: Exec | None = None
    auth_provider: object = None
    impersonate: str | None = named(name="as", default=None)
