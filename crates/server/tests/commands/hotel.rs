//! An instance of the fake Green API, connected to a program in a place of its own.

use frontdesk_sandbox::inbox::Inbox;
use frontdesk_sandbox::{Sandbox, SandboxSettings};
use serde_json::json;
use tokio::net::TcpListener;

use crate::program::Place;

pub const INSTANCE: &str = "1101000001";
pub const TOKEN: &str = "d75b3a66374942c5b3c019c698abc2067e";
pub const WEBHOOK_TOKEN: &str = "token-of-the-hotel";

/// One instance, set up and delivering here.
pub struct Hotel {
    pub place: Place,
    pub sandbox: Sandbox,
}

impl Hotel {
    pub async fn open() -> Self {
        let (router, sandbox) = Sandbox::new(SandboxSettings::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        sandbox.set_public_url(&url);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let inbox: Inbox =
            serde_json::from_value(json!({ "id": "hotel", "channel": "green_api", "name": "Hotel Senja",
            "account_id": INSTANCE, "display_phone_number": "15550100001", "access_token": TOKEN }))
            .unwrap();
        sandbox.world().inboxes.insert("hotel".to_owned(), inbox);
        let mut place = Place::new();
        place
            .set("FRONTDESK_PROVIDERS_ALLOW_PRIVATE_HOSTS", "127.0.0.1")
            .set("FRONTDESK_PUBLIC_URL", "http://127.0.0.1:1")
            .set("META_GRAPH_URL", "http://127.0.0.1:1")
            .set("GREEN_API_MAX_RETRIES", "0");
        place.add_admin();
        let hotel = Self { place, sandbox };
        hotel.connect(&format!("{url}/green"));
        hotel.place.get(&["inbox", "check", "--id", "1"]);
        hotel
    }

    pub fn connect(&self, api_url: &str) {
        let fields = [
            format!("instance_id={INSTANCE}"),
            format!("api_url={api_url}"),
            format!("webhook_token={WEBHOOK_TOKEN}"),
        ];
        let mut add = vec!["inbox", "add", "green_api", "--name", "Hotel Senja", "--set", "api_token=-"];
        add.extend(fields.iter().flat_map(|field| ["--set", field.as_str()]));
        self.place.get_with(&add, TOKEN);
    }
}
