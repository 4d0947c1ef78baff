"""What a client reads when Envoy answers by itself: a problem, in JSON, that says what to do next."""

from routing.envoy.names import Message

PROBLEMS = {
    400: ("bad-request", "Not a request", "Send a request as HTTP has it."),
    401: ("key-missing", "Not let in", "Send the key as `Authorization: Bearer <key>` or `x-api-key`; ask for one."),
    431: ("headers-too-large", "The headers are too large", "Send less than 60 KiB of headers."),
    429: ("rate-limited", "Too many requests", "Wait as long as `Retry-After` says, in seconds."),
    404: ("no-endpoint", "No endpoint here", "Check the path; the control plane lists the endpoints."),
    408: ("request-timeout", "The request did not arrive", "Send the whole request without a pause."),
    413: ("request-too-large", "The request is too large", "Send less than 32 MiB."),
    415: ("body-compressed", "The body is compressed", "Send it as it is, without `Content-Encoding`."),
    502: ("backend-broken", "The model's backend answers nonsense", "Try again; if it lasts, check the backend."),
    503: ("backend-unavailable", "The model's backend does not answer", "Try again; if it lasts, check the backend."),
    504: ("backend-timeout", "The model took too long", "Ask for less, or raise the endpoint's time limit."),
}
BUSY = ("backend-busy", "The model's backend has as much to do as it may", "Try again in a second.")


def local_replies() -> Message:
    """Envoy's own answers as `application/problem+json`; the backends' answers are left as they are."""
    by_status = [(_status_filter(status), texts) for status, texts in PROBLEMS.items()]
    return {"mappers": [_busy(), *(_mapper(condition, *texts) for condition, texts in by_status)]}


def _busy() -> Message:
    """The circuit breaker's answer, which is a 503 like others but passes soon."""
    mapper = _mapper({"response_flag_filter": {"flags": ["UO"]}}, *BUSY)
    retry = {"header": {"key": "retry-after", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return {**mapper, "headers_to_add": [retry]}


def _status_filter(status: int) -> Message:
    value = {"default_value": status, "runtime_key": f"sluice.local_reply.{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _mapper(condition: Message, code: str, title: str, next_step: str) -> Message:
    problem = {
        "type": f"urn:sluice:{code}",
        "title": title,
        "status": "%RESPONSE_CODE%",
        "detail": "%LOCAL_REPLY_BODY%",
        "code": code,
        "next_step": next_step,
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return {
        "filter": condition,
        "body_format_override": {"json_format": problem, "content_type": "application/problem+json"},
    }
