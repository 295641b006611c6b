"""The parts of `Sandbox`: each asks a running sandbox over HTTP, whether it runs in this process or far away."""
