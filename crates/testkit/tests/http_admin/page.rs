use frontdesk_testkit::server::{TestServer, TestSettings};

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test]
async fn screens_are_answered_with_the_page_and_programs_with_json() {
    for server in TestServer::on_all(TestSettings::default()).await {
        for path in ["/", "/conversations/7", "/settings/users"] {
            let page = server.get(path).header("accept", BROWSER).send().await;
            assert_eq!(
                (page.status, page.header("content-type")),
                (200, "text/html; charset=utf-8"),
                "{path}"
            );
            assert_eq!(page.header("cache-control"), "no-cache");
            assert!(page.text().contains("Frontdesk"));
        }
        for path in ["/api/v1/nothing", "/apps/1/nothing", "/assets/nothing-1234.js"] {
            server.get(path).header("accept", BROWSER).send().await.refused(404, "NOT_FOUND");
        }
        server
            .get("/conversations/7")
            .header("accept", "application/json")
            .send()
            .await
            .refused(404, "NOT_FOUND");

        let etag = server.get("/").send().await.header("etag").to_owned();
        let again = server.get("/").header("if-none-match", &etag).send().await;
        assert_eq!((again.status, again.body.len()), (304, 0));
    }
}

#[tokio::test]
async fn a_script_is_sent_packed_and_unpacked_for_whoever_takes_nothing_packed() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let page = server.get("/").send().await.text().to_owned();
        let Some(script) = page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js"))
        else {
            assert!(page.contains("scripts/build-web"), "neither a page nor the words that it was not built");
            continue;
        };
        let mut sizes = Vec::new();
        for (offered, encoding) in [("br, gzip", "br"), ("gzip", "gzip"), ("gzip;q=0", "")] {
            let answer = server.get(script).header("accept-encoding", offered).send().await;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding), "{script}");
            assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
            sizes.push((answer.body.len(), answer.header("etag").to_owned()));
        }
        assert!(sizes[0].0 < sizes[1].0 && sizes[1].0 < sizes[2].0, "{sizes:?}");
        assert!(sizes[0].1 != sizes[1].1 && sizes[1].1 != sizes[2].1, "{sizes:?}");
    }
}

#[tokio::test]
async fn the_description_and_its_page_come_from_here_alone() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let document = server.get("/api/openapi.json").send().await.ok(200);
        assert_eq!(document["openapi"], "3.1.0");
        let packed = server.get("/api/openapi.json").header("accept-encoding", "gzip").send().await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.body.len() < document.to_string().len() / 4);
        let users = &document["paths"]["/api/v1/users"];
        assert_eq!(users["post"]["security"][0]["token"][0], "admin");
        assert_eq!(users["post"]["security"][1]["cookie"], serde_json::json!([]));
        for status in ["201", "400", "401", "403", "413", "415", "422", "500", "503"] {
            assert!(users["post"]["responses"][status].is_object(), "{status}");
        }
        let page = server.get("/api/docs/").send().await;
        assert_eq!(page.status, 200);
        assert!(!page.text().contains("http://") && !page.text().contains("https://"), "{}", page.text());
        let script = server.get("/api/docs/swagger-ui-bundle.js").send().await;
        assert_eq!(script.status, 200);
        let start = server.get("/api/docs/swagger-initializer.js").send().await;
        assert!(start.text().contains("/api/openapi.json"));
    }
}
