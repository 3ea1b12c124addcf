//! SQL texts, declared once so that the tests can prepare every one of them on both databases.

/// One SQL statement, for both databases or in a form for each. Parameters are `$1`, `$2`…
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Statement {
    /// The text that SQLite is given.
    pub fn for_sqlite(&self) -> &'static str {
        self.sqlite
    }
}

/// A statement both databases understand.
pub(crate) const fn both(sql: &'static str) -> Statement {
    Statement { sqlite: sql, postgres: sql }
}

/// A statement that has to be written differently.
pub(crate) const fn each(sqlite: &'static str, postgres: &'static str) -> Statement {
    Statement { sqlite, postgres }
}

/// A statement for [`crate::Tx::insert`]: one row, and the id it is given. SQLite tells that by itself; asked to return it,
/// it would make a table for the answer.
macro_rules! inserting {
    ($($sql:tt)+) => {
        $crate::db::statement::each($($sql)+, concat!($($sql)+, " RETURNING id"))
    };
}

/// A statement about something only SQLite has.
pub(crate) const fn sqlite_only(sql: &'static str) -> Statement {
    Statement { sqlite: sql, postgres: "SELECT 1" }
}

/// The same text with `?1` for `$1`: what SQLite calls by number it need not look up by name.
pub(crate) const fn numbered<const LENGTH: usize>(sql: &str) -> [u8; LENGTH] {
    let (bytes, mut out) = (sql.as_bytes(), [0; LENGTH]);
    let mut at = 0;
    while at < LENGTH {
        let is_parameter = bytes[at] == b'$' && at + 1 < LENGTH && bytes[at + 1].is_ascii_digit();
        out[at] = if is_parameter { b'?' } else { bytes[at] };
        at += 1;
    }
    out
}

/// The text behind bytes that [`numbered`] made.
pub(crate) const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("numbering the parameters keeps the text valid"),
    }
}

/// Declares the statements of a file: `statements! { FIND = both("SELECT …"); }`.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $value:expr;)+) => {
        $($(#[$meta])* const $name: $crate::db::statement::Statement = {
            use $crate::db::statement::{Statement, numbered, text};
            const DECLARED: Statement = $value;
            const SQLITE: &[u8; DECLARED.sqlite.len()] = &numbered(DECLARED.sqlite);
            Statement { sqlite: text(SQLITE), ..DECLARED }
        };)+

        /// All statements of this file, for the test that prepares them on both databases.
        pub(crate) const STATEMENTS: &[(&str, $crate::db::statement::Statement)] = &[$((stringify!($name), $name)),+];
    };
}
