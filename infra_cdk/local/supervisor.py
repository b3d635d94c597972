"""Starts the whole stack, watches it, and ends it: the body of `make run`, and of what `make up` leaves behind."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from infra_cdk.local import networks, postgres, prepare, servers, warm
from infra_cdk.local.accounts import PEOPLE
from infra_cdk.local.deploy import Deployment
from infra_cdk.local.process import Child, LocalError
from infra_cdk.local.servers import Server
from infra_cdk.local.state import State, write_json
from infra_cdk.local.synth import Synthesis

SERVER_TIMEOUT_S = 60.0
WATCH_S = 0.2
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
Say = Callable[[str], None]


class StopRequested(BaseException):
    """A signal asked the supervisor to end; not an Exception, because libraries retry on those."""


def ignore_signals() -> None:
    """An end that has begun is not to be broken off."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn the signals that end a program into StopRequested, once: a second one must not break the clean-up."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        ignore_signals()
        raise StopRequested

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Supervisor:
    """One running stack. `overrides` are settings of the stage (`infra_cdk/stages.py`) other than the usual."""

    state: State
    say: Say
    overrides: Mapping[str, str] = field(default_factory=dict)
    networks: Sequence[str] = networks.ALWAYS
    on_ready: Callable[[], None] = lambda: None
    _children: dict[str, Child] = field(default_factory=dict)

    def run(self) -> None:
        """Hold the stack until a signal; raises LocalError if a part cannot start or ends by itself."""
        with self.state.lock(), stopping_on_signals():
            began = time.monotonic()
            self.state.stack_file.unlink(missing_ok=True)
            try:
                self._phase("starting")
                self._start()
                self.say(f"Ready in {time.monotonic() - began:.0f} s.")
                self.on_ready()
                self._phase("ready")
                warm.in_the_background(self._addresses["front"], self.state.engine(), self.state.issuer())
                self._watch()
            except StopRequested:
                self.say("Ending.")
            finally:
                ignore_signals()
                self._phase("ending")
                self._stop()
                self.state.progress_file.unlink(missing_ok=True)

    def _phase(self, phase: str) -> None:
        children = {name: child.main_pid for name, child in self._children.items()}
        write_json(self.state.progress_file, {"pid": os.getpid(), "phase": phase, "children": children})

    def _start(self) -> None:
        state, ports = self.state, self.state.ports()
        engine, cluster, data = state.engine(), state.cluster(), state.home / "postgres"
        engine.sweep()
        postgres.evict(data)
        state.check_ports()
        synthesis = Synthesis(state, self.networks, self.overrides)
        if synthesis.is_under_way:
            self.say("Synthesizing the stacks. The first time this builds the layers, which takes some minutes.")
        small = [servers.issuer(state), servers.captions(state)]
        small += [networks.SERVERS[name](state) for name in self.networks]
        for server in small:
            self._children[server.name] = server.program.start()
        with self._step(f"PostgreSQL {postgres.MAJOR}"):
            self._children["postgres"] = postgres.serve(
                data, port=ports["database"], passwords=cluster.passwords, log=state.log("postgres")
            )
        with self._step("Engine"):
            self._children["engine"] = engine.start()
        with self._step("Issuer, captioner, networks"):
            for server in small:
                self._await(server)
        with self._step("Templates"):
            synthesis.wait(self.say)
        with self._step("Deployment"):
            deployment = Deployment(engine, synthesis.assembly, lambda told: self.say(f"  {told}"))
            changed = deployment.run()
            outputs = deployment.outputs()
            prepare.put_secrets(engine, cluster, outputs)
            prepare.let_mail_leave(engine)
            if changed or not engine.is_sealed:
                self._children["engine"] = engine.seal(self._children["engine"])
                if not deployment.is_done:
                    raise LocalError(f"the engine did not keep what was deployed; its log: {engine.log}")
        self._open(f"{engine.url}/_aws/execute-api/{outputs['ApiId']}/$default")

    def _open(self, api: str) -> None:
        """Bring the data up to date and let people in."""
        state, engine, addresses = self.state, self.state.engine(), self._addresses
        with self._step("Migrations"):
            for schema, applied in prepare.migrate(engine).items():
                self.say(f"  {schema}: {', '.join(applied)}")
        with self._step("Front door"):
            shown = {"API": addresses["api"], "Issuer": addresses["issuer"], **addresses["networks"]}
            door = servers.front_door(state, api, shown)
            self._children[door.name] = door.program.start()
            self._await(door)
        with self._step("Demo tenants"):
            prepare.provision(engine, state.issuer())
            for name in self.networks:
                login = networks.LOGINS[name](state, addresses["networks"][name])
                if prepare.connect(addresses["front"], state.issuer(), PEOPLE[0], login):
                    self.say(f"  acme's {name.capitalize()} account is connected")
        with self._step("Work"):
            if subjects := prepare.wake(engine):
                self.say(f"  {subjects} workflows go on where they were")
        write_json(state.stack_file, addresses)

    @property
    def _addresses(self) -> dict[str, Any]:
        return self.state.addresses(self.networks)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.say(f"{name}: {time.monotonic() - began:.1f} s")

    def _await(self, server: Server) -> None:
        self._children[server.name].wait_until(server.is_ready, timeout=SERVER_TIMEOUT_S)

    def _watch(self) -> None:
        """Return never: a stack with a part missing looks alive and is not, so it ends, and the next start recovers."""
        while True:
            for child in self._children.values():
                if not child.is_alive:
                    raise LocalError(f"{child.program.name} ended by itself, so the stack ends; {child.last_words()}")
            time.sleep(WATCH_S)

    def _stop(self) -> None:
        """End what talks to others first, and the database last."""
        self.state.stack_file.unlink(missing_ok=True)
        engine = self._children.pop("engine", None)
        database = self._children.pop("postgres", None)
        for child in reversed(self._children.values()):
            child.stop()
        if engine is not None:
            self.state.engine().stop(engine)
        if database is not None:
            database.stop()
