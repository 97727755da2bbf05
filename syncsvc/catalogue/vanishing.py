"""When a list is believed that lacks what is known: an outage must not empty a catalogue."""

MOST = 0.5  # of what is known


def vanishing(known: int, missing: int) -> str | None:
    """Say why so many may not be deleted at once; None when they may."""
    if not missing:
        return None
    if missing == known:
        return f"all {known} would be deleted"
    if missing > known * MOST:
        return f"{missing} of {known} would be deleted, more than half"
    return None


def shrinking(subject: str, known: int, found: int) -> str | None:
    """Say why a nuke that has found so few leaves what is known of a product; None if it may go.

    It compares numbers: a catalogue that was built anew there may have other ids.
    """
    reason = vanishing(known, max(known - found, 0))
    if reason is None:
        return None
    return f"{subject}: {reason}; the product stays as it was, --allow-vanishing would replace it"
