//! The values both databases share: integers (64 bit), text, bytes, booleans, floating point, null.

use std::borrow::Cow;

use bytes::BytesMut;
use frontdesk_model::Timestamp;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// One value going into or coming out of the database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// BOOLEAN; SQLite returns it as an integer.
    Bool(bool),
    /// TEXT.
    Text(&'a str),
    /// BLOB or BYTEA.
    Blob(&'a [u8]),
}

/// Parameters of a statement: `p![account_id, name, now]`.
macro_rules! p {
    ($($x:expr),* $(,)?) => { &[$($crate::db::value::ToValue::to_value(&$x)),*] };
}

/// A value that does not borrow: for statements that take many rows, and those put together at run time.
#[derive(Debug, Clone, PartialEq)]
pub enum Owned {
    /// No value.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// BOOLEAN.
    Bool(bool),
    /// TEXT.
    Text(String),
    /// BLOB or BYTEA.
    Blob(Vec<u8>),
}

/// One row of parameters for [`crate::Tx::execute_many`]: `row![account_id, name, now]`.
macro_rules! row {
    ($($x:expr),* $(,)?) => {
        vec![$($crate::db::value::Owned::from($crate::db::value::ToValue::to_value(&$x))),*]
    };
}

impl From<Value<'_>> for Owned {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(v) => Self::Int(v),
            Value::Real(v) => Self::Real(v),
            Value::Bool(v) => Self::Bool(v),
            Value::Text(v) => Self::Text(v.to_owned()),
            Value::Blob(v) => Self::Blob(v.to_owned()),
        }
    }
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}

impl ToValue for Owned {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(v) => Value::Int(*v),
            Self::Real(v) => Value::Real(*v),
            Self::Bool(v) => Value::Bool(*v),
            Self::Text(v) => Value::Text(v),
            Self::Blob(v) => Value::Blob(v),
        }
    }
}

impl ToSql for Owned {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_value().to_sql(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Something that can be a parameter.
pub trait ToValue {
    /// The value to bind.
    fn to_value(&self) -> Value<'_>;
}

/// Something that can be read from a column.
pub trait FromValue: Sized {
    /// What the column must hold, for the error.
    const EXPECTED: &'static str;

    /// Reads the value; `None` when it is of another type.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

macro_rules! simple_value {
    ($($t:ty, $variant:ident, $expected:literal, |$v:ident| $out:expr, $pattern:pat => $in:expr;)+) => {$(
        impl ToValue for $t {
            fn to_value(&self) -> Value<'_> { let $v = self; Value::$variant($out) }
        }
        impl FromValue for $t {
            const EXPECTED: &'static str = $expected;
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value { $pattern => $in, _ => None }
            }
        }
    )+};
}

simple_value! {
    i64, Int, "an integer", |v| *v, Value::Int(v) => Some(v);
    f64, Real, "a number", |v| *v, Value::Real(v) => Some(v);
    String, Text, "text", |v| v, Value::Text(v) => Some(v.to_owned());
    Vec<u8>, Blob, "bytes", |v| v, Value::Blob(v) => Some(v.to_vec());
    Timestamp, Int, "a time", |v| v.as_millis(), Value::Int(v) => Some(Timestamp::from_millis(v));
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "a boolean";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bool(v) => Some(v),
            Value::Int(v) => Some(v != 0),
            _ => None,
        }
    }
}

macro_rules! id_values {
    ($($t:ty),+ $(,)?) => {$(
        impl ToValue for $t {
            fn to_value(&self) -> Value<'_> { Value::Int(self.0) }
        }
        impl FromValue for $t {
            const EXPECTED: &'static str = "an id";
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value { Value::Int(v) => Some(Self(v)), _ => None }
            }
        }
    )+};
}

id_values!(
    frontdesk_model::AccountId,
    frontdesk_model::UserId,
    frontdesk_model::TokenId,
    frontdesk_model::InboxId,
    frontdesk_model::ContactId,
    frontdesk_model::ConversationId,
    frontdesk_model::MessageId,
    frontdesk_model::AttachmentId,
    frontdesk_model::OutboxId,
    frontdesk_model::ReactionSendId,
    frontdesk_model::WebhookLogId,
    frontdesk_model::AlertId,
    frontdesk_model::AlertDeliveryId,
    frontdesk_model::SyncConnectionId,
    frontdesk_model::SyncRunId,
    frontdesk_model::BridgeId,
    frontdesk_model::BridgeJobId,
    frontdesk_model::LinkedCommandId,
    frontdesk_model::DonationId,
    frontdesk_model::NoteId,
    frontdesk_model::ReminderId,
    frontdesk_model::QuickReplyId,
    frontdesk_model::WebhookEndpointId,
    frontdesk_model::WebhookSendId,
    frontdesk_model::MergeId,
);

macro_rules! word_values {
    ($($t:ty),+ $(,)?) => {$(
        impl ToValue for $t {
            fn to_value(&self) -> Value<'_> { Value::Text(self.as_str()) }
        }
        impl FromValue for $t {
            const EXPECTED: &'static str = stringify!($t);
            fn from_value(value: Value<'_>) -> Option<Self> {
                match value { Value::Text(v) => Self::parse(v), _ => None }
            }
        }
    )+};
}

word_values!(
    frontdesk_model::message::Direction,
    frontdesk_model::message::SenderType,
    frontdesk_model::message::MessageKind,
    frontdesk_model::message::MessageStatus,
    frontdesk_model::content::MediaKind,
    frontdesk_model::contact::IdentityKind,
    frontdesk_model::conversation::ConversationStatus,
    frontdesk_model::inbox::ConnectionCode,
    frontdesk_model::linked::SessionState,
    frontdesk_model::user::Role,
    frontdesk_model::alert::AlertMetric,
    frontdesk_model::alert::AlertOperator,
    frontdesk_model::alert::AlertSeverity,
    frontdesk_model::alert::AlertState,
    frontdesk_model::sync::SyncProvider,
    frontdesk_model::sync::SyncConnectionStatus,
    frontdesk_model::sync::SyncEntity,
    frontdesk_model::sync::SyncDirection,
    frontdesk_model::sync::SyncRunStatus,
    frontdesk_model::sync::SyncCause,
    frontdesk_model::crm::donation::DonationStatus,
    frontdesk_model::crm::reminder::Repeat,
    frontdesk_model::crm::segment::Segment,
);

impl ToValue for frontdesk_model::crm::money::Currency {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}

impl FromValue for frontdesk_model::crm::money::Currency {
    const EXPECTED: &'static str = "a currency";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Self::parse(text),
            _ => None,
        }
    }
}

impl ToValue for frontdesk_model::RemoteId {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str())
    }
}

impl FromValue for frontdesk_model::RemoteId {
    const EXPECTED: &'static str = "text";
    fn from_value(value: Value<'_>) -> Option<Self> {
        String::from_value(value).map(Self)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for bytes::Bytes {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// JSON kept in a TEXT column.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: serde::de::DeserializeOwned> FromValue for Json<T> {
    const EXPECTED: &'static str = "JSON";
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => serde_json::from_str(text).ok().map(Self),
            _ => None,
        }
    }
}

/// PostgreSQL has no NUL in text, but people's messages may: it becomes the replacement character on both databases.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match *self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(v) => match *ty {
                Type::INT4 => i32::try_from(v)?.to_sql(ty, out),
                Type::INT2 => i16::try_from(v)?.to_sql(ty, out),
                _ => v.to_sql(ty, out),
            },
            Value::Real(v) => v.to_sql(ty, out),
            Value::Bool(v) => v.to_sql(ty, out),
            Value::Text(v) => without_nul(v).as_ref().to_sql(ty, out),
            Value::Blob(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Value::Int(i16::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA => Value::Blob(<&[u8]>::from_sql(ty, raw)?),
            _ => Value::Text(<&str>::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
