"""All exercises, and the one door to them."""

from typing import Any

from fuseflow.course import (
    lesson_formats,
    lesson_fusion,
    lesson_iteration,
    lesson_lanes,
    lesson_orders,
    lesson_queues,
    lesson_streams,
)
from fuseflow.course.exercise import Exercise, Verdict

EXERCISES: dict[str, Exercise] = {
    exercise.number: exercise
    for lesson in (
        lesson_formats, lesson_streams, lesson_orders, lesson_fusion, lesson_iteration, lesson_lanes, lesson_queues,
    )
    for exercise in lesson.EXERCISES
}  # fmt: skip


def check(exercise: str, answer: Any = None) -> Verdict:
    """The verdict on ``answer`` to the exercise with this number: right, or what is wrong and a hint. Never raises."""
    found = EXERCISES.get(str(exercise))
    if found is None:
        return Verdict(str(exercise), False, "There is no such exercise.", f"There are {', '.join(EXERCISES)}.")
    return found.verdict(answer)
