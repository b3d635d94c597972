"""Reads a state machine's file: which transitions it has, and a copy of it that shows which ones were taken."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORKFLOWS = Path(__file__).parents[2] / "infra_cdk" / "workflows"
Asl = dict[str, Any]


@dataclass(frozen=True, order=True)
class Transition:
    """One way out of a state. `via` is its place in the file: Next, Default, Choices[2], Catch[0], Retry[1]."""

    state: str
    via: str
    to: str

    def __str__(self) -> str:
        return f"{self.state} --{self.via}--> {self.to}"


def load(name: str) -> Asl:
    """Return a workflow of the repository; `${task_x}` stands for the ARN of that function."""
    definition: Asl = json.loads((WORKFLOWS / f"{name}.asl.json").read_text(encoding="utf-8"))
    return definition


def transitions(asl: Asl) -> set[Transition]:
    """Return every transition of a state machine, those inside Maps and Parallels and every Retry included."""
    found: set[Transition] = set()
    for states in _machines(asl):
        for name, state in states.items():
            found |= {Transition(name, via, holder[key]) for via, holder, key in _ways_out(state)}
            found |= {Transition(name, f"Retry[{i}]", name) for i in range(len(state.get("Retry", [])))}
    return found


def instrumented(asl: Asl) -> tuple[Asl, dict[str, Transition]]:
    """Return a copy with a Pass state on every transition, and the transition that each of those stands for.

    A Pass state hands its input on, so the copy does what the original does, and an engine's history names the way
    taken, also where two rules of a Choice lead to one state.
    """
    marked: Asl = copy.deepcopy(asl)
    marks: dict[str, Transition] = {}
    for states in _machines(marked):
        passes = {}
        for name, state in states.items():
            for via, holder, key in _ways_out(state):
                mark = f"#{len(marks)}"
                marks[mark] = Transition(name, via, holder[key])
                passes[mark] = {"Type": "Pass", "Next": holder[key]}
                holder[key] = mark
        states.update(passes)
    return marked, marks


def tasks(asl: Asl) -> dict[str, Asl]:
    """Return the states that call a function, those inside Maps included."""
    return {name: state for states in _machines(asl) for name, state in states.items() if state["Type"] == "Task"}


def retry_of(asl: Asl, state_name: str, error: str) -> Transition | None:
    """Return the Retry of a state that an error of that name falls under."""
    for states in _machines(asl):
        for i, retrier in enumerate(states.get(state_name, {}).get("Retry", [])):
            if {error, "States.ALL", "States.TaskFailed"} & set(retrier["ErrorEquals"]):
                return Transition(state_name, f"Retry[{i}]", state_name)
    return None


def _ways_out(state: Asl) -> Iterator[tuple[str, Asl, str]]:
    """Yield each way out as (its place in the file, the object that holds it, the key there)."""
    for key in ("Next", "Default"):
        if key in state:
            yield key, state, key
    for group in ("Choices", "Catch"):
        for i, rule in enumerate(state.get(group, [])):
            yield f"{group}[{i}]", rule, "Next"


def _machines(asl: Asl) -> Iterator[dict[str, Asl]]:
    """Yield the states of the machine and of every machine inside it."""
    yield asl["States"]
    for state in list(asl["States"].values()):
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state] + state.get("Branches", [])
        for machine in inner:
            yield from _machines(machine)
