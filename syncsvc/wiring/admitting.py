"""Which credentials let somebody in, as the settings have them."""

from collections.abc import Sequence

from syncsvc.gateway.scopes import Credential, Credentials
from syncsvc.settings import ApiScope, Settings

API_TOKEN, SYNC_KEY = "api token", "sync api key"


def credentials_of(settings: Settings) -> Credentials:
    """Give the tokens of the API, and the key that is good for one request only."""
    tokens = [
        Credential.of(each.name, each.token.get_secret_value(), each.scopes)
        for each in settings.api_tokens
    ]
    if settings.api_token is not None:
        own = settings.api_token.get_secret_value()
        tokens.append(Credential.of(API_TOKEN, own, (ApiScope.ADMIN,)))
    key = settings.k6_sync_api_key
    sync_key = Credential.of(SYNC_KEY, key.get_secret_value(), (ApiScope.MANAGE,)) if key else None
    return Credentials(tuple(tokens), sync_key)


def workers_tokens(settings: Settings) -> Sequence[str] | None:
    """Give the tokens that a run's workers may show over WebSocket; None: they need none."""
    if not settings.api_guarded:
        return None
    return [token.get_secret_value() for token in settings.writing_tokens]
