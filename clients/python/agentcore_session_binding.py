"""Helpers for notebooks and agents beside agentcore-session-binding. Python 3.9 or newer, standard library only.

The functions with ``oauth2`` in their names are called as those of AWS's sample ``oauth2_callback_server.py``: a
notebook written for the sample changes its import and nothing else. ``store_user_token`` and
``wait_for_authorization`` do more: pin a flow to its user, and learn how it ended without polling AgentCore.

The service is expected at http://localhost:9090; ``AGENTCORE_SESSION_BINDING_URL`` names another place.
"""

import json
import logging
import os
import random
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Mapping, NoReturn, Optional

__all__ = [
    "SessionBindingError",
    "StoredUserToken",
    "get_oauth2_callback_base_url",
    "get_oauth2_callback_url",
    "store_token_in_oauth2_callback_server",
    "store_user_token",
    "wait_for_authorization",
    "wait_for_oauth2_server_to_be_ready",
]

OAUTH2_CALLBACK_SERVER_PORT = 9090

logger = logging.getLogger(__name__)

_COMMAND = "agentcore-session-binding"
_STUDIO_METADATA = "/opt/ml/metadata/resource-metadata.json"

_REQUEST_SECONDS = 10.0
_LONGEST_POLL_SECONDS = 25
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_LONGEST_RETRY_AFTER_SECONDS = 60.0

_ENDINGS = {
    "denied": "consent_denied",
    "expired": "authorization_expired",
    "refused": "authorization_refused",
    "unknown": "outcome_unknown",
}


class SessionBindingError(Exception):
    """Says by a stable ``code`` what went wrong, and under which ``request_id`` the service logged it.

    Codes are the service's own (docs/contract.md, section 6), and ``authorization_refused``, ``timed_out``,
    ``unreachable`` and ``unexpected_answer``. It never carries a token, a URL or somebody else's text.
    """

    def __init__(
        self,
        code: str,
        status: Optional[int] = None,
        request_id: Optional[str] = None,
        retry_after_seconds: Optional[float] = None,
    ) -> None:
        reference = "" if request_id is None else f" (request {request_id})"
        super().__init__(f"session binding: {code}{reference}")
        self.code = code
        self.status = status
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class StoredUserToken:
    """What the service answers to a user token. Links and states are not shown when this is printed."""

    subject: str
    username: Optional[str]
    expires_at: datetime
    callback_url: str
    #: ``customState`` of GetResourceOauth2Token, for agents that cannot pin.
    custom_state: str = field(repr=False)
    #: What to show instead of the authorization URL; there is one where that was pinned.
    start_url: Optional[str] = field(repr=False)
    #: Single-user environments only: signs this user in, once. Whoever holds it can.
    sign_in_url: Optional[str] = field(repr=False)


def get_oauth2_callback_base_url() -> str:
    """Where browsers reach the service: ``PUBLIC_URL``, a Studio space's own address, or localhost."""
    return get_oauth2_callback_url().removesuffix("/oauth2/callback")


def get_oauth2_callback_url() -> str:
    """The callback URL that AgentCore redirects to: what a workload identity must allow as a return URL.

    In SageMaker Studio the service's own command is asked, so that both always say the same.
    """
    public_url = os.environ.get("PUBLIC_URL")
    if public_url:
        return f"{public_url.rstrip('/')}/oauth2/callback"
    if _is_in_studio():
        studio_url = _callback_url_of_command()
        if studio_url is not None:
            return studio_url
    return f"{_service_url()}/oauth2/callback"


def store_token_in_oauth2_callback_server(user_token_value: str) -> None:
    """Hands the user's token to the service before the agent is invoked."""
    if not user_token_value:
        logger.error("Not stored: there is no user token")
        return
    store_user_token(user_token_value)


def wait_for_oauth2_server_to_be_ready(duration: timedelta = timedelta(seconds=40)) -> bool:
    """True as soon as the service can do its work; False when ``duration`` is over."""
    try:
        _ask("/ready", {}, None, duration.total_seconds())
    except SessionBindingError as error:
        logger.error("The session binding service is not ready after %s: %s", duration, error.code)
        return False
    return True


def store_user_token(
    user_token: str,
    *,
    authorization_url: Optional[str] = None,
    session_uri: Optional[str] = None,
    return_to: Optional[str] = None,
    label: Optional[str] = None,
    timeout: timedelta = timedelta(seconds=30),
) -> StoredUserToken:
    """Hands over the user's token and, where the flow is named, pins it to this user.

    ``authorization_url`` and ``session_uri`` are AgentCore's answer to GetResourceOauth2Token. Show the
    ``start_url`` of what comes back, never the authorization URL: whoever reads that one can consent with an
    account of his own.
    """
    fields = {
        "user_token": _checked(user_token),
        "authorization_url": authorization_url,
        "session_uri": session_uri,
        "return_to": return_to,
        "label": label,
    }
    body = json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
    headers = {"Content-Type": "application/json"}
    answer = _ask("/userIdentifier/token", headers, body, timeout.total_seconds())
    stored = _parse_stored(answer)
    if stored is None or (authorization_url is not None and stored.start_url is None):
        raise SessionBindingError("unexpected_answer")
    return stored


def wait_for_authorization(
    user_token: str,
    *,
    session_uri: Optional[str] = None,
    authorization_url: Optional[str] = None,
    timeout: timedelta = timedelta(minutes=10),
) -> None:
    """Returns when the flow that this user token has pinned is bound. Ask AgentCore then, once.

    Raises ``SessionBindingError`` as soon as it is known that it will not be: ``consent_denied``,
    ``authorization_expired``, ``authorization_refused``, ``outcome_unknown``. Outages are waited out.
    """
    flow = session_uri if session_uri is not None else _session_uri_of(authorization_url)
    if flow is None:
        raise SessionBindingError("invalid_request")
    headers = {"Authorization": f"Bearer {_checked(user_token)}"}
    path = f"/authorizations/{urllib.parse.quote(flow, safe='')}"
    deadline = time.monotonic() + timeout.total_seconds()
    failures = 0
    while True:
        asked = time.monotonic()
        left = deadline - asked
        if left <= 0:
            raise SessionBindingError("timed_out")
        seconds = min(_LONGEST_POLL_SECONDS, int(left))
        retry_after = None
        try:
            answer = _send(f"{path}?wait={seconds}", headers, None, min(left, seconds + _REQUEST_SECONDS))
        except SessionBindingError as error:
            if not _is_passing(error):
                raise
            failures += 1
            retry_after = error.retry_after_seconds
        else:
            status = answer.get("status")
            if status == "completed":
                return
            if status != "pending":
                raise SessionBindingError(_ENDINGS.get(str(status), "unexpected_answer"))
            # A service that cannot hold the poll answers at once: it must not be asked again at once.
            if time.monotonic() - asked >= 1:
                failures = 0
                continue
            failures += 1
        time.sleep(max(0.0, min(_pause_seconds(failures, retry_after), deadline - time.monotonic())))


def _ask(path: str, headers: Mapping[str, str], body: Optional[bytes], budget_seconds: float) -> Dict[str, Any]:
    """Asks until there is an answer. Only for requests that may be repeated: a POST of a user token is one."""
    deadline = time.monotonic() + budget_seconds
    failures = 0
    while True:
        left = deadline - time.monotonic()
        try:
            return _send(path, headers, body, max(0.05, min(left, _REQUEST_SECONDS)))
        except SessionBindingError as error:
            failures += 1
            pause = _pause_seconds(failures, error.retry_after_seconds)
            # Told to come back later than that: the caller learns now what he would learn then.
            if not _is_passing(error) or time.monotonic() + pause >= deadline:
                raise
        time.sleep(pause)


def _is_passing(error: SessionBindingError) -> bool:
    return error.code == "unreachable" or error.status in (429, 503)


def _pause_seconds(failures: int, retry_after: Optional[float]) -> float:
    ceiling = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE_SECONDS)
    jittered = ceiling * (0.5 + random.random() / 2)
    return max(jittered, min(retry_after or 0.0, _LONGEST_RETRY_AFTER_SECONDS))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the user token to wherever it points."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _send(path: str, headers: Mapping[str, str], body: Optional[bytes], timeout: float) -> Dict[str, Any]:
    service = _service_url()
    request = urllib.request.Request(
        service + path, data=body, headers={"Accept": "application/json", **headers}
    )
    # A proxy for the world outside has no business with this machine's own addresses.
    proxies = urllib.request.ProxyHandler({} if service.startswith("http:") else None)
    opener = urllib.request.build_opener(_NoRedirects, proxies)
    try:
        with opener.open(request, timeout=timeout) as response:
            return _parse_object(response.read())
    except urllib.error.HTTPError as error:
        refusal = error
    except SessionBindingError:
        raise
    except Exception:  # Whatever the library says of a request may quote it.
        refusal = None
    # Outside of the handlers: a traceback shows the exception that another one came out of.
    if refusal is None:
        raise SessionBindingError("unreachable")
    _raise_refusal(refusal)


def _parse_object(content: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    raise SessionBindingError("unexpected_answer") from None


def _raise_refusal(refusal: urllib.error.HTTPError) -> NoReturn:
    status, headers = refusal.code, refusal.headers
    code = None
    if headers.get_content_type() == "application/problem+json":
        try:
            code = json.loads(refusal.read()).get("code")
        except Exception:
            code = None
    refusal.close()
    if not isinstance(code, str) or not re.fullmatch(r"[a-z_]{1,40}", code):
        code = "unreachable" if status in (429, 502, 503, 504) else "unexpected_answer"
    # Only what the service itself makes: whatever else stands there may be an echo of the request.
    request_id = re.fullmatch(r"[\w-]{16}", headers.get("x-request-id") or "", re.ASCII)
    retry_after = re.fullmatch(r"[0-9]{1,9}", headers.get("retry-after") or "")
    raise SessionBindingError(
        code,
        status,
        request_id and request_id.group(),
        retry_after and float(retry_after.group()),
    )


def _parse_stored(answer: Mapping[str, Any]) -> Optional[StoredUserToken]:
    user = answer.get("user")
    expires_at = _parse_time(answer.get("expires_at"))
    callback_url, custom_state = answer.get("callback_url"), answer.get("custom_state")
    subject = user.get("subject") if isinstance(user, dict) else None
    if expires_at is None or not all(isinstance(text, str) for text in (subject, callback_url, custom_state)):
        return None
    return StoredUserToken(
        subject=subject,
        username=user.get("username"),
        expires_at=expires_at,
        callback_url=callback_url,
        custom_state=custom_state,
        start_url=answer.get("start_url"),
        sign_in_url=answer.get("sign_in_url"),
    )


def _parse_time(text: Any) -> Optional[datetime]:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        return None


def _checked(user_token: str) -> str:
    """What no JWT looks like goes nowhere: the library would quote it in the error it raises."""
    if not isinstance(user_token, str) or not re.fullmatch(r"[A-Za-z0-9_.~+/=-]+", user_token):
        raise SessionBindingError("invalid_token")
    return user_token


def _session_uri_of(authorization_url: Optional[str]) -> Optional[str]:
    """AgentCore puts the id of the flow into the URL of its consent page."""
    query = urllib.parse.urlsplit(authorization_url or "").query
    values = urllib.parse.parse_qs(query).get("request_uri", [])
    return values[0] if values else None


def _service_url() -> str:
    text = os.environ.get("AGENTCORE_SESSION_BINDING_URL") or f"http://localhost:{OAUTH2_CALLBACK_SERVER_PORT}"
    url = urllib.parse.urlsplit(text)
    is_loopback = re.fullmatch(
        r"(?:[^.]+\.)*localhost|127(?:\.[0-9]+){3}|::1", url.hostname or ""
    )
    # Who listens on the network would read every user token.
    is_confidential = url.scheme == "https" or (url.scheme == "http" and is_loopback)
    if not is_confidential or url.username is not None or url.query or url.fragment:
        raise ValueError("AGENTCORE_SESSION_BINDING_URL must be https, or http on loopback, and no more")
    return text.rstrip("/")


def _is_in_studio() -> bool:
    path = os.environ.get("SAGEMAKER_METADATA_FILE") or _STUDIO_METADATA
    try:
        with open(path, encoding="utf-8") as file:
            metadata = json.load(file)
    except (OSError, ValueError):
        return False
    return isinstance(metadata, dict) and {"DomainId", "SpaceName"} <= metadata.keys()


def _callback_url_of_command() -> Optional[str]:
    command = shutil.which(_COMMAND)
    if command is None:
        logger.error("The address of this Studio space is not known: set PUBLIC_URL, or put %s on PATH", _COMMAND)
        return None
    try:
        told = subprocess.run([command, "callback-url"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        logger.error("%s callback-url does not run: set PUBLIC_URL", _COMMAND)
        return None
    if told.returncode != 0:
        logger.error("%s", told.stderr.strip())
    return told.stdout.strip() or None
