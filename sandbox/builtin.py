from sandbox.core.scenario import Scenario


def load_builtin(name: str) -> Scenario:
    return Scenario(name=name)
