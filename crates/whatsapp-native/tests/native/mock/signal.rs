//! Somebody with a phone: the keys of their device, and the encryption with others.

use std::collections::HashMap;

use async_trait::async_trait;
use whatsapp_rust::wacore::libsignal::protocol::{
    CiphertextMessage, CiphertextMessageType, Direction, GenericSignedPreKey as _, IdentityChange,
    IdentityKey, IdentityKeyPair, IdentityKeyStore, KeyPair, PreKeyBundle, PreKeyId, PreKeyRecord,
    PreKeySignalMessage, PreKeyStore, ProtocolAddress, PublicKey, SessionRecord, SessionStore, SignalMessage,
    SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore, Timestamp, UsePQRatchet,
    message_decrypt, message_encrypt, process_prekey_bundle,
};
use whatsapp_rust::wacore::messages::{MessageUtils, decode_plaintext};
use whatsapp_rust::wacore::store::Device;
use whatsapp_rust::waproto::whatsapp as wa;

type Result<T> = std::result::Result<T, SignalProtocolError>;

const PREKEY: u32 = 1;

/// A pair of keys like any other.
pub fn new_key_pair() -> KeyPair {
    KeyPair::generate(&mut rng())
}

pub fn rng() -> rand10::rngs::StdRng {
    rand10::make_rng()
}

/// The bytes of a public key.
pub fn key_of(key: &PublicKey) -> [u8; 32] {
    key.public_key_bytes().try_into().unwrap()
}

/// A key from its bytes.
pub fn key_from(bytes: &[u8]) -> PublicKey {
    PublicKey::from_djb_public_key_bytes(bytes).unwrap()
}

struct Identities {
    own: IdentityKeyPair,
    registration_id: u32,
    known: HashMap<ProtocolAddress, IdentityKey>,
}

#[derive(Default)]
struct Prekeys(HashMap<PreKeyId, PreKeyRecord>);

struct Signed(HashMap<SignedPreKeyId, SignedPreKeyRecord>);

#[derive(Default)]
struct Sessions(HashMap<ProtocolAddress, SessionRecord>);

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> Result<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
    ) -> Result<IdentityChange> {
        let before = self.known.insert(address.clone(), *identity);
        Ok(IdentityChange::from_changed(before.is_some_and(|before| before != *identity)))
    }

    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Result<bool> {
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> Result<Option<IdentityKey>> {
        Ok(self.known.get(address).copied())
    }
}

#[async_trait]
impl PreKeyStore for Prekeys {
    async fn get_pre_key(&self, id: PreKeyId) -> Result<PreKeyRecord> {
        self.0.get(&id).cloned().ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> Result<()> {
        self.0.insert(id, record.clone());
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> Result<()> {
        self.0.remove(&id);
        Ok(())
    }
}

#[async_trait]
impl SignedPreKeyStore for Signed {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Result<SignedPreKeyRecord> {
        self.0.get(&id).cloned().ok_or(SignalProtocolError::InvalidSignedPreKeyId)
    }

    async fn save_signed_pre_key(&mut self, id: SignedPreKeyId, record: &SignedPreKeyRecord) -> Result<()> {
        self.0.insert(id, record.clone());
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Result<Option<SessionRecord>> {
        Ok(self.0.get(address).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool> {
        Ok(self.0.contains_key(address))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Result<()> {
        self.0.insert(address.clone(), record);
        Ok(())
    }
}

/// What somebody's phone knows of encryption.
pub struct Signal {
    pub identity: KeyPair,
    registration_id: u32,
    signed: KeyPair,
    signature: Vec<u8>,
    prekey: KeyPair,
    identities: Identities,
    prekeys: Prekeys,
    signed_prekeys: Signed,
    sessions: Sessions,
}

impl Signal {
    pub fn new() -> Self {
        let device = Device::new();
        let (identity, signed, prekey) =
            (device.identity_key.clone(), device.signed_pre_key.clone(), new_key_pair());
        let signature = device.signed_pre_key_signature.to_vec();
        let own = IdentityKeyPair::new(IdentityKey::new(identity.public_key), identity.private_key.clone());
        let record =
            SignedPreKeyRecord::new(PREKEY.into(), Timestamp::from_epoch_millis(0), &signed, &signature);
        let prekeys = Prekeys([(PREKEY.into(), PreKeyRecord::new(PREKEY.into(), &prekey))].into());
        Self {
            identities: Identities { own, registration_id: device.registration_id, known: HashMap::new() },
            registration_id: device.registration_id,
            signed_prekeys: Signed([(PREKEY.into(), record)].into()),
            sessions: Sessions::default(),
            identity,
            signed,
            signature,
            prekey,
            prekeys,
        }
    }

    /// What others need to write to this phone.
    pub fn bundle(&self) -> PreKeyBundle {
        PreKeyBundle::new(
            self.registration_id,
            0_u32.into(),
            Some((PREKEY.into(), self.prekey.public_key)),
            PREKEY.into(),
            self.signed.public_key,
            self.signature.clone(),
            IdentityKey::new(self.identity.public_key),
        )
        .unwrap()
    }

    /// Encrypts a message for a device; `bundle` is how to begin. Returns the word for the kind of encryption, and the bytes.
    pub async fn encrypt(
        &mut self,
        to: &ProtocolAddress,
        bundle: &PreKeyBundle,
        message: &wa::Message,
    ) -> (&'static str, Vec<u8>) {
        if !self.sessions.0.contains_key(to) {
            let (sessions, identities) = (&mut self.sessions, &mut self.identities);
            process_prekey_bundle(to, sessions, identities, bundle, &mut rng(), UsePQRatchet::No)
                .await
                .unwrap();
        }
        let plain = MessageUtils::encode_and_pad(message);
        let sealed = message_encrypt(&plain, to, &mut self.sessions, &mut self.identities).await.unwrap();
        let kind = if sealed.message_type() == CiphertextMessageType::PreKey { "pkmsg" } else { "msg" };
        (kind, sealed.serialize().to_vec())
    }

    /// Decrypts what a device wrote.
    pub async fn decrypt(&mut self, from: &ProtocolAddress, kind: &str, bytes: &[u8]) -> Option<wa::Message> {
        let sealed = match kind {
            "pkmsg" => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(bytes).ok()?),
            _ => CiphertextMessage::SignalMessage(SignalMessage::try_from(bytes).ok()?),
        };
        let (sessions, identities, prekeys) = (&mut self.sessions, &mut self.identities, &mut self.prekeys);
        let signed = &self.signed_prekeys;
        let plain = message_decrypt(
            &sealed,
            from,
            sessions,
            identities,
            prekeys,
            signed,
            &mut rng(),
            UsePQRatchet::No,
        )
        .await
        .ok()?;
        decode_plaintext(&plain.plaintext, 2).ok()
    }
}
