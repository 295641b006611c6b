"""The scenario: which it is, switching it, its rules, and those that are built in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from sandbox import contract, sources
from sandbox.core.states import states_of
from sandbox.errors import ConfigError, Mistake, ScenarioError
from sandbox.feed import Kind
from sandbox.rule_shapes import rule_shape
from sandbox.web.control.operation import Answer, Operation
from sandbox.web.control.schemas import TEXT, listed, members, ref
from sandbox.yaml_scalars import Text
from sandbox.yaml_shapes import Keys

if TYPE_CHECKING:
    from sandbox.core.scenario import Rule
    from sandbox.sessions import Session
    from sandbox.web.control.operation import Asked


def scenario_json(session: Session) -> dict[str, Any]:
    """Return the scenario as it is written, what state it is in, and how often each rule has matched."""
    source, engine = session.play.source, session.engine
    scenario, progress = engine.scenario, engine.progress
    added = {rule.name for rule in session.added}
    return {
        "name": scenario.name,
        "description": scenario.description,
        "file": source.file,
        "seed": scenario.seed,
        "state": progress.state,
        "states": list(states_of(engine.rulebook.rules).names),
        "rules": [
            {
                "name": rule.name,
                "matched": progress.matched.get(rule.name, 0),
                "beforeChecks": rule.before_checks,
                "added": rule.name in added,
                "gone": rule.name in progress.standing.gone,
            }
            for rule in engine.rulebook.rules
        ],
        "readings": engine.readings._asdict(),
        "yaml": source.yaml,
    }


async def scenario(asked: Asked) -> JSONResponse:
    """Show the scenario's YAML, its state, and how often each rule has matched."""
    return JSONResponse(scenario_json(asked.session))


async def put_scenario(asked: Asked) -> JSONResponse:
    """Play another scenario from its start, and say what is different; with a mistake in it, the old one stays."""
    session, config = asked.session, asked.config
    yaml, name = asked.body.get("yaml"), asked.body.get("name")
    if yaml is not None:
        source = sources.written(yaml, magic_prefix=config.magic_prefix)
    else:
        try:
            source = session.source_called(name, config)
        except ConfigError as error:
            place = asked.body.nodes["name"]
            raise ScenarioError([Mistake("body", place.line, place.column, str(error))]) from None
    session.take(source, config)
    return JSONResponse({**scenario_json(session), "changed": list(session.changed())})


async def add_rule(asked: Asked) -> JSONResponse:
    """Add a rule, tried before all others, in place of any of its name; `"times": 1` makes it go away by itself."""
    rule: Rule = asked.session.add_rule(asked.body.rule)
    asked.engine.feed.tell(Kind.SCENARIO)
    return JSONResponse({"name": rule.name}, status_code=201)


async def remove_rule(asked: Asked) -> JSONResponse:
    """Drop a rule that was added."""
    asked.session.remove_rule(asked.path["name"])
    asked.engine.feed.tell(Kind.SCENARIO)
    return JSONResponse({"removed": asked.path["name"]})


async def scenarios(asked: Asked) -> JSONResponse:  # noqa: ARG001 - they are the same for all who ask
    """List the built-in scenarios."""
    there = [sources.builtin(name).scenario for name in sources.builtin_names()]
    return JSONResponse(
        {"scenarios": [{"name": each.name, "description": each.description} for each in there]}
    )


_CHOICE: Final = Keys(
    "scenarioChoice",
    {"name": Text(), "yaml": Text(may_be_empty=True)},
    lambda written, _: written,
    exclusive=(("name", "yaml"),),
    least=1,
)

OPERATIONS: Final = (
    Operation("GET", "/scenario", scenario, {200: Answer("The scenario.", ref("Scenario"))}),
    Operation(
        "PUT", "/scenario", put_scenario, {200: Answer("The new one.", ref("SwitchedScenario"))}, body=_CHOICE
    ),
    Operation(
        "POST",
        "/rules",
        add_rule,
        {201: Answer("Its name, which it is given where it has none.", members(name=TEXT))},
        body=rule_shape([row.code for row in contract.error_codes()]),
    ),
    Operation(
        "DELETE", "/rules/{name:path}", remove_rule, {200: Answer("It is gone.", members(removed=TEXT))}
    ),
    Operation(
        "GET",
        "/scenarios",
        scenarios,
        {200: Answer("Each with a line.", members(scenarios=listed(members(name=TEXT, description=TEXT))))},
    ),
)
