"""What a sandbox answers to: fixed, so that a command line or a test can be written in advance."""

from uuid import UUID

PROJECT_ID = UUID("5a9db0c5-0000-4000-8000-000000000001")
CONFIGURATION_ID = UUID("5a9db0c5-0000-4000-8000-000000000002")
WORKFLOW_ID = UUID("5a9db0c5-0000-4000-8000-000000000003")
USER_ID = UUID("5a9db0c5-0000-4000-8000-000000000004")  # author of everything
SECTION_ID = UUID("5a9db0c5-0000-4000-8000-000000000005")
NOTHING = UUID(int=0)  # Test IT's way of saying that an id is not set

TOKEN = "sandbox"  # noqa: S105  a fixed word of a loopback-only service is no secret
TESTIO_TOKEN = "sandbox-testio"  # noqa: S105  as above, and the name of TestIO's first world
KUBERNETES_TOKEN = "sandbox-kubernetes"  # noqa: S105  as above; it may read
KUBERNETES_ADMIN_TOKEN = "sandbox-kubernetes-admin"  # noqa: S105  as above; it may do everything
KUBERNETES_NOBODY_TOKEN = "sandbox-kubernetes-nobody"  # noqa: S105  as above; it may do nothing
