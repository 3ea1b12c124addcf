//! Where WhatsApp is: its own servers, or others that tests put in their place.

use std::sync::Arc;

use async_trait::async_trait;
use whatsapp_rust::bot::{BotBuilder, BotBuilderError, Provided};
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};
use whatsapp_rust::prelude::Bot;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::wacore::net::StreamingHttpResponse;

/// Where WhatsApp is. By default: its own servers.
#[derive(Clone, Default)]
pub struct Endpoint {
    /// The address of the socket, in place of WhatsApp's.
    pub socket: Option<String>,
    /// The version of WhatsApp Web to call ourselves; by default it is asked for.
    pub version: Option<(u32, u32, u32)>,
    /// What fetches and uploads files.
    pub http: Option<Arc<dyn HttpClient>>,
}

impl Endpoint {
    pub(crate) async fn apply(
        &self,
        mut builder: BotBuilder<Provided, Provided, Provided, Provided>,
    ) -> Result<Bot, BotBuilderError> {
        if let Some(url) = &self.socket {
            builder = builder.with_transport_factory(TokioWebSocketTransportFactory::new().with_url(url));
        }
        if let Some(version) = self.version {
            builder = builder.with_version(version);
        }
        if let Some(http) = &self.http {
            builder = builder.with_http_client(Shared(http.clone()));
        }
        builder.build().await
    }
}

/// One HTTP client for several sessions.
struct Shared(Arc<dyn HttpClient>);

#[async_trait]
impl HttpClient for Shared {
    async fn execute(&self, request: HttpRequest) -> whatsapp_rust::anyhow::Result<HttpResponse> {
        self.0.execute(request).await
    }

    fn supports_streaming(&self) -> bool {
        self.0.supports_streaming()
    }

    fn execute_streaming(
        &self,
        request: HttpRequest,
    ) -> whatsapp_rust::anyhow::Result<StreamingHttpResponse> {
        self.0.execute_streaming(request)
    }
}
