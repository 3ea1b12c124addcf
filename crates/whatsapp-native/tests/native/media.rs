//! Files: sealed here, kept by a server of our own, opened again.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use frontdesk_channels::contract::{MediaError, SessionDriver as _};
use frontdesk_model::content::MediaKind;
use frontdesk_model::message::MessageKind;
use frontdesk_model::outbound::{OutboundBody, OutboundMedia};
use frontdesk_whatsapp_native::endpoint::Endpoint;
use whatsapp_rust::anyhow;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};
use whatsapp_rust::prelude::MessageField;
use whatsapp_rust::wacore::net::StreamingHttpResponse;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::mock::Mock;
use crate::stage::{OWN, SARI, Stage, outbound};

/// Keeps what is uploaded under its path.
#[derive(Default)]
struct Files(Mutex<HashMap<String, Vec<u8>>>);

fn path_of(url: &str) -> String {
    url.split("media.example").nth(1).unwrap_or(url).split('?').next().unwrap_or_default().to_owned()
}

impl Files {
    fn find(&self, request: &HttpRequest) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(&path_of(&request.url)).cloned()
    }
}

#[async_trait]
impl HttpClient for Files {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        if let (true, Some(body)) = (request.method == "POST", &request.body) {
            let path = path_of(&request.url);
            self.0.lock().unwrap().insert(path.clone(), body.to_vec());
            let answer =
                serde_json::json!({ "url": format!("https://media.example{path}"), "direct_path": path });
            return Ok(HttpResponse { status_code: 200, body: answer.to_string().into_bytes() });
        }
        let found = self.find(&request);
        Ok(HttpResponse {
            status_code: if found.is_some() { 200 } else { 404 },
            body: found.unwrap_or_default(),
        })
    }

    fn supports_streaming(&self) -> bool {
        true
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        let found = self.find(&request);
        let status_code = if found.is_some() { 200 } else { 404 };
        Ok(StreamingHttpResponse {
            status_code,
            body: Box::new(std::io::Cursor::new(found.unwrap_or_default())),
        })
    }
}

#[tokio::test]
async fn a_voice_note_goes_out_sealed_and_comes_back_as_it_was() {
    let mock = Mock::start().await;
    mock.person(OWN).await;
    mock.person(SARI).await;
    let files = Arc::new(Files::default());
    let endpoint = Endpoint { http: Some(files.clone()), ..Endpoint::default() };
    let stage = Stage::at(mock, endpoint).await;
    stage.link(OWN).await;
    let folder = tempfile::tempdir().unwrap();
    let (path, words) = (folder.path().join("voice.ogg"), b"OggS not really a song".repeat(40));
    std::fs::write(&path, &words).unwrap();
    let media = OutboundMedia {
        kind: MediaKind::Voice,
        path,
        url: None,
        mime_type: "audio/ogg; codecs=opus".to_owned(),
        file_name: "voice.ogg".to_owned(),
        size_bytes: words.len() as u64,
        caption: None,
    };
    stage.driver.send(&outbound(OutboundBody::Media(media))).await.expect("it is taken");
    let sealed = files.0.lock().unwrap().values().next().cloned().expect("it was uploaded");
    assert!(!sealed.windows(8).any(|part| part == &words[..8]), "the server sees no word of it");
    let note = stage.mock.message("the note", |to, _, message| {
        (to == SARI).then(|| message.audio_message.as_option().cloned())?
    });
    let note = note.await;
    assert_eq!(note.ptt, Some(true), "phones play it as a voice note");
    // Sari's phone sends the same one back.
    let message = wa::Message { audio_message: MessageField::some(note), ..Default::default() };
    stage.mock.write(SARI, OWN, &message).await;
    let message = stage.stored_message().await;
    assert_eq!(message.content.kind, MessageKind::Voice);
    let reference = &message.content.media[0];
    let target = folder.path().join("back.ogg");
    let refused = stage.driver.fetch_media(reference, &target, 10).await;
    assert!(matches!(refused, Err(MediaError::TooLarge { max_bytes: 10 })));
    let fetched = stage.driver.fetch_media(reference, &target, 1_000_000).await.expect("it is there");
    let mut back = Vec::new();
    std::fs::File::open(&target).unwrap().read_to_end(&mut back).unwrap();
    assert!(back == words, "it came back as it went out");
    assert_eq!(fetched.size_bytes, words.len() as u64);
    assert_eq!(Some(&fetched.sha256), reference.sha256.as_ref());
    files.0.lock().unwrap().clear();
    let gone = stage.driver.fetch_media(reference, &target, 1_000_000).await;
    assert!(matches!(gone, Err(MediaError::Gone(_))), "{gone:?}");
    stage.driver.stop().await;
}
