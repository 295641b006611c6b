"""The faces of the sandbox over HTTP: each module reads, calls the engine, and renders."""
