//! What the server answers.
//!
//! - A device that signs its identity after a scan is told to come back (515).
//! - Questions: the count and the upload of keys, keys of others, who is on WhatsApp and with which devices, pictures, files' hosts, a
//!   pairing code. Everything else gets an empty answer.
//! - A device that goes active gets what it has not acknowledged.
//! - Messages are decrypted by the phones they are for, and then taken or refused.

use whatsapp_rust::Jid;
use whatsapp_rust::NodeBuilder;
use whatsapp_rust::prelude::MessageField;
use whatsapp_rust::wacore::iq::prekeys::PreKeyBundleUserNode;
use whatsapp_rust::wacore::protocol::ProtocolNode as _;
use whatsapp_rust::wacore_binary::{Node, NodeContent};
use whatsapp_rust::waproto::whatsapp::{self as wa, message as kinds};

use super::{Heard, Key, Out, State, Upload, address};

fn attr(node: &Node, key: &str) -> String {
    node.attrs.get(key).map(|value| value.as_str().into_owned()).unwrap_or_default()
}

fn jid(node: &Node, key: &str) -> Option<Jid> {
    attr(node, key).parse().ok()
}

fn bytes(node: &Node) -> Vec<u8> {
    match &node.content {
        Some(NodeContent::Bytes(bytes)) => bytes.to_vec(),
        Some(NodeContent::String(text)) => text.as_bytes().to_vec(),
        _ => Vec::new(),
    }
}

fn number(node: &Node) -> u32 {
    bytes(node).iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn child_bytes(node: &Node, tag: &str) -> Vec<u8> {
    node.get_optional_child(tag).map(bytes).unwrap_or_default()
}

fn send(node: Node) -> Out {
    Out::Send(Box::new(node))
}

pub(super) async fn answer(state: &mut State, key: &Key, node: &Node) -> Vec<Out> {
    match node.tag.as_ref() {
        "iq" => {
            let mut out = iq(state, key, node);
            out.extend(share(state, key, node).await);
            out
        }
        "message" => message(state, key, node).await,
        "ack" | "receipt" => {
            let id = attr(node, "id");
            if let Some(linked) = state.devices.get_mut(key) {
                linked.owed.retain(|(owed, _)| *owed != id);
            }
            state.heard.push(Heard::Node(node.clone()));
            if node.tag == "receipt" { vec![send(ack(node, "receipt").build())] } else { Vec::new() }
        }
        _ => {
            state.heard.push(Heard::Node(node.clone()));
            Vec::new()
        }
    }
}

fn ack(node: &Node, class: &'static str) -> NodeBuilder {
    NodeBuilder::new("ack")
        .attr("class", class)
        .attr("id", attr(node, "id").as_str())
        .attr("from", attr(node, "to").as_str())
        .attr("t", "1790000200")
}

async fn message(state: &mut State, key: &Key, node: &Node) -> Vec<Out> {
    let address = address(key);
    let id = attr(node, "id");
    let copies: Vec<(Jid, Node)> = match node.get_optional_child("participants") {
        Some(list) => list
            .get_children_by_tag("to")
            .filter_map(|to| Some((jid(to, "jid")?, to.get_optional_child("enc")?.clone())))
            .collect(),
        None => jid(node, "to").into_iter().zip(node.get_optional_child("enc").cloned()).collect(),
    };
    for (to, sealed) in copies {
        let Some(person) = state.person_mut(&to) else { continue };
        let (whose, kind) = (person.number.clone(), attr(&sealed, "type"));
        if let Some(message) = person.signal.decrypt(&address, &kind, &bytes(&sealed)).await {
            let message = Box::new(message);
            state.heard.push(Heard::Message { to: whose, id: id.clone(), message });
        }
    }
    match (state.mood.silent, state.mood.nack) {
        (true, _) => Vec::new(),
        (false, Some(code)) => vec![send(ack(node, "message").attr("error", code).build())],
        (false, None) => vec![send(ack(node, "message").build())],
    }
}

/// The phone hands a device that has uploaded its keys the one key that what they share is sealed with.
async fn share(state: &mut State, key: &Key, node: &Node) -> Option<Out> {
    let is_upload = attr(node, "xmlns") == "encrypt"
        && attr(node, "type") == "set"
        && node.get_optional_child("list").is_some();
    let linked = state.devices.get_mut(key).filter(|_| is_upload)?;
    let (number, bundle) = (linked.number.clone(), linked.bundle()?);
    let shared = kinds::AppStateSyncKey {
        key_id: MessageField::some(kinds::AppStateSyncKeyId { key_id: Some(vec![0, 0, 0, 0, 0, 1]) }),
        key_data: MessageField::some(kinds::AppStateSyncKeyData {
            key_data: Some(vec![5; 32]),
            fingerprint: MessageField::some(kinds::AppStateSyncKeyFingerprint {
                raw_id: Some(7),
                ..Default::default()
            }),
            timestamp: Some(1_790_000_000),
        }),
    };
    let share = kinds::ProtocolMessage {
        r#type: Some(kinds::protocol_message::Type::APP_STATE_SYNC_KEY_SHARE),
        app_state_sync_key_share: MessageField::some(kinds::AppStateSyncKeyShare { keys: vec![shared] }),
        ..Default::default()
    };
    let message = wa::Message { protocol_message: MessageField::some(share), ..Default::default() };
    let (kind, bytes) = state.people.get_mut(&number)?.signal.encrypt(&address(key), &bundle, &message).await;
    let sealed = NodeBuilder::new("enc").attr("v", "2").attr("type", kind).bytes(bytes).build();
    let node = NodeBuilder::new("message")
        .attr("id", format!("KEYS{number}").as_str())
        .attr("t", "1790000000")
        .attr("type", "text")
        .attr("category", "peer")
        .attr("from", format!("{number}@s.whatsapp.net").as_str());
    Some(send(node.children([sealed]).build()))
}

fn result(node: &Node) -> NodeBuilder {
    NodeBuilder::new("iq")
        .attr("from", "s.whatsapp.net")
        .attr("type", "result")
        .attr("id", attr(node, "id").as_str())
}

fn iq(state: &mut State, key: &Key, node: &Node) -> Vec<Out> {
    let kind = (attr(node, "xmlns"), attr(node, "type"));
    let has = |tag: &str| node.get_optional_child(tag).is_some();
    let answer = match (kind.0.as_str(), kind.1.as_str()) {
        // The device has signed its identity.
        (_, "result") if has("pair-device-sign") => {
            return vec![send(NodeBuilder::new("stream:error").attr("code", "515").build()), Out::Close];
        }
        (_, "result") => return Vec::new(),
        ("encrypt", "get") if has("count") => {
            let known = state
                .devices
                .get(key)
                .and_then(|linked| linked.bundle.as_ref())
                .map_or(0, |upload| upload.prekeys.len());
            result(node)
                .children([NodeBuilder::new("count").attr("value", known.to_string().as_str()).build()])
        }
        ("encrypt", "get") if has("key") => {
            result(node).children([NodeBuilder::new("list").children(keys(state, node)).build()])
        }
        ("encrypt", "set") if has("list") => {
            if let Some(linked) = state.devices.get_mut(key) {
                linked.bundle = Some(upload(node));
            }
            result(node)
        }
        ("passive", _) => return active(state, key, node),
        ("usync", _) => result(node).children([usync(state, node)]),
        ("w:profile:picture", _) => picture(state, node),
        ("w:sync:app:state", _) => result(node).children([collections(node)]),
        ("w:m", _) => result(node).children([hosts()]),
        ("md", _) if has("link_code_companion_reg") => {
            let reference = NodeBuilder::new("link_code_pairing_ref").bytes(b"2@code".to_vec()).build();
            result(node).children([NodeBuilder::new("link_code_companion_reg").children([reference]).build()])
        }
        _ => result(node),
    };
    if has("remove-companion-device") {
        state.devices.remove(key);
    }
    vec![send(answer.build())]
}

/// Going active: what is owed comes, marked as late, and then the end of it.
fn active(state: &mut State, key: &Key, node: &Node) -> Vec<Out> {
    let Some(linked) = state.devices.get_mut(key) else { return vec![send(result(node).build())] };
    linked.ready = true;
    let mut out = vec![send(result(node).build())];
    let count = linked.owed.len();
    for (_, owed) in &linked.owed {
        let mut late = owed.clone();
        late.attrs.insert("offline", "0");
        out.push(send(late));
    }
    let end = NodeBuilder::new("offline").attr("count", count.to_string().as_str()).build();
    out.push(send(NodeBuilder::new("ib").attr("from", "s.whatsapp.net").children([end]).build()));
    out
}

fn upload(node: &Node) -> Upload {
    let one = |key: &Node| {
        (key.get_optional_child("id").map(number).unwrap_or_default(), child_bytes(key, "value"))
    };
    let signed = node.get_optional_child("skey").expect("a signed key");
    let (id, value) = one(signed);
    Upload {
        registration_id: node.get_optional_child("registration").map(number).unwrap_or_default(),
        signed: (id, value, child_bytes(signed, "signature")),
        prekeys: node
            .get_optional_child("list")
            .map(|list| list.get_children_by_tag("key").map(one).collect())
            .unwrap_or_default(),
    }
}

fn keys(state: &mut State, node: &Node) -> Vec<Node> {
    let asked: Vec<Jid> = node
        .get_optional_child("key")
        .map(|key| key.get_children_by_tag("user").filter_map(|user| jid(user, "jid")).collect())
        .unwrap_or_default();
    let one = |asked: Jid| {
        let bundle = state.person_mut(&asked)?.signal.bundle();
        Some(PreKeyBundleUserNode::from_bundle(asked, &bundle, None).unwrap().into_node())
    };
    asked.into_iter().filter_map(one).collect()
}

/// Who is on WhatsApp, under which private id, with which devices: every phone has one.
fn usync(state: &mut State, node: &Node) -> Node {
    let usync = node.get_optional_child("usync").expect("a question");
    let wants = |tag: &str| {
        usync.get_optional_child("query").is_some_and(|query| query.get_optional_child(tag).is_some())
    };
    let users = usync
        .get_optional_child("list")
        .map(|list| list.get_children_by_tag("user").cloned().collect::<Vec<_>>())
        .unwrap_or_default();
    let one = |user: Node| {
        let asked = jid(&user, "jid").or_else(|| {
            let text = String::from_utf8(child_bytes(&user, "contact")).ok()?;
            Some(Jid::pn(text.trim_start_matches('+')))
        })?;
        let asked = asked.to_non_ad();
        let gone = state.mood.unknown.contains(asked.user_base());
        let person = state.person_mut(&asked).filter(|_| !gone);
        let mut parts = Vec::new();
        if wants("contact") {
            let kind = if person.is_some() { "in" } else { "out" };
            parts.push(NodeBuilder::new("contact").attr("type", kind).build());
        }
        if let Some(person) = person {
            if wants("lid") && asked.is_pn() {
                parts.push(
                    NodeBuilder::new("lid").attr("val", format!("{}@lid", person.lid).as_str()).build(),
                );
            }
            if wants("status") {
                parts.push(NodeBuilder::new("status").bytes(b"At the beach".to_vec()).build());
            }
        }
        if wants("devices") {
            let device = NodeBuilder::new("device").attr("id", "0").build();
            let list = NodeBuilder::new("device-list").attr("hash", "2:abcdef").children([device]).build();
            parts.push(NodeBuilder::new("devices").children([list]).build());
        }
        Some(NodeBuilder::new("user").attr("jid", asked.to_string().as_str()).children(parts).build())
    };
    let users: Vec<Node> = users.into_iter().filter_map(one).collect();
    NodeBuilder::new("usync").children([NodeBuilder::new("list").children(users).build()]).build()
}

fn picture(state: &mut State, node: &Node) -> NodeBuilder {
    let of = jid(node, "target").or_else(|| jid(node, "to"));
    if of.is_some_and(|of| state.person_mut(&of).is_some()) {
        let picture = NodeBuilder::new("picture")
            .attr("id", "1")
            .attr("type", "image")
            .attr("url", "https://pps.example/1.jpg")
            .build();
        return result(node).children([picture]);
    }
    let error = NodeBuilder::new("error").attr("code", "404").attr("text", "item-not-found").build();
    NodeBuilder::new("iq")
        .attr("from", "s.whatsapp.net")
        .attr("type", "error")
        .attr("id", attr(node, "id").as_str())
        .children([error])
}

/// Nothing was ever shared.
fn collections(node: &Node) -> Node {
    let asked = node
        .get_optional_child("sync")
        .map(|sync| sync.get_children_by_tag("collection").cloned().collect::<Vec<_>>());
    let empty =
        |asked: Node| NodeBuilder::new("collection").attr("name", attr(&asked, "name").as_str()).build();
    NodeBuilder::new("sync").children(asked.unwrap_or_default().into_iter().map(empty)).build()
}

fn hosts() -> Node {
    let host = NodeBuilder::new("host").attr("hostname", "media.example").attr("type", "primary").build();
    NodeBuilder::new("media_conn")
        .attr("auth", "token")
        .attr("ttl", "3600")
        .attr("auth_ttl", "3600")
        .attr("max_buckets", "12")
        .children([host])
        .build()
}
