"""The routing table: an immutable, versioned snapshot of all endpoints, and the only thing an edge reads."""

from routing.table.access import Access, AccessKey, Credential, Issuer
from routing.table.assembly import Hindrance, Part, assemble, subject_of
from routing.table.audiences import admitted, combined, rule_of
from routing.table.basis_points import BUCKETS, WHOLE, BasisPoints
from routing.table.brakes import Brake, BrakeKind, apply_brakes
from routing.table.division import divide, enough_buckets, shares_at
from routing.table.halting import HaltedInto, halted_into
from routing.table.problems import problems
from routing.table.problems.endpoints import LARGEST_BODY, RESERVED_PATH
from routing.table.problems.entrances import NETWORKS_LIKE, network_problem
from routing.table.problems.parameters import may_set_header, may_set_query
from routing.table.reach import keeping_warm, named_by, reached
from routing.table.rule_conditions import Condition, Operator, meets, parse_condition
from routing.table.segments import covered, segments, untaken
from routing.table.text import TableUnreadableError, checked, digest, from_json, to_json
from routing.table.types import (
    MOST_RULES,
    Arm,
    Backend,
    Endpoint,
    Guard,
    Limits,
    Parameters,
    RateLimit,
    RateLimitScope,
    Rule,
    RunningExperiment,
    Segment,
    Shadow,
    Table,
    Testers,
    Tier,
    Unit,
    UnitSource,
)

__all__ = [
    "BUCKETS",
    "LARGEST_BODY",
    "MOST_RULES",
    "NETWORKS_LIKE",
    "RESERVED_PATH",
    "WHOLE",
    "Access",
    "AccessKey",
    "Arm",
    "Backend",
    "BasisPoints",
    "Brake",
    "BrakeKind",
    "Condition",
    "Credential",
    "Endpoint",
    "Guard",
    "HaltedInto",
    "Hindrance",
    "Issuer",
    "Limits",
    "Operator",
    "Parameters",
    "Part",
    "RateLimit",
    "RateLimitScope",
    "Rule",
    "RunningExperiment",
    "Segment",
    "Shadow",
    "Table",
    "TableUnreadableError",
    "Testers",
    "Tier",
    "Unit",
    "UnitSource",
    "admitted",
    "apply_brakes",
    "assemble",
    "checked",
    "combined",
    "covered",
    "digest",
    "divide",
    "enough_buckets",
    "from_json",
    "halted_into",
    "keeping_warm",
    "may_set_header",
    "may_set_query",
    "meets",
    "named_by",
    "network_problem",
    "parse_condition",
    "problems",
    "reached",
    "rule_of",
    "segments",
    "shares_at",
    "subject_of",
    "to_json",
    "untaken",
]
