"""What a batch is going to do and what became of it, as tables for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.archive.recordings import Need
from pipeline.batch.places import local_folder
from pipeline.terminal_figures import audio, counted, lasting, plain, speed

if TYPE_CHECKING:
    from pipeline.batch.plan import Plan
    from pipeline.batch.run import Summary

_NEEDS: dict[Need, tuple[str, str]] = {
    "listen": ("to listen to", "listening"),
    "assess": ("to judge again", "judging"),
    "level": ("to level again", "levelling"),
}
"""What is to be done, and the work's name. Judging goes by what was heard before, levelling by what was found in it."""


def plan_view(plan: Plan, workers: int) -> RenderableType:
    """The plan for people: how many calls of each kind and why, hours of audio, and the time it takes."""
    title = f"Plan for {_place(plan.source)}: {plan.to_do:,} of {counted(plan.objects, 'recording')} to do"
    table = _table()
    for need, (words, _) in _NEEDS.items():
        if count := plan.of_need(need):
            table.add_row(words, f"{count:,}", _sum((why, many) for one, why, many in plan.needs if one == need))
    others = (
        ("nothing to do", plan.unchanged, "done already, and unchanged"),
        ("in quarantine", plan.quarantined, "failed too often; they wait for ridealong retry"),
        ("being scored", plan.in_progress, "by another batch, just now"),
        ("forgotten", plan.forgotten, "erased, and stay so"),
        ("gone", plan.gone, "cannot be listened to again: not in the bucket"),
        ("passed over", sum(count for _, count in plan.skipped), _sum(plan.skipped)),
    )
    for words, count, what in others:
        if count:
            table.add_row(words, f"{count:,}", plain(what))
    return Group(Text(title, style="bold"), table, *map(Text, _remarks(plan, workers)))


def _remarks(plan: Plan, workers: int) -> list[str]:
    """What the plan costs, by what it is done, and what is worth knowing."""
    if not plan.to_do:
        return ["There is nothing to do.", *map(plain, plan.notes)]
    told = [_cost(plan, workers)]
    if plan.missing:
        told.append(f"{counted(plan.missing, 'call')} will fail: in the manifest, but not in the bucket.")
    told.append(plain(f"Engine: {plan.engine}. Judge: {plan.judge}. Rubric: {', '.join(plan.rubrics)}."))
    return [*told, *map(plain, plan.notes)]


def _cost(plan: Plan, workers: int) -> str:
    """Hours of audio and the time that they take, as far as these are known."""
    seconds = plan.seconds(workers)
    if seconds is None:
        works = " and ".join(_NEEDS[need][1] for need in plan.unmeasured)
        time = f"The time is not known: no speed of {works} was measured here yet."
    else:
        time = f"About {lasting(max(1, seconds))} with {counted(workers, 'worker')}, by the speed measured so far."
    if not plan.audio_seconds:
        return time
    guessed = ", guessed from the size of the files" if plan.guessed_audio > plan.known_audio else ""
    heard = audio(plan.audio_seconds)
    return f"{heard[0].upper()}{heard[1:]} to listen to{guessed}. {time}"


def summary_view(summary: Summary) -> RenderableType:
    """What became of a batch, for people."""
    plan = summary.plan
    table = _table()
    kinds = (
        ("scored", summary.done, _heard(summary)),
        ("copies", summary.copies, "the same recording as another call's"),
        ("failed", summary.failed, "the next batch tries them again"),
        ("put in quarantine", summary.quarantined, "failed too often; they wait for ridealong retry"),
        ("left", summary.left, "the same command again goes on with them"),
        ("elsewhere", summary.elsewhere, "another batch has them in hand"),
        ("had nothing to do", plan.unchanged, ""),
    )
    for words, count, what in kinds:
        if count or words == "scored":
            table.add_row(words, f"{count:,}", what)
    done = summary.done + summary.copies + summary.failed + summary.quarantined
    lines = [f"Took {lasting(summary.seconds)}" + (f" ({rate})." if (rate := speed(done, summary.seconds)) else ".")]
    stopped = [Text(f"Stopped early: {plain(summary.stopped)}", style="red")] if summary.stopped else []
    return Group(Text(f"Result for {_place(plan.source)}", style="bold"), table, *map(Text, lines), *stopped)


def batch_json(summary: Summary, dry_run: bool) -> dict[str, Any]:
    """Plan and outcome for machines; times in seconds."""
    if dry_run:
        return {"dry_run": True, "plan": summary.plan.to_dict()}
    return {
        "dry_run": False,
        "plan": summary.plan.to_dict(),
        "done": summary.done,
        "copies": summary.copies,
        "failed": summary.failed,
        "quarantined": summary.quarantined,
        "left": summary.left,
        "elsewhere": summary.elsewhere,
        "audio_seconds": round(summary.audio_seconds, 3),
        "seconds": round(summary.seconds, 3),
        "stopped": summary.stopped,
    }


def _place(url: str) -> str:
    """A bucket's URL as it is, a folder's as its path."""
    return plain(str(local_folder(url) or url))


def _heard(summary: Summary) -> str:
    if not summary.audio_seconds:
        return ""
    told = audio(summary.audio_seconds)
    return f"{told}, {audio(summary.audio_seconds / summary.seconds * 3600)} an hour" if summary.seconds else told


def _table() -> Table:
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    return table


def _sum(parts: Iterable[tuple[str, int]]) -> str:
    """The reasons with their counts, one after the other; a single one without."""
    listed = list(parts)
    return listed[0][0] if len(listed) == 1 else " · ".join(f"{count:,} {why}" for why, count in listed)
