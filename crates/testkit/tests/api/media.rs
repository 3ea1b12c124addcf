use frontdesk_testkit::call::Answer;
use serde_json::{Value, json};

use crate::desk::{Desk, desks};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89 and some more bytes";
const PDF: &[u8] = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n";
const OGG: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0OpusHead";

async fn upload(desk: &Desk, name: &str, claimed: &str, bytes: &[u8]) -> Answer {
    let head = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: {claimed}\r\n\r\n"
    );
    let form = [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat();
    let call = desk.server.post("/api/v1/media").bearer(&desk.agent);
    call.header("content-type", "multipart/form-data; boundary=x").body(form).send().await
}

#[tokio::test]
async fn an_uploaded_file_is_known_by_its_bytes_and_served_by_a_signed_address() {
    for desk in desks().await {
        for (name, claimed, bytes, kind, mime) in [
            ("photo.png", "text/html", PNG, "image", "image/png"),
            ("bill.pdf", "application/pdf", PDF, "document", "application/pdf"),
            ("voice.ogg", "audio/ogg; codecs=opus", OGG, "audio", "audio/ogg"),
            ("notes.txt", "text/plain", b"hello".as_slice(), "document", "text/plain"),
            (
                "strange.bin",
                "application/x-evil",
                b"\0\x01\x02".as_slice(),
                "document",
                "application/octet-stream",
            ),
        ] {
            let file = upload(&desk, name, claimed, bytes).await.ok(201);
            assert_eq!(
                file,
                json!({ "id": file["id"], "kind": kind, "url": file["url"], "mime_type": mime, "file_name": name,
                    "size_bytes": bytes.len(), "state": "ready", "error": null })
            );
            let served = desk.server.get(file["url"].as_str().unwrap()).send().await;
            assert_eq!((served.status, served.body.as_ref()), (200, bytes));
            assert_eq!(served.header("content-type"), mime);
            assert_eq!(served.header("x-content-type-options"), "nosniff");
            assert!(served.header("content-security-policy").contains("sandbox"));
            let shown = served.header("content-disposition").starts_with("inline");
            assert_eq!(shown, kind != "document", "{name}: {}", served.header("content-disposition"));
        }
    }
}

#[tokio::test]
async fn nothing_a_browser_would_run_is_ever_shown_in_place() {
    let html = b"<!DOCTYPE html><script>alert(1)</script>".as_slice();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice();
    let declared_svg =
        b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".as_slice();
    for desk in desks().await {
        for (name, claimed, bytes) in [
            ("a.html", "text/html", html),
            ("a.png", "image/png", html),
            ("a.svg", "image/svg+xml", svg),
            ("a.jpg", "image/jpeg", svg),
            ("b.svg", "image/svg+xml", declared_svg),
            ("a.xhtml", "application/xhtml+xml", html),
            ("a.js", "text/javascript", b"alert(1)".as_slice()),
            ("a.pdf", "application/pdf", b"alert(1)".as_slice()),
            ("evil\\\"; x=\\\".html", "image/png", html),
        ] {
            let file = upload(&desk, name, claimed, bytes).await.ok(201);
            let served = desk.server.get(file["url"].as_str().unwrap()).send().await;
            assert_eq!(served.status, 200);
            assert!(served.header("content-disposition").starts_with("attachment"), "{name}");
            let mime = served.header("content-type");
            assert!(["text/plain", "application/octet-stream"].contains(&mime), "{name}: {mime}");
        }
    }
}

#[tokio::test]
async fn an_address_that_is_forged_or_old_leads_nowhere() {
    for desk in desks().await {
        let file = upload(&desk, "photo.png", "image/png", PNG).await.ok(201);
        let other = upload(&desk, "bill.pdf", "application/pdf", PDF).await.ok(201);
        let url = file["url"].as_str().unwrap().to_owned();
        let id = file["id"].to_string();
        let signature = url.rsplit_once("signature=").unwrap().1;
        let forged = [
            url.replace(&format!("/media/{id}/"), &format!("/media/{}/", other["id"])),
            url.replace(&format!("/media/{id}/"), "/media/999/"),
            url.replace(&format!("/media/{id}/"), "/media/x/"),
            url.replace("account=1", "account=2"),
            url.replace("expires=1", "expires=2"),
            url.replace(signature, ""),
            url.replace(signature, &signature.to_uppercase()),
            url.replace(signature, &signature[1..]),
            url.replace(signature, "%00"),
            format!("/media/{id}/photo.png"),
            format!("/media/{id}/photo.png?account=1&expires=1"),
        ];
        for address in forged {
            let answer = desk.server.get(&address).send().await;
            if address == url {
                continue; // an upper-case signature may be the same one
            }
            assert!(matches!(answer.status, 404 | 422), "{address}: {}", answer.text());
            assert!(!answer.text().contains("PNG"));
        }
        assert_eq!(desk.server.get(&url).send().await.status, 200);
        desk.server.clock.advance_ms(86_400_000 - 1000);
        assert_eq!(desk.server.get(&url).send().await.status, 200, "good for a day at least");
        desk.server.clock.advance_ms(2 * 86_400_000);
        desk.server.get(&url).send().await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_part_of_a_file_can_be_asked_for() {
    for desk in desks().await {
        let file = upload(&desk, "photo.png", "image/png", PNG).await.ok(201);
        let url = file["url"].as_str().unwrap();
        let part = desk.server.get(url).header("range", "bytes=1-3").send().await;
        assert_eq!((part.status, part.text().as_str()), (206, "PNG"));
        assert_eq!(part.header("content-range"), format!("bytes 1-3/{}", PNG.len()));
        assert!(part.header("content-disposition").starts_with("inline"));
        let end = desk.server.get(url).header("range", "bytes=-5").send().await;
        assert_eq!((end.status, end.text().as_str()), (206, "bytes"));
        let beyond = desk.server.get(url).header("range", "bytes=99999-").send().await;
        beyond.refused(416, "RANGE_NOT_SATISFIABLE");
        assert_eq!(beyond.header("content-range"), format!("bytes */{}", PNG.len()));
        for strange in ["bytes=3-1", "bytes=a-b", "lines=1-2", "bytes=0-0,5-6,9-9", "bytes=-0"] {
            let answer = desk.server.get(url).header("range", strange).send().await;
            assert!(matches!(answer.status, 200 | 206 | 416), "{strange}: {}", answer.status);
        }
        let known = desk.server.get(url).send().await;
        let etag = known.header("etag").to_owned();
        assert!(known.header("cache-control").contains("private"));
        let unchanged = desk.server.get(url).header("if-none-match", &etag).send().await;
        assert_eq!(
            (unchanged.status, unchanged.body.len(), unchanged.header("etag")),
            (304, 0, etag.as_str())
        );
        let head = desk.server.call("HEAD", url).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), PNG.len().to_string());
    }
}

#[tokio::test]
async fn what_is_no_file_or_too_large_a_one_is_refused() {
    use frontdesk_testkit::server::TestServer;
    let mut settings = frontdesk_testkit::meta::settings();
    settings.engine.media.max_bytes = 1000;
    for server in TestServer::on_all(settings).await {
        let desk = Desk { admin: String::new(), agent: server.agent_token().await, agent_id: 0, server };
        upload(&desk, "a.txt", "text/plain", &[b'x'; 1000]).await.ok(201);
        let refused =
            upload(&desk, "a.txt", "text/plain", &[b'x'; 1001]).await.refused(413, "PAYLOAD_TOO_LARGE");
        assert_eq!(refused["details"]["max_bytes"], 1000);
        let empty = upload(&desk, "a.txt", "text/plain", b"").await.refused(422, "VALIDATION_ERROR");
        assert!(empty["errors"]["file"].is_array());
        let send = async |kind: &str, body: &'static str| {
            let call = desk.server.post("/api/v1/media").bearer(&desk.agent).header("content-type", kind);
            call.body(body).send().await
        };
        let form = "multipart/form-data; boundary=x";
        send("application/json", "{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        send("multipart/form-data", "--x--").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
        send(form, "--x--\r\n").await.refused(422, "VALIDATION_ERROR");
        let other = "--x\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\nhi\r\n--x--\r\n";
        send(form, other).await.refused(422, "VALIDATION_ERROR");
        for broken in ["", "garbage", "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\ncut off"] {
            let answer = send(form, broken).await;
            assert!(matches!(answer.status, 400 | 422), "{broken}: {}", answer.text());
        }
        let kept = desk.server.database.number("SELECT COUNT(*) FROM attachments").await;
        assert_eq!(kept, 1, "only the whole one");
    }
}

#[tokio::test]
async fn files_go_out_with_their_text_and_each_only_once() {
    for desk in desks().await {
        desk.write("6281390045512", "Sari", "wamid.0", -50, "send me the bill").await;
        let path = format!("/admin/inbox/{}/messages", desk.conversation("Sari").await["id"]);
        let photo = upload(&desk, "photo.png", "image/png", PNG).await.ok(201)["id"].clone();
        let voice = upload(&desk, "voice.ogg", "audio/ogg", OGG).await.ok(201)["id"].clone();
        let send = async |body: Value| desk.server.post(&path).bearer(&desk.agent).json(&body).send().await;
        let sent = send(json!({ "content": "here it is", "attachments": [photo] })).await.ok(201);
        assert_eq!((sent["kind"].as_str(), sent["content"].as_str()), (Some("image"), Some("here it is")));
        assert_eq!(sent["attachments"][0]["id"], photo);
        assert_eq!(sent["media_type"], "image/png");
        let shown = desk.server.get(sent["media_url"].as_str().unwrap()).send().await;
        assert_eq!(shown.body.as_ref(), PNG);
        assert_eq!(sent.get("companions"), None);
        let both = send(json!({ "content": "listen", "attachments": [voice] })).await.ok(201);
        assert_eq!((both["kind"].as_str(), &both["content"]), (Some("audio"), &Value::Null));
        assert_eq!(both["companions"][0]["content"], "listen", "sound carries no text");
        let again = send(json!({ "attachments": [photo] })).await.refused(422, "VALIDATION_ERROR");
        assert!(again["errors"]["attachments"].is_array());
    }
}
