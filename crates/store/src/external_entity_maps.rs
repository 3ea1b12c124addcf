//! What is the same here and in another program, and how it was when both were last the same.

use std::collections::BTreeMap;

use frontdesk_model::sync::{SyncEntity, SyncProvider};
use frontdesk_model::{AccountId, SyncConnectionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::db::statement::{both, each};
use crate::{Columns, FromRow, StoreError, Tx};

macro_rules! columns {
    () => {
        "m.account_id, m.provider, m.entity_type, m.external_id, m.external_number, m.scope, m.connection_id, m.internal_id,
         m.fingerprint, m.base, m.listed, m.remote_updated_at, m.deleted_at, m.updated_at"
    };
}

statements! {
    FIND_MANY = each(
        concat!("SELECT ", columns!(), " FROM external_entity_maps m
         WHERE m.account_id = $1 AND m.provider = $2 AND m.entity_type = $3 AND m.external_id = $4"),
        concat!("SELECT ", columns!(), " FROM external_entity_maps m
         JOIN UNNEST($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[]) AS n (account_id, provider, entity_type, external_id)
         ON m.account_id = n.account_id AND m.provider = n.provider AND m.entity_type = n.entity_type
            AND m.external_id = n.external_id"));
    OF_INTERNAL_MANY = each(
        concat!("SELECT ", columns!(), " FROM external_entity_maps m
         WHERE m.account_id = $1 AND m.entity_type = $2 AND m.internal_id = $3 AND m.provider = $4 AND m.scope = $5"),
        concat!("SELECT ", columns!(), " FROM external_entity_maps m
         JOIN UNNEST($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::TEXT[], $5::TEXT[])
            AS n (account_id, entity_type, internal_id, provider, scope)
         ON m.account_id = n.account_id AND m.entity_type = n.entity_type AND m.internal_id = n.internal_id
            AND m.provider = n.provider AND m.scope = n.scope"));
    IN_RANGE = both(concat!("SELECT ", columns!(), " FROM external_entity_maps m
         WHERE m.account_id = $1 AND m.provider = $2 AND m.entity_type = $3 AND m.scope = $4
            AND m.external_number > $5 AND m.external_number <= $6 AND m.listed = TRUE AND m.deleted_at IS NULL
         ORDER BY m.external_number LIMIT $7"));
    SAVE_MANY = each(
        "INSERT INTO external_entity_maps (account_id, provider, entity_type, external_id, external_number, scope,
            connection_id, internal_id, fingerprint, base, listed, remote_updated_at, deleted_at, seen_at, created_at,
            updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $14)
         ON CONFLICT (account_id, provider, entity_type, external_id) DO UPDATE SET
            connection_id = excluded.connection_id, internal_id = excluded.internal_id, fingerprint = excluded.fingerprint,
            base = excluded.base, listed = excluded.listed, remote_updated_at = excluded.remote_updated_at,
            deleted_at = excluded.deleted_at, seen_at = excluded.seen_at, updated_at = excluded.updated_at",
        "INSERT INTO external_entity_maps (account_id, provider, entity_type, external_id, external_number, scope,
            connection_id, internal_id, fingerprint, base, listed, remote_updated_at, deleted_at, seen_at, created_at,
            updated_at)
         SELECT n.a, n.b, n.c, n.d, n.e, n.f, n.g, n.h, n.i, n.j, n.k, n.l, n.m, n.n, n.n, n.n
         FROM UNNEST($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[], $7::BIGINT[], $8::BIGINT[],
            $9::TEXT[], $10::TEXT[], $11::BOOLEAN[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[])
            AS n (a, b, c, d, e, f, g, h, i, j, k, l, m, n)
         ON CONFLICT (account_id, provider, entity_type, external_id) DO UPDATE SET
            connection_id = excluded.connection_id, internal_id = excluded.internal_id, fingerprint = excluded.fingerprint,
            base = excluded.base, listed = excluded.listed, remote_updated_at = excluded.remote_updated_at,
            deleted_at = excluded.deleted_at, seen_at = excluded.seen_at, updated_at = excluded.updated_at");
    FORGET = both(
        "UPDATE external_entity_maps SET base = '{}', fingerprint = ''
         WHERE account_id = $1 AND entity_type = $2 AND internal_id = $3");
}

/// Digests of fields by their names.
pub type Digests = BTreeMap<String, String>;

/// How the fields were when both sides were last the same. Each side writes them in its own way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// There.
    #[serde(default)]
    pub remote: Digests,
    /// Here.
    #[serde(default)]
    pub local: Digests,
}

/// One thing that is the same here and there.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct EntityMap {
    pub account_id: AccountId,
    pub provider: SyncProvider,
    pub entity_type: SyncEntity,
    /// Its id there, behind the scope of the connection.
    pub external_id: String,
    /// Its id there.
    pub external_number: i64,
    pub scope: String,
    pub connection_id: SyncConnectionId,
    /// Its id here.
    pub internal_id: i64,
    /// A digest of all that is taken over from there.
    pub fingerprint: String,
    pub base: Base,
    /// It is among those that the other program lists.
    pub listed: bool,
    /// When it was last changed there, as far as that was told.
    pub remote_updated_at: Timestamp,
    /// It is gone there.
    pub deleted_at: Option<Timestamp>,
    /// When this row was last written; [`save_many`] sets it.
    pub updated_at: Timestamp,
}

impl FromRow for EntityMap {
    fn from_row(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: row.next()?,
            provider: row.next()?,
            entity_type: row.next()?,
            external_id: row.next()?,
            external_number: row.next()?,
            scope: row.next()?,
            connection_id: row.next()?,
            internal_id: row.next()?,
            fingerprint: row.next()?,
            base: row.next_json()?,
            listed: row.next()?,
            remote_updated_at: row.next()?,
            deleted_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// Whose things, of which kind, in which program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct Shelf {
    pub account: AccountId,
    pub provider: SyncProvider,
    pub entity: SyncEntity,
    pub scope: String,
}

/// Those with these ids there (scope included), all with one question.
pub fn find_many(tx: &mut Tx<'_>, of: &Shelf, external_ids: &[String]) -> Result<Vec<EntityMap>, StoreError> {
    let rows = external_ids.iter().map(|id| row![of.account, of.provider, of.entity, id]).collect();
    tx.query_many(&FIND_MANY, rows)
}

/// Those with these ids here.
pub fn of_internal(tx: &mut Tx<'_>, of: &Shelf, internal_ids: &[i64]) -> Result<Vec<EntityMap>, StoreError> {
    let rows = internal_ids.iter().map(|id| row![of.account, of.entity, id, of.provider, of.scope]).collect();
    tx.query_many(&OF_INTERNAL_MANY, rows)
}

/// Those that the other program should list with ids above `after` up to `until`.
pub fn in_range(
    tx: &mut Tx<'_>,
    of: &Shelf,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<EntityMap>, StoreError> {
    tx.query(&IN_RANGE, p![of.account, of.provider, of.entity, of.scope, after, until, limit])
}

/// Stores them, new ones and known ones, all with one statement.
pub fn save_many(tx: &mut Tx<'_>, maps: &[EntityMap], now: Timestamp) -> Result<(), StoreError> {
    let rows = maps.iter().map(|map| {
        let base = serde_json::to_string(&map.base).unwrap_or_default();
        row![
            map.account_id,
            map.provider,
            map.entity_type,
            map.external_id,
            map.external_number,
            map.scope,
            map.connection_id,
            map.internal_id,
            map.fingerprint,
            base,
            map.listed,
            map.remote_updated_at,
            map.deleted_at,
            now
        ]
    });
    tx.execute_many(&SAVE_MANY, rows.collect()).map(drop)
}

/// Forgets the digests of somebody who is erased here. That they are known there stays, so that they do not come back.
pub fn forget(
    tx: &mut Tx<'_>,
    account: AccountId,
    entity: SyncEntity,
    internal_id: i64,
) -> Result<(), StoreError> {
    tx.execute(&FORGET, p![account, entity, internal_id]).map(drop)
}
