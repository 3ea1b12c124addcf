//! The rows of all tables, read in one transaction of the source and written in one of the target.
//!
//! Both run at the same time, each on its thread, with a short queue between them. The source is locked against
//! writers meanwhile. The target commits only what it has read back and found to be the same: whatever goes wrong,
//! also a kill, it stays empty.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use frontdesk_model::Timestamp;

use super::catalog::{self, Table};
use super::fingerprint::{Fingerprint, canonical};
use super::{TableReport, TransferError, refuse_running};
use crate::db::statement::each;
use crate::db::value::Owned;
use crate::{Store, StoreError, Tx};

statements! {
    /// Neither side may be given up by the server while it waits for the other.
    WAIT = each(
        "SELECT 1",
        "SELECT 1 FROM (SELECT set_config('idle_in_transaction_session_timeout', '0', true)) AS patient");
}

/// Rows written by one statement at most, and their bytes.
const MAX_ROWS: usize = 1_000;
const MAX_BYTES: usize = 4 << 20;
/// Batches between the two sides.
const QUEUE: usize = 4;

enum Step {
    /// Rows of the table of this number.
    Rows(usize, Vec<Vec<Owned>>),
    /// All tables are read; what they held.
    End(Vec<Fingerprint>),
}

/// Copies all rows; see [`super::copy`].
pub(super) async fn copy(
    source: &Store,
    target: &Store,
    now: Timestamp,
) -> Result<Vec<TableReport>, TransferError> {
    let tables = Arc::new(source.read(catalog::copied).await?);
    let (sender, receiver) = sync_channel(QUEUE);
    let (sender, receiver) = (Mutex::new(Some(sender)), Mutex::new(Some(receiver)));
    let read = {
        let tables = tables.clone();
        source.write(move |tx| {
            let sender = sender.lock().ok().and_then(|mut sender| sender.take());
            let sender = sender.ok_or_else(again)?;
            lock(tx, &tables)?;
            refuse_running(tx, now)?;
            read_all(tx, &tables, &sender)
        })
    };
    let write = {
        let tables = tables.clone();
        target.write(move |tx| {
            let receiver = receiver.lock().ok().and_then(|mut receiver| receiver.take());
            let receiver = receiver.ok_or_else(again)?;
            tx.query::<(i64,)>(&WAIT, p![])?;
            write_all(tx, &tables, &receiver)
        })
    };
    match tokio::join!(read, write) {
        (Ok(()), written) => written,
        // The side that failed first tells why; the other only lost its partner.
        (Err(TransferError::Interrupted), Err(error)) => Err(error),
        (Err(error), _) => Err(error),
    }
}

/// A transaction that is run again (a deadlock on PostgreSQL) has lost its partner.
fn again() -> TransferError {
    TransferError::Interrupted
}

/// Nobody writes to the source from here on; whoever tries waits, and is refused. On SQLite the writing transaction is
/// enough.
fn lock(tx: &mut Tx<'_>, tables: &[Table]) -> Result<(), StoreError> {
    tx.query::<(i64,)>(&WAIT, p![])?;
    if tx.is_postgres() {
        let names: Vec<String> = tables.iter().map(|table| format!("\"{}\"", table.name)).collect();
        tx.execute_script(&format!("LOCK TABLE {} IN SHARE MODE", names.join(", ")))?;
    }
    Ok(())
}

fn read_all(tx: &mut Tx<'_>, tables: &[Table], sender: &SyncSender<Step>) -> Result<(), TransferError> {
    let mut prints = Vec::with_capacity(tables.len());
    for (number, table) in tables.iter().enumerate() {
        let (mut print, mut batch, mut bytes) = (Fingerprint::default(), Vec::new(), 0);
        let mut gone = false;
        tx.stream(&select(table), |row| {
            let row = row.all(table.columns.len())?;
            print.add(table, &row);
            bytes += row.iter().map(size).sum::<usize>();
            batch.push(row);
            if batch.len() >= MAX_ROWS || bytes >= MAX_BYTES {
                bytes = 0;
                gone |= sender.send(Step::Rows(number, std::mem::take(&mut batch))).is_err();
            }
            if gone { Err(StoreError::Closed) } else { Ok(()) }
        })
        .map_err(|error| if gone { TransferError::Interrupted } else { error.into() })?;
        sender.send(Step::Rows(number, batch)).map_err(|_| TransferError::Interrupted)?;
        prints.push(print);
    }
    sender.send(Step::End(prints)).map_err(|_| TransferError::Interrupted)
}

fn write_all(
    tx: &mut Tx<'_>,
    tables: &[Table],
    receiver: &Receiver<Step>,
) -> Result<Vec<TableReport>, TransferError> {
    let postgres = tx.is_postgres();
    loop {
        match receiver.recv().map_err(|_| TransferError::Interrupted)? {
            Step::Rows(number, rows) => {
                let table = &tables[number];
                let rows = rows.into_iter().map(|row| canonical_row(table, row)).collect();
                tx.execute_many_text(&insert(table, postgres), rows)?;
            }
            Step::End(prints) => {
                catalog::continue_numbers(tx)?;
                let reports = compare(tx, tables, &prints)?;
                let same = reports.iter().all(TableReport::is_same);
                return if same { Ok(reports) } else { Err(TransferError::Differs(reports)) };
            }
        }
    }
}

/// Reads the target back.
fn compare(
    tx: &mut Tx<'_>,
    tables: &[Table],
    prints: &[Fingerprint],
) -> Result<Vec<TableReport>, StoreError> {
    let pairs = tables.iter().zip(prints);
    pairs
        .map(|(table, source)| {
            let target = fingerprint(tx, table)?;
            Ok(TableReport { name: table.name.clone(), source: *source, target })
        })
        .collect()
}

/// What a table holds.
pub(super) fn fingerprint(tx: &mut Tx<'_>, table: &Table) -> Result<Fingerprint, StoreError> {
    let mut print = Fingerprint::default();
    tx.stream(&select(table), |row| {
        print.add(table, &row.all(table.columns.len())?);
        Ok(())
    })?;
    Ok(print)
}

fn canonical_row(table: &Table, row: Vec<Owned>) -> Vec<Owned> {
    table.columns.iter().zip(row).map(|((_, kind), value)| canonical(*kind, value)).collect()
}

fn size(value: &Owned) -> usize {
    match value {
        Owned::Text(text) => text.len(),
        Owned::Blob(bytes) => bytes.len(),
        _ => 8,
    }
}

fn names(table: &Table) -> String {
    let quoted: Vec<String> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

fn select(table: &Table) -> String {
    format!("SELECT {} FROM \"{}\"", names(table), table.name)
}

fn insert(table: &Table, postgres: bool) -> String {
    let parameters: Vec<String> = (1..)
        .zip(&table.columns)
        .map(|(n, (_, kind))| if postgres { format!("${n}::{}", kind.array()) } else { format!("?{n}") })
        .collect();
    let parameters = parameters.join(", ");
    let values = if postgres {
        format!("SELECT * FROM UNNEST({parameters})")
    } else {
        format!("VALUES ({parameters})")
    };
    format!("INSERT INTO \"{}\" ({}) {values}", table.name, names(table))
}
