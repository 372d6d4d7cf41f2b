"""python3 -m unittest. Against a running service too, where SESSION_BINDING_TRIAL describes one (npm test does)."""

import inspect
import json
import logging
import os
import socket
import struct
import sys
import threading
import time
import traceback
import unittest
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest import mock

import agentcore_session_binding as binding
from agentcore_session_binding import SessionBindingError

USER_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJuZXZlci1zaG93In0.c2lnbmF0dXJlLWNhbmFyeQ"
SESSION_URI = "urn:ietf:params:oauth:request_uri:abc.DEF~1"
AUTHORIZATION_URL = (
    "https://authorize.example/identities/oauth2/authorize"
    "?request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aabc.DEF~1"
)
REQUEST_ID = "Zx81_Qy-77aBcDeF"
STORED = {
    "status": "success",
    "user": {"subject": "sub-of-alice", "username": "alice"},
    "expires_at": "2030-01-01T00:00:00.000Z",
    "callback_url": "https://binding.example/oauth2/callback",
    "custom_state": "sb1.sealed-canary",
    "start_url": "https://binding.example/oauth2/start?flow=opaque-canary",
    "sign_in_url": "http://localhost:9090/sign-in?code=one-time-canary",
}


def text_reply(status, content_type, text, headers):
    def reply(handler, _body):
        handler.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Type": content_type, **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text.encode())

    return reply


def json_reply(value, status=200, **headers):
    return text_reply(status, "application/json", json.dumps(value), headers)


def problem(status, code, **headers):
    text = json.dumps({"code": code, "title": "No", "detail": "No."})
    return text_reply(status, "application/problem+json", text, {"X_Request_Id": REQUEST_ID, **headers})


def html(status, text="<!doctype html><p>Something in between.</p>", **headers):
    return text_reply(status, "text/html", text, headers)


def reset(handler, _body):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def truncated(handler, _body):
    handler.send_response(200)
    handler.send_header("Content-Length", "64")
    handler.end_headers()
    handler.wfile.write(b'{"status":')


PASSING = {
    "overloaded": problem(503, "overloaded"),
    "rate_limited": problem(429, "rate_limited"),
    "no targets": html(503),
    "bad gateway": html(502),
    "reset": reset,
    "truncated": truncated,
}
FINAL = {
    "invalid_token": problem(401, "invalid_token"),
    "user_mismatch": problem(403, "user_mismatch"),
    "internal_error": problem(500, "internal_error"),
    "unexpected_answer": html(404),
}


@contextmanager
def service(*replies):
    """A server that gives these replies in turn, the last one for ever. Yields what arrived."""
    arrived = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            arrived.append((self.command, self.path, dict(self.headers), body.decode()))
            try:
                replies[min(len(arrived), len(replies)) - 1](self, body)
            except OSError:
                pass

        do_GET = do_POST = answer

        def log_message(self, *_args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with mock.patch.dict(os.environ, {"AGENTCORE_SESSION_BINDING_URL": url}):
            yield arrived
    finally:
        server.shutdown()
        server.server_close()


def everything_in(error):
    shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return "\n".join([str(error), repr(error), repr(vars(error)), repr(error.args), shown])


class Storing(unittest.TestCase):
    def test_posts_what_it_was_given_and_gives_the_answer_typed(self):
        with service(json_reply(STORED)) as arrived:
            stored = binding.store_user_token(
                USER_TOKEN, authorization_url=AUTHORIZATION_URL, label="GitHub", return_to="https://app.example/"
            )
        method, path, headers, body = arrived[0]
        self.assertEqual((method, path), ("POST", "/userIdentifier/token"))
        self.assertEqual(headers["Content-Type"], "application/json")
        # What makes the service take the caller for a browser.
        self.assertFalse({"Origin", "Sec-Fetch-Site"} & headers.keys())
        self.assertEqual(
            json.loads(body),
            {
                "user_token": USER_TOKEN,
                "authorization_url": AUTHORIZATION_URL,
                "label": "GitHub",
                "return_to": "https://app.example/",
            },
        )
        self.assertEqual(stored.start_url, STORED["start_url"])
        self.assertEqual(stored.sign_in_url, STORED["sign_in_url"])
        self.assertEqual(stored.custom_state, STORED["custom_state"])
        self.assertEqual((stored.subject, stored.username), ("sub-of-alice", "alice"))
        self.assertEqual(stored.expires_at, datetime(2030, 1, 1, tzinfo=timezone.utc))

    def test_shows_no_link_and_no_state_in_a_notebook(self):
        with service(json_reply(STORED)):
            self.assertNotIn("canary", repr(binding.store_user_token(USER_TOKEN)))
            self.assertIsNone(binding.store_token_in_oauth2_callback_server(USER_TOKEN))

    def test_stores_no_empty_token_and_says_so(self):
        with service(json_reply(STORED)) as arrived, self.assertLogs(binding.logger, logging.ERROR):
            self.assertIsNone(binding.store_token_in_oauth2_callback_server(""))
        self.assertEqual(arrived, [])

    def test_tries_again_after_what_passes(self):
        for name, reply in PASSING.items():
            with self.subTest(name), service(reply, json_reply(STORED)) as arrived:
                binding.store_user_token(USER_TOKEN)
                self.assertEqual(len(arrived), 2)

    def test_does_not_ask_again_after_what_stays(self):
        for code, reply in FINAL.items():
            with self.subTest(code), service(reply) as arrived:
                with self.assertRaises(SessionBindingError) as caught:
                    binding.store_user_token(USER_TOKEN)
                self.assertEqual((caught.exception.code, len(arrived)), (code, 1))

    def test_names_the_reference_of_the_log(self):
        with service(problem(403, "user_mismatch")), self.assertRaises(SessionBindingError) as caught:
            binding.store_user_token(USER_TOKEN)
        self.assertEqual(str(caught.exception), f"session binding: user_mismatch (request {REQUEST_ID})")
        self.assertEqual((caught.exception.status, caught.exception.request_id), (403, REQUEST_ID))

    def test_takes_no_answer_without_a_start_link_for_a_pin(self):
        with service(json_reply({**STORED, "start_url": None})), self.assertRaises(SessionBindingError) as caught:
            binding.store_user_token(USER_TOKEN, authorization_url=AUTHORIZATION_URL)
        self.assertEqual(caught.exception.code, "unexpected_answer")

    def test_waits_as_long_as_it_is_told_to_or_says_so_at_once(self):
        with service(problem(503, "overloaded", Retry_After="1"), json_reply(STORED)):
            started = time.monotonic()
            binding.store_user_token(USER_TOKEN)
            self.assertGreaterEqual(time.monotonic() - started, 1)
        with service(problem(429, "rate_limited", Retry_After="60")) as arrived:
            with self.assertRaises(SessionBindingError) as caught:
                binding.store_user_token(USER_TOKEN)
        self.assertEqual((caught.exception.code, caught.exception.retry_after_seconds), ("rate_limited", 60))
        self.assertEqual(len(arrived), 1)

    def test_leaves_half_of_each_pause_to_chance_and_caps_what_it_is_told(self):
        for failures, (least, most) in {1: (0.1, 0.2), 3: (0.4, 0.8), 9: (2.5, 5), 99_999: (2.5, 5)}.items():
            pauses = [binding._pause_seconds(failures, None) for _ in range(50)]
            self.assertTrue(all(least <= pause <= most for pause in pauses))
            self.assertGreater(len(set(pauses)), 1)
        self.assertEqual(binding._pause_seconds(1, 86_400.0), 60)


class Waiting(unittest.TestCase):
    def test_asks_with_the_user_token_for_the_flow_and_holds_the_poll_open(self):
        for flow in ({"session_uri": SESSION_URI}, {"authorization_url": AUTHORIZATION_URL}):
            with service(json_reply({"status": "completed"})) as arrived:
                self.assertIsNone(binding.wait_for_authorization(USER_TOKEN, **flow))
            method, path, headers, _body = arrived[0]
            escaped = "urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aabc.DEF~1"
            self.assertEqual((method, path), ("GET", f"/authorizations/{escaped}?wait=25"))
            self.assertEqual(headers["Authorization"], f"Bearer {USER_TOKEN}")

    def test_ends_at_once_with_each_ending(self):
        for status, code in {
            "denied": "consent_denied",
            "expired": "authorization_expired",
            "refused": "authorization_refused",
            "unknown": "outcome_unknown",
            "new": "unexpected_answer",
        }.items():
            with self.subTest(status), service(json_reply({"status": "pending"}), json_reply({"status": status})):
                with self.assertRaises(SessionBindingError) as caught:
                    binding.wait_for_authorization(USER_TOKEN, session_uri=SESSION_URI)
                self.assertEqual(caught.exception.code, code)

    def test_waits_out_what_passes(self):
        for name, reply in PASSING.items():
            with self.subTest(name), service(reply, json_reply({"status": "completed"})) as arrived:
                binding.wait_for_authorization(USER_TOKEN, session_uri=SESSION_URI)
                self.assertEqual(len(arrived), 2)

    def test_ends_at_once_after_what_stays(self):
        for code, reply in {**FINAL, "not_found": problem(404, "not_found")}.items():
            with self.subTest(code), service(reply) as arrived:
                with self.assertRaises(SessionBindingError) as caught:
                    binding.wait_for_authorization(USER_TOKEN, session_uri=SESSION_URI)
                self.assertEqual((caught.exception.code, len(arrived)), (code, 1))

    def test_ends_with_its_time(self):
        with service(json_reply({"status": "pending"})) as arrived:
            with self.assertRaises(SessionBindingError) as caught:
                binding.wait_for_authorization(
                    USER_TOKEN, session_uri=SESSION_URI, timeout=timedelta(milliseconds=400)
                )
        self.assertEqual(caught.exception.code, "timed_out")
        # A server that cannot hold the poll is not asked in a circle.
        self.assertLess(len(arrived), 6)

    def test_asks_nobody_about_no_flow(self):
        with service(json_reply({"status": "completed"})) as arrived:
            for flow in ({}, {"authorization_url": "https://authorize.example/"}):
                with self.assertRaises(SessionBindingError) as caught:
                    binding.wait_for_authorization(USER_TOKEN, **flow)
                self.assertEqual(caught.exception.code, "invalid_request")
        self.assertEqual(arrived, [])


class Readiness(unittest.TestCase):
    def test_asks_until_the_service_is_ready(self):
        starting = json_reply({"status": "starting"}, 503)
        with service(reset, starting, json_reply({"status": "degraded"})) as arrived:
            self.assertIs(binding.wait_for_oauth2_server_to_be_ready(), True)
        self.assertEqual([path for _, path, _, _ in arrived], ["/ready"] * 3)

    def test_says_false_when_it_does_not_come(self):
        with service(json_reply({"status": "starting"}, 503)), self.assertLogs(binding.logger, logging.ERROR):
            self.assertIs(binding.wait_for_oauth2_server_to_be_ready(timedelta(milliseconds=300)), False)


class CallbackUrl(unittest.TestCase):
    def place(self, **variables):
        plain = {"PATH": os.environ["PATH"], "SAGEMAKER_METADATA_FILE": "/nowhere"}
        return mock.patch.dict(os.environ, {**plain, **variables}, clear=True)

    def test_is_localhost_unless_something_else_is_said(self):
        with self.place():
            self.assertEqual(binding.get_oauth2_callback_url(), "http://localhost:9090/oauth2/callback")
            self.assertEqual(binding.get_oauth2_callback_base_url(), "http://localhost:9090")
        with self.place(AGENTCORE_SESSION_BINDING_URL="http://localhost:4711/"):
            self.assertEqual(binding.get_oauth2_callback_url(), "http://localhost:4711/oauth2/callback")
        with self.place(PUBLIC_URL="https://binding.example/prefix/"):
            self.assertEqual(binding.get_oauth2_callback_url(), "https://binding.example/prefix/oauth2/callback")
            self.assertEqual(binding.get_oauth2_callback_base_url(), "https://binding.example/prefix")

    def test_says_what_to_do_in_a_space_whose_address_nobody_knows(self):
        metadata = os.path.join(os.path.dirname(__file__), "studio-metadata.test.json")
        with open(metadata, "w", encoding="utf-8") as file:
            json.dump({"DomainId": "d-1", "SpaceName": "space"}, file)
        self.addCleanup(os.remove, metadata)
        with self.place(SAGEMAKER_METADATA_FILE=metadata, PATH="/nowhere"):
            with self.assertLogs(binding.logger, logging.ERROR) as logs:
                self.assertEqual(binding.get_oauth2_callback_url(), "http://localhost:9090/oauth2/callback")
        self.assertIn("PUBLIC_URL", logs.output[0])


class Secrecy(unittest.TestCase):
    SECRETS = (USER_TOKEN, SESSION_URI, AUTHORIZATION_URL, "sb1.sealed-canary")

    def errors_of(self, user_token=USER_TOKEN):
        calls = (
            lambda: binding.store_user_token(
                user_token, authorization_url=AUTHORIZATION_URL, timeout=timedelta(milliseconds=50)
            ),
            lambda: binding.wait_for_authorization(
                user_token, session_uri=SESSION_URI, timeout=timedelta(milliseconds=50)
            ),
        )
        for call in calls:
            with self.assertRaises(SessionBindingError) as caught:
                call()
            yield caught.exception

    def assert_no_secret(self, error):
        self.assertIsNone(error.__cause__)
        self.assertIsNone(error.__context__)
        for secret in self.SECRETS:
            self.assertNotIn(secret, everything_in(error))

    def test_an_error_carries_nothing_that_a_server_says_back(self):
        echo = json.dumps({"code": USER_TOKEN, "title": SESSION_URI, "detail": AUTHORIZATION_URL})
        for reply in (
            html(403, echo, Content_Type="application/problem+json", X_Request_Id=USER_TOKEN),
            html(200, f"<p>{USER_TOKEN}</p>"),
            html(302, Location=f"/?t={USER_TOKEN}"),
            html(502, USER_TOKEN),
            json_reply({"custom_state": "sb1.sealed-canary"}),
            reset,
            truncated,
        ):
            with service(reply):
                for error in self.errors_of():
                    self.assert_no_secret(error)

    def test_a_token_that_fits_no_header_is_not_quoted(self):
        with service(html(200)) as arrived:
            for broken in (f"{USER_TOKEN}\n", f"{USER_TOKEN}\r\nX: y", f"{USER_TOKEN} ", "", f"{USER_TOKEN}✓"):
                for error in self.errors_of(broken):
                    self.assertEqual(error.code, "invalid_token")
                    self.assert_no_secret(error)
        self.assertEqual(arrived, [])

    def test_no_redirect_is_followed(self):
        with service(json_reply(STORED)) as elsewhere:
            target = os.environ["AGENTCORE_SESSION_BINDING_URL"]
            for status in (301, 302, 303, 307, 308):
                with service(html(status, Location=f"{target}/userIdentifier/token")):
                    for error in self.errors_of():
                        self.assertEqual(error.code, "unexpected_answer")
        self.assertEqual(elsewhere, [])

    def test_no_proxy_sees_what_is_meant_for_this_machine(self):
        with service(json_reply(STORED)) as proxy:
            address = os.environ["AGENTCORE_SESSION_BINDING_URL"]
            with mock.patch.dict(os.environ, {"http_proxy": address, "HTTP_PROXY": address}):
                with service(json_reply(STORED)) as arrived:
                    binding.store_user_token(USER_TOKEN)
        self.assertEqual((len(proxy), len(arrived)), (0, 1))

    def test_no_user_token_crosses_the_network_in_the_clear(self):
        for url in (
            "http://binding.example",
            "http://10.0.0.7:9090",
            "http://localhost.evil.example",
            "https://user:word@binding.example",
            "ftp://localhost",
            "binding.example",
        ):
            with mock.patch.dict(os.environ, {"AGENTCORE_SESSION_BINDING_URL": url}):
                with self.assertRaisesRegex(ValueError, "must be https"):
                    binding.store_user_token(USER_TOKEN)


class Shape(unittest.TestCase):
    def test_the_functions_of_the_sample_are_called_as_there(self):
        signatures = {
            binding.get_oauth2_callback_url: "() -> str",
            binding.get_oauth2_callback_base_url: "() -> str",
            binding.store_token_in_oauth2_callback_server: "(user_token_value: str) -> None",
        }
        for function, signature in signatures.items():
            self.assertEqual(str(inspect.signature(function)), signature)
        (duration,) = inspect.signature(binding.wait_for_oauth2_server_to_be_ready).parameters.values()
        self.assertEqual((duration.name, duration.default), ("duration", timedelta(seconds=40)))

    def test_the_module_needs_nothing_but_python(self):
        source = inspect.getsource(binding)
        imported = {line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))}
        self.assertLessEqual(imported, set(getattr(sys, "stdlib_module_names", imported)))


TRIAL = json.loads(os.environ.get("SESSION_BINDING_TRIAL", "null"))


@unittest.skipUnless(TRIAL, "no running service: npm test brings one")
class AgainstTheService(unittest.TestCase):
    """Flows that somebody else has opened, and brought to where their names say."""

    def wait(self, flow, **more):
        return binding.wait_for_authorization(TRIAL["user_token"], session_uri=TRIAL["flows"][flow], **more)

    def test_as_the_sample_does(self):
        self.assertIs(binding.wait_for_oauth2_server_to_be_ready(timedelta(seconds=10)), True)
        self.assertIsNone(binding.store_token_in_oauth2_callback_server(TRIAL["user_token"]))
        self.assertEqual(binding.get_oauth2_callback_url(), TRIAL["callback_url"])

    def test_a_pin_has_a_start_link(self):
        stored = binding.store_user_token(
            TRIAL["user_token"], authorization_url=TRIAL["authorization_url"], label="GitHub for the sales agent"
        )
        self.assertTrue(stored.start_url.startswith(TRIAL["start_url_prefix"]))
        self.assertNotIn("request_uri", stored.start_url)
        self.assertTrue(stored.custom_state.startswith("sb1."))
        self.assertEqual(stored.callback_url, TRIAL["callback_url"])
        self.assertGreater(stored.expires_at, datetime.now(timezone.utc))

    def test_a_forged_token_is_refused(self):
        for call in (
            lambda: binding.store_user_token(TRIAL["user_token"][:-8] + "AAAAAAAA"),
            lambda: binding.store_token_in_oauth2_callback_server("a.b.c"),
        ):
            with self.assertRaises(SessionBindingError) as caught:
                call()
            self.assertEqual((caught.exception.code, caught.exception.status), ("invalid_token", 401))
            self.assertRegex(caught.exception.request_id, r"^[\w-]{16}$")

    def test_a_finished_flow_is_known_at_once(self):
        self.assertIsNone(self.wait("completed"))

    def test_a_denied_flow_is_known_at_once(self):
        with self.assertRaises(SessionBindingError) as caught:
            self.wait("denied")
        self.assertEqual(caught.exception.code, "consent_denied")

    def test_a_flow_of_somebody_else_is_no_flow(self):
        with self.assertRaises(SessionBindingError) as caught:
            self.wait("foreign")
        self.assertEqual((caught.exception.code, caught.exception.status), ("not_found", 404))

    def test_an_open_flow_stays_open(self):
        with self.assertRaises(SessionBindingError) as caught:
            self.wait("open", timeout=timedelta(milliseconds=200))
        self.assertEqual(caught.exception.code, "timed_out")

    def test_a_flow_is_awaited(self):
        # Whoever reads this line gives consent.
        print("waiting", flush=True)
        self.assertIsNone(self.wait("late", timeout=timedelta(seconds=50)))


if __name__ == "__main__":
    unittest.main()
