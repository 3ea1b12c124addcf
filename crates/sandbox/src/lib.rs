//! Fake providers over HTTP for tests, demo, benchmarks and integrators.
