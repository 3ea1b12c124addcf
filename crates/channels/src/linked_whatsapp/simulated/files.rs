//! Pictures, voices and other files: put on the sandbox's shelf before a message is sent, fetched from it afterwards.

use std::path::Path;
use std::time::Duration;

use frontdesk_model::InboxId;
use frontdesk_model::content::MediaRef;
use frontdesk_model::outbound::OutboundMedia;
use frontdesk_provider_http::{
    AddressPolicy, CallError, CallLabel, DownloadLimits, ProviderHttp, RetryPolicy,
};
use reqwest::Method;
use tokio::fs::File;
use url::Url;

use crate::contract::{ChannelContext, FetchedMedia, MediaError, OpenError, Retry, SendError};
use crate::linked_whatsapp::connection::cannot_carry;

/// The shelf.
pub(super) struct Files {
    http: ProviderHttp,
    key: String,
}

impl Files {
    pub(super) fn open(context: &ChannelContext, url: &Url, inbox: InboxId) -> Result<Self, OpenError> {
        let make = || {
            let mut settings =
                frontdesk_provider_http::ProviderSettings::new("simulated_phones", url.clone());
            settings.addresses = AddressPolicy::with_loopback();
            settings.timeout = Duration::from_millis(context.providers.timeout_ms.max(1));
            settings.retry = RetryPolicy::never();
            ProviderHttp::with_recorder(settings, context.recorder.clone())
        };
        let shared = context.stacks.get_or_make("linked_whatsapp.simulated", make).map_err(|error| {
            OpenError { reason: format!("the simulated phones cannot be reached: {error}") }
        })?;
        Ok(Self { http: shared.heard_by(context.recorder.clone()), key: inbox.to_string() })
    }

    /// Puts a file there; returns its id.
    pub(super) async fn upload(&self, media: &OutboundMedia) -> Result<String, SendError> {
        let bytes = tokio::fs::read(&media.path).await.map_err(|error| SendError {
            retry: if error.kind() == std::io::ErrorKind::NotFound {
                Retry::Never
            } else {
                Retry::OnSchedule
            },
            code: "FILE".to_owned(),
            source: Some(Box::new(error)),
            ..cannot_carry("The file could not be read from this server's disk.")
        })?;
        let mut url = self.http.url(["control", "media"]);
        url.query_pairs_mut().append_pair("file_name", &media.file_name);
        let request =
            self.http.request(Method::POST, url).header("content-type", &media.mime_type).body(bytes);
        let answer = self.http.send(CallLabel::new(&self.key, "upload"), request).await.map_err(not_taken)?;
        let answer: serde_json::Value = answer.json().map_err(not_taken)?;
        match answer["media_id"].as_str() {
            Some(id) => Ok(id.to_owned()),
            None => Err(cannot_carry("The phone did not take the file.")),
        }
    }

    pub(super) async fn download(
        &self,
        media: &MediaRef,
        path: &Path,
        max_bytes: u64,
    ) -> Result<FetchedMedia, MediaError> {
        let Some(id) = media.remote_id.as_deref() else {
            return Err(MediaError::Gone("it has no id".to_owned()));
        };
        let mut file =
            File::create(path).await.map_err(|error| MediaError::Unavailable(error.to_string()))?;
        let request = self.http.request(Method::GET, self.http.url(["control", "media", id]));
        let label = CallLabel::new(&self.key, "download");
        match self.http.download(label, request, DownloadLimits::bytes(max_bytes), &mut file).await {
            Ok(download) => Ok(FetchedMedia {
                size_bytes: download.size_bytes,
                sha256: hex::encode(download.sha256),
                mime_type: download.content_type,
            }),
            Err(error) => {
                // What is left is a part of a file; that it cannot be removed either changes nothing.
                let _removed = tokio::fs::remove_file(path).await;
                Err(media_error(&error))
            }
        }
    }
}

/// The file is not there, so nothing was sent: this is certain.
fn not_taken(error: CallError) -> SendError {
    SendError {
        retry: Retry::OnSchedule,
        code: "UPLOAD".to_owned(),
        action: Some("retry"),
        source: Some(Box::new(error)),
        ..cannot_carry("The phone did not take the file.")
    }
}

fn media_error(error: &CallError) -> MediaError {
    match error {
        CallError::TooLarge { max_bytes } => MediaError::TooLarge { max_bytes: *max_bytes },
        error if matches!(error.status().map(|status| status.as_u16()), Some(404 | 410)) => {
            MediaError::Gone("the phone no longer has it".to_owned())
        }
        error => MediaError::Unavailable(error.to_string()),
    }
}
