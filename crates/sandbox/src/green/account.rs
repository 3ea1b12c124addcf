//! The instance itself: state, settings, signing in and out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::call::Call;
use super::instance::InstanceState;
use super::refusal::Refusal;
use super::sends::checked_phone;
use super::{delivery, events, files, queue};
use crate::inbox::Inbox;
use crate::sandbox::Sandbox;

/// Modules of the picture to scan, each side, and pixels of one.
const QR_MODULES: u64 = 29;
const QR_PIXELS: u64 = 8;

/// Answers what is about the instance; `None`: it is not.
pub(super) fn answer(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Option<Result<Value, Refusal>> {
    let state = || sandbox.green(&inbox.id, |instance| instance.state);
    Some(match (call.verb.as_str(), call.method.as_str()) {
        ("GET", "getstateinstance") => Ok(json!({"stateInstance": state().name()})),
        ("GET", "getstatusinstance") => {
            let online = state() == InstanceState::Authorized;
            Ok(json!({"statusInstance": if online { "online" } else { "offline" }}))
        }
        ("GET", "getsettings") => Ok(settings(sandbox, inbox)),
        ("POST", "setsettings") => set_settings(sandbox, inbox, call),
        ("GET", "getwasettings") => Ok(wa_settings(inbox, state())),
        ("GET", "qr") => Ok(qr(sandbox, inbox)),
        ("POST", "getauthorizationcode") => checked_phone(call.body.get("phoneNumber")).map(|_phone| {
            let code = sandbox.world().ids.green_id();
            json!({"status": state() == InstanceState::NotAuthorized, "code": code[code.len() - 8..]})
        }),
        ("GET", "reboot") => Ok(json!({"isReboot": true})),
        ("GET", "logout") => {
            queue::change_state(sandbox, inbox, InstanceState::NotAuthorized);
            Ok(json!({"isLogout": true}))
        }
        ("GET", "updateapitoken") => Ok(update_token(sandbox, inbox)),
        ("POST", "setprofilepicture") => files::keep_upload(sandbox, inbox, call).map(|media| {
            json!({"reason": null, "urlAvatar": files::file_url(sandbox, &media), "setProfilePicture": true})
        }),
        _ => return None,
    })
}

fn settings(sandbox: &Sandbox, inbox: &Inbox) -> Value {
    let mut settings = sandbox.green(&inbox.id, |instance| instance.settings.clone());
    settings.insert("wid".to_owned(), json!(events::own_chat(inbox)));
    Value::Object(settings)
}

fn set_settings(sandbox: &Sandbox, inbox: &Inbox, call: &Call) -> Result<Value, Refusal> {
    if call.unreadable {
        return Err(Refusal::bad_request("bad request data"));
    }
    if call.body.is_empty() {
        return Err(Refusal::invalid("at least one setting is required"));
    }
    let known = sandbox.green(&inbox.id, |instance| instance.settings.clone());
    for (name, value) in &call.body {
        let fits = match known.get(name) {
            Some(Value::Number(_)) => value.as_i64().is_some_and(|pause| (500..=600_000).contains(&pause)),
            Some(_) if name.starts_with("webhookUrl") => value.is_string(),
            Some(_) => matches!(value.as_str(), Some("yes" | "no")),
            // Dead settings are taken and do nothing.
            None => true,
        };
        if !fits {
            return Err(Refusal::invalid(&format!("'{name}' is not valid")));
        }
    }
    sandbox.green(&inbox.id, |instance| {
        if !instance.loses_settings {
            instance.settings.extend(call.body.clone());
        }
    });
    delivery::start(sandbox, &inbox.id);
    Ok(json!({"saveSettings": true}))
}

fn wa_settings(inbox: &Inbox, state: InstanceState) -> Value {
    let phone = events::own_phone(inbox);
    let device = format!("{phone}:8@s.whatsapp.net");
    match state {
        InstanceState::NotAuthorized => {
            json!({"avatar": "", "phone": "", "stateInstance": state.name(), "deviceId": ""})
        }
        _ => json!({"avatar": "", "phone": phone, "stateInstance": state.name(), "deviceId": device}),
    }
}

/// A picture to scan that looks the part; the control API "scans" it.
fn qr(sandbox: &Sandbox, inbox: &Inbox) -> Value {
    match sandbox.green(&inbox.id, |instance| {
        instance.qr_shown += 1;
        instance.state
    }) {
        InstanceState::NotAuthorized => {}
        InstanceState::Starting => {
            return json!({"type": "error", "message": "instance in starting process try later"});
        }
        _ => return json!({"type": "alreadyLogged", "message": "instance account already authorized"}),
    }
    // A new one every 20 seconds.
    let seed = sandbox.clock().now() / 20_000;
    match png_of(u64::try_from(seed).unwrap_or_default()) {
        Ok(picture) => json!({"type": "qrCode", "message": STANDARD.encode(picture)}),
        Err(_) => json!({"type": "error", "message": "no picture"}),
    }
}

fn png_of(seed: u64) -> Result<Vec<u8>, png::EncodingError> {
    let side = QR_MODULES * QR_PIXELS;
    let width = u32::try_from(side).unwrap_or_default();
    let mut picture = Vec::new();
    let mut encoder = png::Encoder::new(&mut picture, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..side * side)
        .map(|index| if is_dark(seed, index % side / QR_PIXELS, index / side / QR_PIXELS) { 0 } else { 255 })
        .collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    drop(writer);
    Ok(picture)
}

/// Finder squares in three corners, noise elsewhere.
fn is_dark(seed: u64, x: u64, y: u64) -> bool {
    let corner = |at: u64| if at < 8 { Some(at) } else { None };
    let far = |at: u64| at.checked_sub(QR_MODULES - 8).and_then(|at| 7_u64.checked_sub(at));
    for (x, y) in [(corner(x), corner(y)), (far(x), corner(y)), (corner(x), far(y))] {
        if let (Some(x), Some(y)) = (x, y) {
            let ring = x.min(y).min(6_u64.saturating_sub(x.min(6))).min(6_u64.saturating_sub(y.min(6)));
            return x < 7 && y < 7 && ring != 1;
        }
    }
    let mixed = (seed ^ x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b))
        .wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed >> 63 == 1
}

fn update_token(sandbox: &Sandbox, inbox: &Inbox) -> Value {
    let mut world = sandbox.world();
    let token = world.ids.green_token();
    if let Some(inbox) = world.inboxes.get_mut(&inbox.id) {
        inbox.access_token = Some(token.clone());
    }
    json!({ "apiTokenInstance": token })
}
