//! What the library asks of its store, against ours.

use std::sync::Arc;

use bytes::Bytes;
use frontdesk_whatsapp_native::backend::KeyStore;
use whatsapp_rust::traits::{
    AppStateSyncKey, AppSyncStore as _, DeviceInfo, DeviceListRecord, DeviceStore as _, LidPnMappingEntry,
    MsgSecretEntry, MsgSecretStore as _, PendingInboundKey, PendingInboundRow, ProtocolStore as _,
    SignalStore as _, TcTokenEntry,
};
use whatsapp_rust::wacore::appstate::processor::AppStateMutationMAC;
use whatsapp_rust::wacore::store::Device;
use whatsapp_rust::wacore::time::now_secs;

use crate::keys::MemoryKeys;

fn store() -> (KeyStore, Arc<MemoryKeys>) {
    let keys = Arc::new(MemoryKeys::default());
    (KeyStore::new(keys.clone()), keys)
}

#[tokio::test]
async fn a_batch_of_sessions_is_kept_whole_or_not_at_all() {
    let (store, keys) = store();
    let address = |i: usize| Arc::<str>::from(format!("62813{i}@s.whatsapp.net"));
    let batch: Vec<(Arc<str>, Bytes)> = (0..5).map(|i| (address(i), Bytes::from(vec![1; 8]))).collect();
    store.put_sessions_batch(&batch).await.unwrap();
    keys.fail(true);
    let newer: Vec<(Arc<str>, Bytes)> = (0..5).map(|i| (address(i), Bytes::from(vec![2; 8]))).collect();
    assert!(
        store.put_sessions_batch(&newer).await.is_err(),
        "what is not on disk is told: nothing may be sent with it"
    );
    keys.fail(false);
    for i in 0..5 {
        assert_eq!(store.get_session(&address(i)).await.unwrap(), Some(Bytes::from(vec![1; 8])));
    }
    store.delete_session(&address(0)).await.unwrap();
    assert!(!store.has_session(&address(0)).await.unwrap());
}

#[tokio::test]
async fn keys_for_newcomers_are_counted_by_number_and_stay_deleted() {
    let (store, _) = store();
    let keys: Vec<(u32, Bytes)> =
        (1..=1_200_u32).map(|id| (id, Bytes::from(id.to_be_bytes().to_vec()))).collect();
    store.store_prekeys_batch(&keys, false).await.unwrap();
    assert_eq!(
        store.get_max_prekey_id().await.unwrap(),
        1_200,
        "by number and not by letters, over several pages"
    );
    store.remove_prekey(7).await.unwrap();
    store.mark_prekeys_uploaded(&[6, 7, 8]).await.unwrap();
    assert_eq!(store.load_prekey(7).await.unwrap(), None, "a key that was used is never brought back");
    assert_eq!(store.load_prekey(8).await.unwrap(), Some(Bytes::from(8_u32.to_be_bytes().to_vec())));
    store.store_signed_prekey(2, b"b").await.unwrap();
    store.store_signed_prekey(1, b"a").await.unwrap();
    assert_eq!(store.load_all_signed_prekeys().await.unwrap(), [(1, b"a".to_vec()), (2, b"b".to_vec())]);
}

#[tokio::test]
async fn identities_and_sender_keys_read_back() {
    let (store, _) = store();
    store
        .put_identities_batch(&[(Arc::from("a@lid"), [1; 32]), (Arc::from("b@lid"), [2; 32])])
        .await
        .unwrap();
    assert_eq!(store.load_identity("b@lid").await.unwrap(), Some([2; 32]));
    store.delete_identity("b@lid").await.unwrap();
    assert_eq!(store.load_identity("b@lid").await.unwrap(), None);
    store.put_sender_key("1203@g.us::a", b"key").await.unwrap();
    assert_eq!(store.get_sender_key("1203@g.us::a").await.unwrap(), Some(b"key".to_vec()));
}

#[tokio::test]
async fn the_latest_key_of_shared_state_and_its_checksums_are_found() {
    let (store, _) = store();
    for id in [[0, 1], [0, 2]] {
        let key = AppStateSyncKey { key_data: vec![id[1]; 32], ..AppStateSyncKey::default() };
        store.set_sync_key(&id, key).await.unwrap();
    }
    assert_eq!(store.get_latest_sync_key_id().await.unwrap(), Some(vec![0, 2]));
    assert_eq!(store.get_sync_key(&[0, 1]).await.unwrap().unwrap().key_data, vec![1; 32]);
    assert_eq!(store.get_version("regular").await.unwrap().version, 0, "one that is new begins at nothing");
    let mac = |i: u8| AppStateMutationMAC { index_mac: vec![i; 32], value_mac: vec![i; 4] };
    store.put_mutation_macs("regular", 1, &[mac(1), mac(2)]).await.unwrap();
    store.put_mutation_macs("regular_high", 1, &[mac(1)]).await.unwrap();
    store.delete_mutation_macs("regular", &[vec![1; 32]]).await.unwrap();
    assert_eq!(store.get_mutation_mac("regular", &[1; 32]).await.unwrap(), None);
    store.clear_mutation_macs("regular").await.unwrap();
    assert_eq!(store.get_mutation_mac("regular", &[2; 32]).await.unwrap(), None);
    assert_eq!(
        store.get_mutation_mac("regular_high", &[1; 32]).await.unwrap(),
        Some(vec![1; 4]),
        "others keep theirs"
    );
}

#[tokio::test]
async fn a_number_that_moves_to_another_id_leads_there_alone() {
    let (store, _) = store();
    let pair = |lid: &str, number: &str| LidPnMappingEntry {
        lid: lid.to_owned(),
        phone_number: number.to_owned(),
        created_at: 1,
        updated_at: 1,
        learning_source: "usync".to_owned(),
    };
    store.put_lid_mappings(&[pair("1", "62811"), pair("2", "62812")]).await.unwrap();
    assert_eq!(store.get_pn_mapping("62812").await.unwrap().unwrap().lid, "2");
    store.put_lid_mapping(&pair("1", "62899")).await.unwrap();
    assert!(store.get_pn_mapping("62811").await.unwrap().is_none());
    assert_eq!(store.get_pn_mapping("62899").await.unwrap().unwrap().lid, "1");
    assert_eq!(store.get_all_lid_mappings().await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_came_in_waits_until_it_is_committed() {
    let (store, _) = store();
    let row = |id: &'static str| PendingInboundRow { chat: "c", sender: "s", id, message: b"words" };
    store.store_pending_inbound_batch(&[row("1"), row("2")]).await.unwrap();
    assert_eq!(store.get_pending_inbound("c", "s", "1").await.unwrap(), Some(b"words".to_vec()));
    assert_eq!(
        store.get_pending_inbound("c", "other", "1").await.unwrap(),
        None,
        "ids are unique for a sender alone"
    );
    store
        .delete_pending_inbound_batch(&[PendingInboundKey { chat: "c", sender: "s", id: "1" }])
        .await
        .unwrap();
    assert_eq!(store.get_pending_inbound("c", "s", "1").await.unwrap(), None);
    store.delete_expired_pending_inbound(now_secs() - 60).await.unwrap();
    assert!(store.get_pending_inbound("c", "s", "2").await.unwrap().is_some());
    store.delete_expired_pending_inbound(now_secs() + 60).await.unwrap();
    assert_eq!(store.get_pending_inbound("c", "s", "2").await.unwrap(), None);
}

#[tokio::test]
async fn a_sent_message_is_handed_out_once() {
    let (store, _) = store();
    store.store_sent_message("c", "1", b"sealed").await.unwrap();
    assert_eq!(store.take_sent_message("c", "1").await.unwrap(), Some(b"sealed".to_vec()));
    assert_eq!(store.take_sent_message("c", "1").await.unwrap(), None);
}

#[tokio::test]
async fn secrets_of_messages_live_as_long_as_the_longest_wish() {
    let (store, _) = store();
    let secret = |id: &str, expires_at, message_ts| MsgSecretEntry {
        chat: Arc::from("c"),
        sender: Arc::from("s"),
        msg_id: Arc::from(id),
        secret: [3; 32],
        expires_at,
        message_ts,
    };
    store.put_msg_secrets(vec![secret("ends", 100, 50), secret("stays", 0, 0)]).await.unwrap();
    store.put_msg_secrets(vec![secret("ends", 90, 0), secret("stays", 80, 70)]).await.unwrap();
    let found = store.get_msg_secret_with_ts("c", "s", "ends").await.unwrap();
    assert_eq!(found, Some((vec![3; 32], 50)), "a time that is known is not forgotten");
    store.delete_expired_msg_secrets(99).await.unwrap();
    assert!(store.get_msg_secret("c", "s", "ends").await.unwrap().is_some());
    store.delete_expired_msg_secrets(100).await.unwrap();
    assert_eq!(store.get_msg_secret("c", "s", "ends").await.unwrap(), None);
    assert!(store.get_msg_secret("c", "s", "stays").await.unwrap().is_some(), "never is never");
}

#[tokio::test]
async fn tokens_of_contacts_only_get_newer() {
    let (store, _) = store();
    store.touch_tc_token_sender_timestamp("a", 10).await.unwrap();
    store.store_received_tc_token("a", b"new", 20).await.unwrap();
    store.store_received_tc_token("a", b"old", 5).await.unwrap();
    store.touch_tc_token_sender_timestamp("a", 4).await.unwrap();
    let kept = store.get_tc_token("a").await.unwrap().unwrap();
    assert_eq!(
        (kept.token.as_slice(), kept.token_timestamp, kept.sender_timestamp),
        (b"new".as_slice(), 20, Some(10))
    );
    let stale = TcTokenEntry { token: b"x".to_vec(), token_timestamp: 1, sender_timestamp: None };
    store.put_tc_token("b", &stale).await.unwrap();
    assert_eq!(store.delete_expired_tc_tokens(15, 15).await.unwrap(), 1);
    assert_eq!(store.get_all_tc_token_jids().await.unwrap(), ["a"]);
}

#[tokio::test]
async fn who_has_the_key_of_a_group_is_known_by_device() {
    let (store, _) = store();
    store.set_sender_key_status("g1", &[("a:1", true), ("b:1", true)]).await.unwrap();
    store.set_sender_key_status("g2", &[("a:1", true)]).await.unwrap();
    store.set_sender_key_status("g1", &[("b:1", false)]).await.unwrap();
    store.delete_sender_key_device_rows(&["a:1"]).await.unwrap();
    assert_eq!(store.get_sender_key_devices("g1").await.unwrap(), [("b:1".to_owned(), false)]);
    assert!(store.get_sender_key_devices("g2").await.unwrap().is_empty());
    store.clear_all_sender_key_devices().await.unwrap();
    assert!(store.get_sender_key_devices("g1").await.unwrap().is_empty());
}

#[tokio::test]
async fn devices_groups_and_base_keys_read_back() {
    let (store, _) = store();
    let record = DeviceListRecord {
        user: "62811".to_owned(),
        devices: vec![DeviceInfo::new(0, None), DeviceInfo::new(3, Some(1))],
        timestamp: 1,
        phash: None,
        raw_id: Some(7),
    };
    store.update_device_lists(vec![record]).await.unwrap();
    assert_eq!(store.get_devices("62811").await.unwrap().unwrap().devices.len(), 2);
    store.delete_devices("62811").await.unwrap();
    assert!(store.get_devices("62811").await.unwrap().is_none());
    store.put_group_metadata("g", b"blob").await.unwrap();
    assert_eq!(store.get_group_metadata("g").await.unwrap(), Some(b"blob".to_vec()));
    store.save_base_key("a", "1", b"base").await.unwrap();
    assert!(store.has_same_base_key("a", "1", b"base").await.unwrap());
    assert!(!store.has_same_base_key("a", "1", b"other").await.unwrap());
}

#[tokio::test]
async fn the_device_is_made_once_and_reads_back_with_its_keys() {
    let (store, _) = store();
    assert!(!store.exists().await.unwrap());
    store.create().await.unwrap();
    let first = store.load().await.unwrap().expect("a device");
    store.create().await.unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().registration_id, first.registration_id);
    let other = Device { push_name: "Reception".to_owned(), ..first };
    store.save(&other).await.unwrap();
    let back = store.load().await.unwrap().unwrap();
    assert_eq!(back.push_name, "Reception");
    assert_eq!(back.noise_key.public_key.public_key_bytes(), other.noise_key.public_key.public_key_bytes());
}
