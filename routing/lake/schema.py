"""The two tables of the lake: their columns, what these mean, and the time that decides a row's partition.

What a table and its columns mean is kept in Delta's own metadata too, for whoever reads the lake without Sluice.
"""

from dataclasses import dataclass

import pyarrow as pa

PARTITION = "day"

# The key that Delta Lake has for the comment on a column.
COMMENT = b"comment"


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One table: its name, what it holds, its columns, and the column whose UTC date is the partition."""

    name: str
    meaning: str
    columns: pa.Schema
    clock: str

    @property
    def described(self) -> pa.Schema:
        """The columns as they are stored, those of a row and the partition, with what each means."""
        return self.columns.append(_column(PARTITION, pa.date32(), f"The UTC date of {self.clock}; the partition."))

    @property
    def schema(self) -> pa.Schema:
        """The columns as they are stored; files of rows need not tell what they mean."""
        return pa.schema(field.remove_metadata() for field in self.described)

    @property
    def comments(self) -> dict[str, str]:
        """What each column means."""
        return {field.name: field.metadata[COMMENT].decode() for field in self.described}


def _column(name: str, kind: pa.DataType, comment: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={COMMENT: comment})


def _nullable(name: str, kind: pa.DataType, comment: str) -> pa.Field:
    return pa.field(name, kind, metadata={COMMENT: comment})


TIME = pa.timestamp("us", "UTC")

REQUESTS = LakeTable(
    "requests",
    "One row for each request that an edge answered, and one for each copy that a shadow got. An error is a row whose "
    "result is failed or timed-out; what is null was not told, and is never 0.",
    pa.schema(
        [
            _column("time", TIME, "When the request came in, by the edge's clock."),
            _column("request_id", pa.string(), "Its x-request-id; a shadow's copy has that of the request it copies."),
            _column("edge", pa.string(), "The edge that took it."),
            _nullable(
                "unit",
                pa.int64(),
                "Keyed hash of the user id, signed; null when the request has none, see without_unit. Read it as an "
                "integer: a float keeps only 53 of its 64 bits, and takes users for one another.",
            ),
            _column("endpoint", pa.string(), "Key of the endpoint that was asked."),
            _column("backend", pa.string(), "Key of the backend that it was meant for."),
            _nullable(
                "experiment", pa.string(), "Key of the experiment that measures it or forced it; null outside of all."
            ),
            _nullable("variant", pa.string(), "The arm, control or a candidate's name; null outside of experiments."),
            _nullable("stage", pa.int32(), "Number of the experiment's stage, from 0; null outside of experiments."),
            _column("table_version", pa.int64(), "Version of the routing table that it was routed by."),
            _column("shadow", pa.bool_(), "Whether it is a copy for a shadow, which no user got; never measured."),
            _column(
                "forced", pa.bool_(), "Whether a header forced the variant, as quality assurance does; never measured."
            ),
            _column("status", pa.int32(), "HTTP status that the client got; 0 when it got none."),
            _column("flags", pa.string(), "Envoy's response flags, by commas; empty when there are none."),
            _column("duration_ms", pa.float64(), "Milliseconds from the request's first byte to the answer's last."),
            _nullable("ttft_ms", pa.float64(), "Milliseconds to the answer's first byte; null when none came."),
            _nullable("prompt_tokens", pa.int64(), "Tokens of the prompt, cached ones too; null when not told."),
            _nullable("completion_tokens", pa.int64(), "Tokens of the answer; null when not told, or told of a part."),
            _nullable(
                "cost",
                pa.float64(),
                "What the tokens cost, in the currency of the backend's prices; null when a count with a price is.",
            ),
            _nullable(
                "answered_by", pa.string(), "Key of the backend that answered, which a fallback may be; null when none."
            ),
            _nullable(
                "retries", pa.int32(), "How often it was sent again to another host; null in rows of old releases."
            ),
            _nullable(
                "finish",
                pa.string(),
                "How the answer ended: complete, or cut off by client, backend or timeout; null in old rows.",
            ),
            _nullable(
                "inter_token_ms",
                pa.float64(),
                "Milliseconds a token after a stream's first byte; null when no stream or its tokens are unknown.",
            ),
            _nullable(
                "tier", pa.string(), "Name of the tier that took it outside all experiments; null when none did."
            ),
            _nullable(
                "held_out", pa.bool_(), "Whether its user is in the layer's holdout; null in rows of old releases."
            ),
            _nullable(
                "queue_ms", pa.float64(), "Milliseconds that it waited in the backend's queue; null when not told."
            ),
            _nullable(
                "client", pa.string(), "Name of the client whose access key or token it had; null when it had none."
            ),
            _nullable(
                "stream",
                pa.bool_(),
                "Whether the client asked for a stream; null when that was not read, and in old rows.",
            ),
            _nullable(
                "result",
                pa.string(),
                "How it ended: success, redirected, rejected, failed, timed-out, abandoned, refused or unknown; null "
                "in old rows, which status, flags and answered_by tell of. Errors are failed and timed-out.",
            ),
            _nullable("failure", pa.string(), "Why it failed or is unknown, as a code; null when it is neither."),
            _nullable(
                "stop",
                pa.string(),
                "Why the model stopped: length, content_filter, refusal, or the server's own word; null when not told.",
            ),
            _nullable(
                "without_unit", pa.string(), "Why it has no unit, as a code; null when it has one, and in old rows."
            ),
            _nullable(
                "unreadable", pa.string(), "Names of numbers that were told and are none, by commas; null when all are."
            ),
            _nullable(
                "kept_share",
                pa.float64(),
                "Share of users outside of experiments whose requests were kept when it came, from 0 to 1; each row "
                "stands for as many as go into 1. Null where all were.",
            ),
        ]
    ),
    clock="time",
)

# An outcome is partitioned by when it came in: its own time is the sender's word, and one wrong
# clock would otherwise scatter rows over partitions of any age.
OUTCOMES = LakeTable(
    "outcomes",
    "One row for each outcome that was sent in: what came of a request or of a user. An id may be there twice when it "
    "was sent again after more than 7 days.",
    pa.schema(
        [
            _column("id", pa.string(), "The sender's idempotency key."),
            _column(
                "time", TIME, "When it happened, by the sender's clock; when it came in, if the sender did not say."
            ),
            _column("received_at", TIME, "When it came in, by Sluice's clock."),
            _column("name", pa.string(), "What happened, such as thumbs_up."),
            _column("value", pa.float64(), "How much of it, in the sender's measure; 1 unless told otherwise."),
            _nullable(
                "unit",
                pa.int64(),
                "Keyed hash of the user id, as in requests; null when only a request is named. Read it as an integer: "
                "a float keeps only 53 of its 64 bits.",
            ),
            _nullable(
                "request_id",
                pa.string(),
                "x-request-id of the request that it is about; null when it is of the user alone.",
            ),
            _column("properties", pa.string(), "Whatever else the sender told, as a JSON object."),
        ]
    ),
    clock="received_at",
)
