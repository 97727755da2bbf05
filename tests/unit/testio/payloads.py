"""Answers of TestIO in the shapes that its documents show; the secrets in them are invented."""

import json
from typing import Any

SECRETS = {
    "url": "https://hunter2.staging.invalid/",
    "username": "hunter2-user",
    "password": "hunter2-password",
    "access": "https://access.invalid/hunter2",
    "environment_test_information": "say hunter2",
    "binary_app": {"password": "hunter2"},
}


def body(name: str, content: object) -> bytes:
    return json.dumps({name: content, "meta": {"any": ["thing", 1, None]}}).encode()


def product(**more: object) -> dict[str, Any]:
    section = {"id": 20000, "name": "Section 1", "connection": None, "test_templates": {"total": 2}}
    return {
        "id": 2001,
        "name": "Shop",
        "description": None,
        "type": "website",
        "default_section_id": 20000,
        "sections": [section],
        "sections_with_default": [section],
        "connection": None,
        "remote_device_testing": False,
        **more,
    }


def story(**more: object) -> dict[str, Any]:
    text = "As a buyer, I can pay"
    return {"id": 700000, "path": f"Shop > {text}", "title": text, "feature_id": 190000, **more}


def feature(**more: object) -> dict[str, Any]:
    return {
        "id": 190000,
        "title": "Checkout",
        "description": "Pay",
        "howtofind": "Cart",
        "target_idx": None,
        "user_stories": [story()],
        **more,
    }


def test_feature(**more: object) -> dict[str, Any]:
    return {
        "id": 1000075,
        "feature_id": 190000,
        "title": "Checkout",
        "description": "Pay",
        "location": "Cart",
        "howtofind": "Cart",
        "target_idx": None,
        "enable_default": True,
        "enable_content": None,
        "enable_visual": False,
        "custom_report_configurations": [],
        "user_stories": ["As a buyer, I can pay"],
        **more,
    }


test_feature.__test__ = False


def requirement(**more: object) -> dict[str, Any]:
    return {
        "id": 1,
        "category": {"id": 1, "key": "computer", "name": "Computers"},
        "operating_system": {"id": 6, "key": "windows", "name": "Windows"},
        "min_operating_system_version": {"id": 198, "name": "10"},
        "browsers": [{"id": 2, "name": "Chrome", "key": "chrome"}],
        "devices": [],
        **more,
    }


def a_test(**more: object) -> dict[str, Any]:
    return {
        "id": 100025,
        "test_title": "Sprint 12",
        "title": "Sprint 12",
        "status": "locked",
        "review_status": "review_successful",
        "testing_type": "coverage",
        "start_at": "2026-02-27T14:00:00+02:00",
        "end_at": "2026-02-28T14:00:00+02:00",
        "goal": "**Goal**",
        "goal_text": "Goal",
        "instructions": "Look",
        "out_of_scope": "Nothing",
        "test_environment": {"id": 20010, "title": "Staging", **SECRETS},
        "features": [test_feature()],
        "requirements": [requirement()],
        "section": {"id": 20000, "name": "Section 1"},
        "product": {"id": 2001, "name": "Shop"},
        "created_by": "alice",
        "submitted_by": None,
        "enable_low": True,
        "enable_high": False,
        "enable_critical": None,
        "reviews": [{"status": "successful"}],
        "demo": False,
        **more,
    }
