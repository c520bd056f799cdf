"""A model world for the planner's tests: performing a step sets its facet, anything may fail, anything may get lost."""

import dataclasses

from hypothesis import strategies as st

from tests.unit.domain.samples import SPEC
from tradewind.domain.environments import Environment, Phase, Settled, Target
from tradewind.reconcile.plan import plan, steps
from tradewind.reconcile.world import World

EMPTY = World()
WHOLE = World(
    folder=True, lock=True, runtime=True, startup=True, template=True, database=True, bundle="v1",
    processes_current=True, processes_left=True, route=True, database_left=True, user_left=True, proven=True,
)  # fmt: skip
LOSABLE = ("folder", "lock", "runtime", "startup", "template", "bundle", "processes_current", "route")


class ModelWorld:
    """What steps do to a world, with what they rely on."""

    def __init__(self, world: World, wanted: Environment) -> None:
        self.world = world
        self.wanted = wanted
        self.forgotten = False
        self.databases_made = 0
        self.databases_dropped = 0

    def pass_over(self, *, crash_at: int | None = None) -> int:
        """Plan once and perform; the step at `crash_at` has no effect and ends the pass. Returns the plan's length."""
        planned = plan(self.wanted, self.world)
        for number, step in enumerate(planned):
            if number == crash_at:
                return len(planned)
            self.perform(step)
        is_settled = self.wanted.asked is None and not any(isinstance(step, steps.CutOver) for step in planned)
        if self.wanted.target is Target.PRESENT and self.wanted.phase is not Phase.REFUSED and is_settled:
            self.see(proven=True)
            settled = Settled(self.wanted.spec, self.wanted.revision, self.wanted.database)
            self.wanted = dataclasses.replace(self.wanted, phase=Phase.READY, proven=settled)
        return len(planned)

    def see(self, **facets: object) -> None:
        self.world = dataclasses.replace(self.world, **facets)

    def perform(self, step: steps.Step) -> None:  # noqa: C901, PLR0912, PLR0915
        world = self.world
        match step:
            case steps.MakeFolder():
                self.see(folder=True, user_left=True)
            case steps.ResolveRequirements():
                assert world.folder
                self.see(lock=True, runtime=False, startup=False)
            case steps.BuildRuntime():
                assert world.lock
                self.see(runtime=True)
            case steps.RunStartupScript():
                assert world.folder
                assert world.runtime
                self.see(startup=True)
            case steps.StartPreloading():
                assert world.folder
                assert world.runtime
                assert world.startup
                assert not world.processes_left, "what runs would be stopped"
                self.see(processes_left=True)
            case steps.TakeBundle():
                assert world.folder
                self.see(bundle="v1")
            case steps.MakeTemplate():
                assert world.runtime
                self.see(template=True)
            case steps.MakeDatabase():
                assert world.template
                assert not world.database, "a complete database was made anew"
                self.databases_made += 1
                self.see(database=True, database_left=True)
            case steps.OpenDatabase():
                self.see(database=True)
            case steps.AwaitSnapshot():
                assert self.wanted.origin is not None
            case steps.RestoreDatabase():
                assert not world.database, "a complete database was made anew"
                assert world.lock
                self.databases_made += 1
                self.see(database=True, database_left=True)
            case steps.SaveSnapshot():
                assert self.wanted.asked is not None
                self.see(coming_saved=True)
            case steps.ProveDatabase():
                assert world.coming_saved or self.wanted.asked is None
                assert world.coming_runtime
                self.see(coming_database=True, other_databases=True)
            case steps.ClearTheWay():
                assert self.wanted.phase is Phase.CHANGING
                self.see(processes_current=False, processes_left=False, held=True)
            case steps.MoveDatabase():
                assert world.held, "the database was copied while somebody worked on it"
                assert not world.processes_current
                self.see(database=True, other_databases=True)
            case steps.Release():
                assert not self.wanted.is_on_hold, "something was scheduled that may be lost"
                self.see(held=False)
            case steps.RemoveOtherDatabases():
                assert self.wanted.phase is Phase.READY, "the way back was removed"
                assert self.wanted.coming is self.wanted
                self.see(other_databases=False)
            case steps.TakeSnapshot():
                self.see(snapshot_asked=False)
            case steps.PublishRoute():
                self.see(route=True)
            case steps.ApplyProcesses():
                assert world.folder
                assert world.runtime
                assert world.startup
                assert world.bundle
                assert world.database
                self.see(processes_current=True, processes_left=True)
            case steps.ProveHealth():
                assert world.processes_current
                assert world.route
                self.see(proven=True)
            case steps.EndReplaced():
                assert world.processes_current
                self.see(replaced=False)
            case steps.EndDraining():
                assert self.wanted.is_awaited
                self.see(draining=False)
            case steps.PrepareRequirements():
                self.see(coming_lock=True, coming_runtime=False, coming_startup=False, coming_rehearsed=False)
            case steps.PrepareRuntime():
                assert world.coming_lock
                self.see(coming_runtime=True)
            case steps.PrepareStartup():
                assert world.coming_runtime
                self.see(coming_startup=True)
            case steps.RehearseUpdate():
                assert world.coming_runtime
                assert world.coming_startup
                self.see(coming_rehearsed=True)
            case steps.CutOver():
                assert world.coming_rehearsed
                assert world.coming_database or not world.moves
                self.see(lock=True, runtime=True, startup=True, processes_current=False, proven=False, replaced=True)
                moved = {"moved_to": "env_other", "proven": Settled(SPEC, 1)} if world.moves else {}
                self.see(database=not world.moves, held=False, moves=False)
                self.wanted = dataclasses.replace(self.wanted.coming, phase=Phase.CHANGING, **moved)
            case steps.StopProcesses():
                self.see(processes_current=False, processes_left=False)
            case steps.WithdrawRoute():
                self.see(route=False)
            case steps.DropDatabase():
                assert not world.processes_left, "a database was dropped under running processes"
                self.databases_dropped += 1
                self.see(database=False, database_left=False)
            case steps.RemoveFolder():
                assert not world.processes_left, "files were removed under running processes"
                self.see(folder=False, lock=False, runtime=False, bundle=None)
            case steps.RemoveUser():
                assert not world.folder, "a user was removed whose files are there"
                self.see(user_left=False)
            case steps.Forget():
                self.forgotten = True
                self.wanted = dataclasses.replace(self.wanted, phase=Phase.GONE)


def converge(model: ModelWorld, passes: int = 3) -> None:
    """A few passes without disturbance, and then nothing is left to do."""
    for _ in range(passes):
        if not model.pass_over():
            return
    assert plan(model.wanted, model.world) == ()


FACETS = {field.name: st.booleans() for field in dataclasses.fields(World) if field.name not in {"bundle", "observed"}}
WORLDS = st.builds(World, **FACETS, bundle=st.none() | st.just("v1"))
DISTURBANCES = st.lists(
    st.tuples(st.integers(0, 8) | st.none(), st.none() | st.sampled_from(LOSABLE)), max_size=12
)  # fmt: skip


def consistent(world: World) -> World:
    """What cannot be seen together: a database is there if it is complete, something runs if it runs as wanted."""
    return dataclasses.replace(
        world,
        database_left=world.database_left or world.database,
        processes_left=world.processes_left or world.processes_current,
    )


def disturb(model: ModelWorld, disturbances: list[tuple[int | None, str | None]]) -> None:
    for crash_at, lost in disturbances:
        model.pass_over(crash_at=crash_at)
        if lost is not None:
            model.see(**{lost: None if lost == "bundle" else False})
