//! How much a test does: little among the tests of every day, all of it in `make torture`.

/// One of two sizes of a test: the full one with `FULL_SIZE=1`.
pub fn pick<T>(quick: T, full: T) -> T {
    if std::env::var_os("FULL_SIZE").is_some_and(|value| value == "1") { full } else { quick }
}
