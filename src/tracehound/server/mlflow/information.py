"""What the server says of itself to MLflow's clients."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from tracehound.server.served import Served
from tracehound.wire.mlflow.messages import Message

# The MLflow whose API this is. From 3.4 on its clients send spans to `/v1/traces`.
SPOKEN_VERSION: Final = "3.18.0"

# What of MLflow there is not, in the words in which its clients ask.
_INFORMATION: Final[dict[str, Any]] = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "artifact_serving_enabled": True,
    "presigned_upload_run_id_supported": False,
    "artifacts_presigned_only": False,
    "features_enabled": {"gateway": False, "scheduled_issue_detection": False},
    "tracking_auth": "",
}


async def tell_version(_served: Served, _request: Request) -> Response:
    """Return the version of MLflow whose API this is, which clients ask before they send spans."""
    return Response(SPOKEN_VERSION, media_type="text/plain")


def tell_server_info(_served: Served, _asked: Message) -> dict[str, Any]:
    """Return which parts of MLflow there are."""
    return dict(_INFORMATION)
