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
async fn the_description_and_its_page_come_from_here_alone() {
    for server in TestServer::on_all(TestSettings::default()).await {
        let document = server.get("/api/openapi.json").send().await.ok(200);
        assert_eq!(document["openapi"], "3.1.0");
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
