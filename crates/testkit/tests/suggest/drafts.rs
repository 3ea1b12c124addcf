//! Drafts by a language model: the fake one of the sandbox records everything and obeys everybody.

use std::time::Duration;

use frontdesk_model::user::{Ability, Role};
use frontdesk_sandbox::openai::{Manner, PreparedAnswer};
use frontdesk_sandbox::{Sandbox, SandboxSettings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Desk, desks, teach, texts};

/// A fake language model on a port of its own.
pub(crate) struct Model {
    pub(crate) sandbox: Sandbox,
    host: String,
}

impl Model {
    pub(crate) async fn start() -> Self {
        let (router, sandbox) = Sandbox::new(SandboxSettings::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { sandbox, host }
    }

    pub(crate) fn answers(&self, answers: Vec<(u16, Value)>) {
        let answers = answers.into_iter().map(|(status, body)| PreparedAnswer {
            status,
            headers: [("retry-after".to_owned(), "0".to_owned())].into(),
            body,
        });
        self.sandbox.world().openai.answers = answers.collect();
    }

    pub(crate) fn writes(&self, drafts: &[&str]) {
        let drafts = drafts.iter().map(|draft| (*draft).to_owned()).collect();
        self.sandbox.world().openai.manner = Manner::Write { drafts };
    }

    /// Everything that was sent, as text.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let world = self.sandbox.world();
        world.api_calls.after(0).map(|call| call.entry.request.to_string()).collect()
    }

    fn calls(&self) -> usize {
        self.bodies().len()
    }
}

const PHONE: &str = "6281390045512";

pub(crate) async fn settle(desk: &Desk, model: &Model, changes: Value) -> Value {
    let mut body = json!({ "enabled": true, "base_url": format!("http://{}/openai/v1", model.host), "model": "sandbox-1",
        "api_key": "sk-secret-key", "monthly_tokens": 1_000_000, "fallback": true, "confirm_host": model.host, "timeout_ms": 3000 });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let call = desk.server.call("PUT", "/api/v1/suggestions/settings").bearer(&desk.admin).json(&body);
    call.send().await.ok(200)
}

/// A conversation in which somebody has asked for a parcel.
pub(crate) async fn asked(desk: &Desk) -> String {
    desk.write(PHONE, "Siti Aminah", 600, "where is the parcel I ordered?").await;
    format!("/admin/inbox/{}/suggest-ai", desk.conversation(PHONE).await)
}

async fn of(desk: &Desk, path: &str) -> frontdesk_testkit::call::Answer {
    desk.server.get(path).bearer(&desk.agent).send().await
}

#[tokio::test]
async fn nothing_leaves_until_the_host_is_named() {
    for desk in desks().await {
        let model = Model::start().await;
        teach(&desk).await;
        let path = asked(&desk).await;
        let shown = of(&desk, &path).await.ok(200);
        assert_eq!((&shown["engine"], &shown["drafts_from"]), (&json!("local"), &Value::Null));
        let base = format!("http://{}/openai/v1", model.host);
        for (confirm, field) in [(Value::Null, "confirm_host"), (json!("other.example"), "confirm_host")] {
            let body = json!({ "enabled": true, "base_url": base, "model": "sandbox-1", "monthly_tokens": 10, "confirm_host": confirm });
            let call =
                desk.server.call("PUT", "/api/v1/suggestions/settings").bearer(&desk.admin).json(&body);
            let refused = call.send().await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"][field].to_string().contains(&model.host), "{refused}");
        }
        for wrong in [
            "http://10.0.0.1/v1",
            "http://169.254.169.254/latest",
            "ftp://x.example",
            "https://a:b@x.example",
            "x",
        ] {
            let body = json!({ "enabled": true, "base_url": wrong, "model": "m", "monthly_tokens": 10, "confirm_host": "10.0.0.1" });
            let call =
                desk.server.call("PUT", "/api/v1/suggestions/settings").bearer(&desk.admin).json(&body);
            let refused = call.send().await.refused(422, "VALIDATION_ERROR");
            assert!(refused["errors"]["base_url"].is_array(), "{wrong}: {refused}");
        }
        assert_eq!(model.calls(), 0);
        let settings = settle(&desk, &model, json!({})).await;
        assert_eq!((&settings["host"], &settings["has_key"]), (&json!(model.host), &json!(true)));
        assert!(!settings.to_string().contains("sk-secret"), "{settings}");
        let sealed = desk.server.database.number("SELECT COUNT(*) FROM suggest_settings WHERE api_key IS NOT NULL AND settings NOT LIKE '%sk-%'").await;
        assert_eq!(sealed, 1);
        let shown = of(&desk, &path).await.ok(200);
        assert_eq!((&shown["engine"], &shown["drafts_from"]), (&json!("llm"), &json!(model.host)));
        assert_eq!(shown["items"][0]["source"]["kind"], "model");
        assert!(shown["tokens_used"].as_i64().unwrap() > 0);
        let forced = of(&desk, &format!("{path}?engine=local")).await.ok(200);
        assert_eq!((&forced["engine"], model.calls()), (&json!("local"), 1));
        // A key goes to the host it was given for alone.
        let other = Model::start().await;
        let moved = settle(&desk, &other, json!({ "api_key": "sk-other" })).await;
        assert_eq!(moved["has_key"], true);
        let body = json!({ "enabled": true, "base_url": base, "model": "sandbox-1", "monthly_tokens": 10, "confirm_host": model.host });
        let call = desk.server.call("PUT", "/api/v1/suggestions/settings").bearer(&desk.admin).json(&body);
        assert_eq!(call.send().await.ok(200)["has_key"], false);
    }
}

#[tokio::test]
async fn another_accounts_model_and_another_roles_settings_are_out_of_reach() {
    for desk in desks().await {
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        desk.server
            .get("/api/v1/suggestions/settings")
            .bearer(&desk.agent)
            .send()
            .await
            .refused(403, "UNAUTHORIZED");
        let other = desk.server.other_account("Other").await;
        let user = desk.server.user_of(other, "other@example.org", Role::Admin).await;
        let token = desk.server.token(&user, &[Ability::All]).await;
        let shown = desk.server.get("/api/v1/suggestions/settings").bearer(&token).send().await.ok(200);
        assert_eq!((&shown["enabled"], &shown["host"]), (&json!(false), &Value::Null));
    }
}

/// What the server there answers, at most twice; how often it is asked; status and code where our own replies may not stand in; the
/// code that is told where they do.
struct Row {
    what: &'static str,
    answers: Vec<(u16, Value)>,
    calls: usize,
    strict: Option<(u16, &'static str)>,
    told: &'static str,
}

fn rows() -> Vec<Row> {
    let error = |kind: &str| json!({ "error": { "message": "no", "type": kind, "code": kind } });
    let said = |content: Value| json!({ "choices": [{ "message": { "content": content } }] });
    let rows = vec![
        ("402", vec![(402, json!({}))], 1, Some((402, "AI_PROVIDER_QUOTA")), "402"),
        (
            "insufficient_quota",
            vec![(429, error("insufficient_quota"))],
            1,
            Some((402, "AI_PROVIDER_QUOTA")),
            "402",
        ),
        (
            "credit_balance_exhausted",
            vec![(429, error("credit_balance_exhausted"))],
            1,
            Some((402, "AI_PROVIDER_QUOTA")),
            "402",
        ),
        (
            "…_spend_limit_exceeded",
            vec![(429, error("project_spend_limit_exceeded"))],
            1,
            Some((402, "AI_PROVIDER_QUOTA")),
            "402",
        ),
        (
            "…_usage_limit_exceeded",
            vec![(429, error("org_usage_limit_exceeded"))],
            1,
            Some((402, "AI_PROVIDER_QUOTA")),
            "402",
        ),
        (
            "slow down, twice",
            vec![(429, error("slow_down")), (429, error("slow_down"))],
            2,
            None,
            "AI_TOO_FAST",
        ),
        ("401", vec![(401, error("invalid_api_key"))], 1, Some((500, "AI_AUTH")), "AI_AUTH"),
        ("403", vec![(403, error("forbidden"))], 1, Some((500, "AI_AUTH")), "AI_AUTH"),
        (
            "400",
            vec![(400, error("context_length_exceeded")); 2],
            2,
            Some((500, "AI_BAD_REQUEST")),
            "AI_BAD_REQUEST",
        ),
        ("404", vec![(404, error("model_not_found")); 2], 2, Some((500, "AI_BAD_REQUEST")), "AI_BAD_REQUEST"),
        ("422", vec![(422, error("x")); 2], 2, Some((500, "AI_BAD_REQUEST")), "AI_BAD_REQUEST"),
        ("500", vec![(500, error("x")); 2], 2, Some((500, "AI_UNAVAILABLE")), "AI_UNAVAILABLE"),
        ("503", vec![(503, error("x")); 2], 2, Some((500, "AI_UNAVAILABLE")), "AI_UNAVAILABLE"),
        ("no JSON", vec![(200, json!("<html>")); 2], 2, Some((500, "AI_UNAVAILABLE")), "AI_UNAVAILABLE"),
        (
            "no list",
            vec![(200, said(json!("Sure! Here it is."))); 2],
            2,
            Some((500, "AI_UNAVAILABLE")),
            "AI_UNAVAILABLE",
        ),
        ("nothing", vec![(200, said(json!(""))); 2], 2, Some((500, "AI_UNAVAILABLE")), "AI_UNAVAILABLE"),
    ];
    rows.into_iter()
        .map(|(what, answers, calls, strict, told)| Row { what, answers, calls, strict, told })
        .collect()
}

#[tokio::test]
async fn every_row_of_the_table_of_errors_holds() {
    for desk in desks().await {
        teach(&desk).await;
        let path = asked(&desk).await;
        for Row { what, answers, calls, strict, told } in rows() {
            for fallback in [true, false] {
                let model = Model::start().await;
                settle(&desk, &model, json!({ "fallback": fallback })).await;
                model.answers(answers.clone());
                let answer = of(&desk, &path).await;
                let what = format!("{what}, fallback {fallback}: {} {}", answer.status, answer.text());
                assert_eq!(model.calls(), calls, "{what}");
                match strict {
                    Some((status, code)) if status == 402 || !fallback => {
                        let body = answer.refused(status, code);
                        if status == 402 {
                            assert_eq!(body["error"], "OpenAI API quota exceeded", "{what}");
                        }
                    }
                    _ => {
                        let shown = answer.ok(200);
                        assert_eq!(
                            (&shown["engine"], &shown["fallback"]),
                            (&json!("local"), &json!(told)),
                            "{what}"
                        );
                        assert_eq!(answer.header("x-suggestions-fallback"), told, "{what}");
                        assert!(texts(&shown)[0].starts_with("Your parcel is on its way"), "{what}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn what_helps_once_is_tried_once() {
    for desk in desks().await {
        teach(&desk).await;
        let path = asked(&desk).await;
        for (status, kind) in
            [(429, "rate_limit_exceeded"), (400, "context_length_exceeded"), (500, "server_error")]
        {
            let model = Model::start().await;
            settle(&desk, &model, json!({ "fallback": false })).await;
            model.answers(vec![(status, json!({ "error": { "type": kind } }))]);
            let shown = of(&desk, &path).await.ok(200);
            assert_eq!((&shown["engine"], model.calls()), (&json!("llm"), 2), "{status}");
            let bodies = model.bodies();
            assert_eq!(
                bodies[1].len() < bodies[0].len(),
                status == 400,
                "{status}: shorter only where it was too long"
            );
        }
        // A server that wants a longer wait is not waited for.
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        let headers = [("retry-after".to_owned(), "30".to_owned())].into();
        model.sandbox.world().openai.answers = vec![PreparedAnswer { status: 429, headers, body: json!({}) }];
        let shown = of(&desk, &path).await.ok(200);
        assert_eq!((&shown["fallback"], model.calls()), (&json!("AI_TOO_FAST"), 1));
    }
}

#[tokio::test]
async fn a_used_up_account_rests_a_quarter_of_an_hour_and_administrators_are_told() {
    for desk in desks().await {
        teach(&desk).await;
        let path = asked(&desk).await;
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        model.answers(vec![(402, json!({}))]);
        of(&desk, &path).await.refused(402, "AI_PROVIDER_QUOTA");
        of(&desk, &path).await.refused(402, "AI_PROVIDER_QUOTA");
        assert_eq!(model.calls(), 1, "nobody is asked meanwhile");
        assert_eq!(of(&desk, &format!("{path}?engine=local")).await.ok(200)["engine"], "local");
        let settings =
            desk.server.get("/api/v1/suggestions/settings").bearer(&desk.admin).send().await.ok(200);
        assert_eq!(
            (&settings["trouble"], &settings["paused_until"]),
            (&json!("AI_PROVIDER_QUOTA"), &json!("2026-01-15T08:15:00Z"))
        );
        let audit = desk.server.get("/api/v1/audit").bearer(&desk.admin).send().await.ok(200);
        assert_eq!(audit.to_string().matches("suggest_settings.trouble").count(), 1);
        desk.server.clock.advance_ms(15 * 60_000);
        assert_eq!(of(&desk, &path).await.ok(200)["engine"], "llm");
        let settings =
            desk.server.get("/api/v1/suggestions/settings").bearer(&desk.admin).send().await.ok(200);
        assert_eq!((&settings["trouble"], &settings["paused_until"]), (&Value::Null, &Value::Null));
        // New settings end it too.
        model.answers(vec![(402, json!({}))]);
        of(&desk, &path).await.refused(402, "AI_PROVIDER_QUOTA");
        settle(&desk, &model, json!({})).await;
        assert_eq!(of(&desk, &path).await.ok(200)["engine"], "llm");
    }
}

#[tokio::test]
async fn tokens_are_counted_by_the_month_up_to_the_limit() {
    for desk in desks().await {
        teach(&desk).await;
        let path = asked(&desk).await;
        let model = Model::start().await;
        settle(&desk, &model, json!({ "monthly_tokens": 200 })).await;
        model.sandbox.world().openai.total_tokens = Some(150);
        for used in [150, 300] {
            assert_eq!(of(&desk, &path).await.ok(200)["tokens_used"], 150);
            let settings =
                desk.server.get("/api/v1/suggestions/settings").bearer(&desk.admin).send().await.ok(200);
            assert_eq!(settings["usage"]["tokens"], used);
        }
        of(&desk, &path).await.refused(402, "AI_QUOTA");
        assert_eq!(model.calls(), 2);
        desk.server.clock.advance_ms(20 * 86_400_000);
        model.sandbox.world().openai.tells_usage = false;
        let shown = of(&desk, &path).await.ok(200);
        assert_eq!((&shown["engine"], &shown["tokens_estimated"]), (&json!("llm"), &json!(true)));
        assert!(shown["tokens_used"].as_i64().unwrap() > 50, "{shown}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_in_time() {
    for desk in desks().await {
        teach(&desk).await;
        let path = asked(&desk).await;
        let model = Model::start().await;
        settle(&desk, &model, json!({ "timeout_ms": 1000 })).await;
        let late = json!([{ "fault": "latency", "latency_ms": 60_000, "next": 2 }]);
        let rules = serde_json::from_value(late).unwrap();
        model.sandbox.world().faults.insert(frontdesk_sandbox::Channel::Openai, rules);
        let begun = std::time::Instant::now();
        assert_eq!(of(&desk, &path).await.ok(200)["fallback"], "AI_UNAVAILABLE");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        for fault in ["cut_before", "cut_after", "garbage", "huge_answer"] {
            let rules = serde_json::from_value(json!([{ "fault": fault, "next": 2 }])).unwrap();
            let model = Model::start().await;
            settle(&desk, &model, json!({ "timeout_ms": 5000 })).await;
            model.sandbox.world().faults.insert(frontdesk_sandbox::Channel::Openai, rules);
            assert_eq!(of(&desk, &path).await.ok(200)["fallback"], "AI_UNAVAILABLE", "{fault}");
        }
    }
}

/// What must not be in any body: of this customer.
const PLANTED: &[&str] = &[
    "Florisbela",
    "florisbela",
    "Tavares",
    "98765-4321",
    "987654321",
    "flor.tavares",
    "contoso",
    "529.982.247-25",
    "52998224725",
    "4111 1111",
    "4111111111111111",
    "Acácias",
    "Curitiba",
    "3174096112900001",
    "BR-5521X",
    "Gumercindo",
];

#[tokio::test]
async fn what_tells_who_somebody_is_does_not_leave_and_comes_back() {
    for desk in desks().await {
        teach(&desk).await;
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        let phone = "5511987654321";
        desk.write(
            phone,
            "Florisbela Tavares",
            0,
            "Oi, sou a florisbela, meu marido Gumercindo pediu BR-5521X",
        )
        .await;
        desk.write(
            phone,
            "Florisbela Tavares",
            10,
            "CPF 529.982.247-25, NIK 3174096112900001, cartão 4111 1111 1111 1111",
        )
        .await;
        desk.write(
            phone,
            "Florisbela Tavares",
            20,
            "ligue (11) 98765-4321 ou flor.tavares@contoso.example, Rua das Acácias 123, moro em Curitiba",
        )
        .await;
        let id = desk.conversation(phone).await;
        let list = desk.server.get(&format!("/admin/inbox/{id}")).bearer(&desk.agent).send().await.ok(200);
        let contact = list["conversation"]["customer_id"].as_i64().unwrap();
        let change =
            json!({ "email": "flor.tavares@contoso.example", "custom_fields": { "city": "Curitiba" } });
        desk.server
            .patch(&format!("/api/v1/contacts/{contact}"))
            .bearer(&desk.agent)
            .json(&change)
            .send()
            .await
            .ok(200);
        let shown = of(&desk, &format!("/admin/inbox/{id}/suggest-ai?context_messages=10")).await.ok(200);
        assert_eq!(shown["engine"], "llm", "{shown}");
        let bodies = model.bodies();
        assert_eq!(bodies.len(), 1);
        for secret in PLANTED {
            assert!(!bodies[0].contains(secret), "{secret} left: {}", bodies[0]);
        }
        assert!(bodies[0].contains("[[P1]]"), "{}", bodies[0]);
        // It answers with every mark it was sent: names come back, what only the customer stated does not.
        model.writes(&["Thank you for writing, dear [[P1]], we look after it."]);
        let shown = of(&desk, &format!("/admin/inbox/{id}/suggest-ai?context_messages=10")).await.ok(200);
        assert_eq!(texts(&shown), ["Thank you for writing, dear florisbela, we look after it."]);
        model.writes(&["Dear [[P99]], it is done."]);
        let shown = of(&desk, &format!("/admin/inbox/{id}/suggest-ai")).await.ok(200);
        assert_eq!(shown["fallback"], "AI_WITHHELD", "a mark that stands for nothing");
    }
}

#[tokio::test]
async fn other_customers_and_notes_are_never_sent() {
    for desk in desks().await {
        desk.exchange(
            "6281390000001",
            "Gwendolyn",
            0,
            "where is my parcel",
            "Hi Gwendolyn, parcel QX-7781 is with Marmaduke, call +62 811 222 3334.",
        )
        .await;
        desk.learn().await;
        let note = json!({ "note": "secret remark zanzibar" });
        let model = Model::start().await;
        settle(&desk, &model, json!({})).await;
        let path = asked(&desk).await;
        desk.server
            .post(&format!("/api/crm/contacts/{PHONE}/notes"))
            .bearer(&desk.agent)
            .json(&note)
            .send()
            .await
            .ok(201);
        let gift = json!({ "amount": 987_654 });
        desk.server
            .post(&format!("/api/crm/contacts/{PHONE}/donations"))
            .bearer(&desk.agent)
            .json(&gift)
            .send()
            .await
            .ok(201);
        of(&desk, &path).await.ok(200);
        let body = model.bodies().concat();
        assert!(body.contains("earlier_reply"), "{body}");
        for secret in
            ["Gwendolyn", "QX-7781", "Marmaduke", "811 222", "zanzibar", "987654", "Siti", "Aminah", PHONE]
        {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
    }
}
