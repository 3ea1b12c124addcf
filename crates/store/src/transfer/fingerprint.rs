//! What a table holds, as a count and a hash that are the same on both databases.

use sha2::{Digest, Sha256};

use super::catalog::{Kind, Table};
use crate::db::value::Owned;

/// The rows of one table, whatever their order: how many, and the sum of the SHA-256 of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// How many rows.
    pub rows: u64,
    sum: [u64; 4],
}

impl Fingerprint {
    /// The sum as text, short enough to be compared by eye.
    pub fn short(&self) -> String {
        format!("{:016x}", self.sum[0])
    }

    /// Counts a row in.
    pub(super) fn add(&mut self, table: &Table, row: &[Owned]) {
        let mut hash = Sha256::new();
        for ((name, kind), value) in table.columns.iter().zip(row) {
            // A mark for the kind and the lengths keep values apart from their neighbours.
            let mut part = |mark: u8, bytes: &[u8]| {
                hash.update((name.len() as u64).to_le_bytes());
                hash.update(name);
                hash.update([mark]);
                hash.update((bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            };
            match canonical(*kind, value.clone()) {
                // A column that a migration added and that holds nothing yet makes no difference.
                Owned::Null => {}
                Owned::Int(v) => part(1, &v.to_le_bytes()),
                Owned::Real(v) => part(2, &v.to_bits().to_le_bytes()),
                Owned::Bool(v) => part(3, &[v.into()]),
                Owned::Text(v) => part(4, v.as_bytes()),
                Owned::Blob(v) => part(5, &v),
            }
        }
        self.rows += 1;
        for (lane, bytes) in self.sum.iter_mut().zip(hash.finalize().as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_le_bytes(*bytes));
        }
    }
}

/// The value as its column means it: SQLite keeps booleans as numbers.
pub(super) fn canonical(kind: Kind, value: Owned) -> Owned {
    match (kind, value) {
        (Kind::Boolean, Owned::Int(v)) => Owned::Bool(v != 0),
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let columns = vec![("a".to_owned(), Kind::Boolean), ("b".to_owned(), Kind::Text)];
        Table { name: "t".to_owned(), columns }
    }

    fn of(rows: &[[Owned; 2]]) -> Fingerprint {
        let mut print = Fingerprint::default();
        rows.iter().for_each(|row| print.add(&table(), row));
        print
    }

    #[test]
    fn the_order_of_rows_and_the_databases_way_with_booleans_change_nothing() {
        let one = || [Owned::Bool(true), Owned::Text("x".to_owned())];
        let two = || [Owned::Int(0), Owned::Null];
        assert_eq!(of(&[one(), two()]), of(&[two(), [Owned::Int(1), Owned::Text("x".to_owned())]]));
    }

    #[test]
    fn a_new_column_without_values_changes_nothing() {
        let mut wider = table();
        wider.columns.push(("c".to_owned(), Kind::Text));
        let row = [Owned::Bool(true), Owned::Text("x".to_owned()), Owned::Null];
        let mut print = Fingerprint::default();
        print.add(&wider, &row);
        assert_eq!(print, of(&[[row[0].clone(), row[1].clone()]]));
    }

    #[test]
    fn every_other_difference_is_seen() {
        let base = [Owned::Bool(true), Owned::Text(String::new())];
        let null = [Owned::Bool(true), Owned::Null];
        let other = [Owned::Bool(false), Owned::Text(String::new())];
        let moved = [Owned::Null, Owned::Bool(true)];
        let prints = [
            of(std::slice::from_ref(&base)),
            of(&[null]),
            of(&[other]),
            of(&[moved]),
            of(&[base.clone(), base]),
        ];
        for (index, print) in prints.iter().enumerate() {
            assert!(!prints[..index].contains(print), "{index}");
        }
    }
}
