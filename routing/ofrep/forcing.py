"""Who may force a flag: who has a key for tests, as at the edge, and who may issue one."""

from collections.abc import Iterable
from hashlib import sha256

from controlplane.audit.actors import Actor
from controlplane.models import Right
from controlplane.problems.errors import NotAllowed
from routing.envoy import FORCED_VARIANT_HEADER, TEST_KEY_HEADER
from routing.ofrep.context import Context
from routing.ofrep.evaluation import Evaluation
from routing.table import Table

NEXT_STEP = (
    f"Leave `{FORCED_VARIANT_HEADER}` out, or add `{TEST_KEY_HEADER}`, a key for tests of the endpoint; "
    f"or use a token with the right {Right.PLAN} there."
)


def refuse_forcing(actor: Actor, context: Context, table: Table, found: Iterable[Evaluation]) -> None:
    """Refuse a context that forces a variant, unless whoever asks may do so at the endpoints of all these flags.

    Raises `NotAllowed`.
    """
    if FORCED_VARIANT_HEADER not in context.headers:
        return
    sent = context.headers.get(TEST_KEY_HEADER, "").encode("utf-8", "surrogatepass")
    digest = sha256(sent).hexdigest()
    plans = actor.may(Right.PLAN)
    asked = {each.endpoint for each in found if not (plans and actor.is_let_to(each.endpoint))}
    for endpoint in table.endpoints:
        if endpoint.key in asked and digest not in {key.digest for key in endpoint.testers.keys}:
            detail = f"Whoever asks may not choose a variant at the endpoint {endpoint.key}."
            raise NotAllowed("variant-refused", detail, next_step=NEXT_STEP)
