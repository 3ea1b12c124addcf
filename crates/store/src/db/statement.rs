//! SQL texts, declared once so that the tests can prepare every one of them on both databases.

/// One SQL statement, for both databases or in a form for each. Parameters are `$1`, `$2`…
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A statement both databases understand.
pub(crate) const fn both(sql: &'static str) -> Statement {
    Statement { sqlite: sql, postgres: sql }
}

/// A statement that has to be written differently.
pub(crate) const fn each(sqlite: &'static str, postgres: &'static str) -> Statement {
    Statement { sqlite, postgres }
}

/// Declares the statements of a file: `statements! { FIND = both("SELECT …"); }`.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $value:expr;)+) => {
        $($(#[$meta])* const $name: $crate::db::statement::Statement = $value;)+

        /// All statements of this file, for the test that prepares them on both databases.
        pub(crate) const STATEMENTS: &[(&str, $crate::db::statement::Statement)] = &[$((stringify!($name), $name)),+];
    };
}
