"""Those fields of TestIO's objects that we read, with the types that they must have.

Of a test's environment nothing is named here but its id and title: the rest is never kept.
"""

from typing import Annotated

from msgspec import Meta, Struct

Int = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # what a database takes


class Named(Struct):
    """An object of which we want the name: whoever made a test, a system, a browser."""

    id: Int | None = None
    key: str | None = None
    name: str | None = None


class RawSection(Struct):
    id: Int
    name: str


class RawProduct(Struct):
    id: Int
    name: str
    type: str | None = None
    description: str | None = None
    sections: list[RawSection] | None = None


class RawStory(Struct):
    title: str | None = None
    path: str | None = None
    id: Int | None = None


Stories = list[str | RawStory] | None  # titles alone, unless more was asked for


class RawFeature(Struct):
    id: Int
    title: str
    description: str | None = None
    howtofind: str | None = None
    user_stories: Stories = None


class RawTestFeature(Struct):
    id: Int
    feature_id: Int
    title: str | None = None
    description: str | None = None
    howtofind: str | None = None
    enable_default: bool | None = None
    enable_content: bool | None = None
    enable_visual: bool | None = None
    user_stories: Stories = None


class RawRequirement(Struct):
    id: Int
    category: Named | str | None = None
    operating_system: Named | str | None = None
    browsers: list[Named | str] | None = None


class RawEnvironment(Struct):
    id: Int | None = None
    title: str | None = None


class RawReference(Struct):
    id: Int | None = None


class RawTest(Struct):
    id: Int
    title: str | None = None
    test_title: str | None = None
    status: str | None = None
    review_status: str | None = None
    testing_type: str | None = None
    start_at: str | None = None
    end_at: str | None = None
    goal: str | None = None
    instructions: str | None = None
    out_of_scope: str | None = None
    test_environment: RawEnvironment | None = None
    section: RawReference | None = None
    enable_low: bool | None = None
    enable_high: bool | None = None
    enable_critical: bool | None = None
    created_by: Named | str | None = None
    submitted_by: Named | str | None = None
    features: list[RawTestFeature] | None = None
    requirements: list[RawRequirement] | None = None
