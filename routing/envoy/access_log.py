"""The access log: one JSON line a request, with all that a request row is made of."""

from routing.envoy.names import ANSWERER, FACTS, HOST_FACTS, RAW_UNIT, RUN_VARIABLE, Message

# Envoy copies all metadata for a field that is a command alone, to keep its kind; the blank is text, and spares that.
LINE = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "unit": f"%FILTER_STATE({RAW_UNIT}:PLAIN)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "duration_us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "ttft_us": "%COMMON_DURATION(DS_RX_BEG:US_RX_BODY_BEG:us)%",
    "facts": f"%DYNAMIC_METADATA({FACTS})%",
    "answered_by": f" %UPSTREAM_METADATA({HOST_FACTS}:{ANSWERER})%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "sent_type": "%REQ(CONTENT-TYPE)%",
    "accepted": "%REQ(ACCEPT)%",
    "condition": "%REQ(IF-NONE-MATCH?IF-MODIFIED-SINCE):1%",
    "kind": "%RESP(CONTENT-TYPE)%",
    "encoding": "%RESP(CONTENT-ENCODING)%",
    "body_bytes": "%BYTES_SENT%",
    "grpc_status": "%TRAILER(GRPC-STATUS)%",
    "grpc_head_status": "%RESP(GRPC-STATUS)%",
    "run": f"%ENVIRONMENT({RUN_VARIABLE})%",
}

# Each is a tag of a counter; the agent compares these with the rows that came of the log.
COUNTED_BY = {
    "run": LINE["run"],
    "backend": f"%DYNAMIC_METADATA({FACTS}:backend)%",
    "experiment": f"%DYNAMIC_METADATA({FACTS}:experiment)%",
    "variant": f"%DYNAMIC_METADATA({FACTS}:variant)%",
}

OF_AN_ENDPOINT = {
    "metadata_filter": {
        "matcher": {"filter": FACTS, "path": [{"key": "endpoint"}], "value": {"present_match": True}},
        "match_if_key_not_found": False,
    }
}


def access_log(path: str) -> Message:
    """Logs what an endpoint was found for: neither unknown paths nor questions for the table's version."""
    return {
        "name": "spool",
        "filter": OF_AN_ENDPOINT,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {"json_format": LINE},
        },
    }


def row_counters() -> Message:
    """Counts what is logged, so that what cannot be written is known: a full disk costs Envoy no word."""
    tags = [{"name": name, "value_format": value} for name, value in COUNTED_BY.items()]
    return {
        "name": "counters",
        "filter": OF_AN_ENDPOINT,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config",
            "stat_prefix": "sluice",
            "counters": [{"stat": {"name": "rows", "tags": tags}, "value_fixed": 1}],
        },
    }
