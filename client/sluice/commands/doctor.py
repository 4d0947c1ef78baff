"""`sluice doctor`: whether an installation is sound, and how to mend what is not."""

from sluice.commands.options import AsJson, connect
from sluice.commands.output import Output, moment
from sluice.examination import Finding, Part
from sluice.problems import ExitCode


def doctor(*, as_json: AsJson = False) -> int:
    """Look at the whole installation, say what is wrong and how to mend it; end with 1 if anything is."""
    output = Output(as_json=as_json)
    with connect() as client:
        parts = client.examine()
    sound = not any(part.findings for part in parts)
    if as_json:
        output.document({"sound": sound, "parts": parts})
    else:
        for part in parts:
            _show(output, part)
        output.say("Nothing is wrong." if sound else "")
    return ExitCode.PASSED if sound else ExitCode.FAILED


def _show(output: Output, part: Part) -> None:
    output.say(f"{part.name}: {'wrong' if part.findings else 'sound'}", "red" if part.findings else "green")
    for finding in part.findings:
        output.say(f"  {_sentence(finding)}")
        output.say(f"    {finding.next_step}")


def _sentence(finding: Finding) -> str:
    since = f" Since {moment(finding.since)}." if finding.since else ""
    return f"{finding.about}: {finding.detail}{since} ({finding.code})"
