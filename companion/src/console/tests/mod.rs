//! Accounts keep apart in the console: every page, with a session of another account, and with one that may only read.

mod deliveries;

use axum::body::Body;
use axum::http::{Method, Request};
use futures::StreamExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scalr_api::Status;

use super::pages::routes;
use super::{Console, Settings, router};
use crate::caller::Scope;
use crate::routes::Route;
use crate::testing::Bench;

const HOST: &str = "127.0.0.1:8080";

/// A console over the bench, which sees no AWS.
fn console(bench: &Bench) -> Console {
    let settings = Settings {
        aws: None,
        hosts: vec![],
        is_tls: false,
        public: None,
        link: None,
        port: 8080,
    };
    Console::new(bench.app.clone(), settings)
}

/// Opens a page, or sends its form, in a session; the status and the page, or where it leads.
async fn visit(console: &Console, session: &str, route: &Route, form: &str) -> (u16, String) {
    let path = format!("/console{}", route.path.replace("{id}", "in-prod"));
    let request = Request::builder()
        .method(route.method.clone())
        .uri(path)
        .header("host", HOST)
        .header("origin", format!("http://{HOST}"))
        .header("cookie", format!("{}={session}", console.cookie()))
        .body(Body::from(form.to_owned()))
        .unwrap();
    let service = TowerToHyperService::new(router(console));
    let answer = service.call(request).await.unwrap();
    let status = answer.status().as_u16();
    if let Some(to) = answer.headers().get("location") {
        return (status, to.to_str().unwrap().to_owned());
    }
    let kind = answer.headers().get("content-type");
    // A stream has no end.
    if kind.is_some_and(|kind| kind == "text/event-stream") {
        return (status, String::new());
    }
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

/// Fields that every form of a page takes.
const FORM: &str = "connection=in-prod&workspace=ws-1&name=third&account=123456789012&region=eu-west-3";

/// What a page is read of ends with the token of its session: before the next event, not after it.
#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let bench = Bench::new().await;
    let id = bench.connect("prod", "us-east-1", &Status::Active).await;
    let console = console(&bench);
    let token = bench.token_of_own(&[Scope::Read]).await;
    let session = console.sign_in(&token, None).await.unwrap();
    let request = Request::builder()
        .uri("/console/integrations/in-prod/stream")
        .header("host", HOST)
        .header("cookie", format!("{}={session}", console.cookie()))
        .body(Body::empty())
        .unwrap();
    let answer = TowerToHyperService::new(router(&console)).call(request).await;
    let mut stream = answer.unwrap().into_body().into_data_stream();
    let mut next = async || {
        let part = stream.next().await?;
        Some(String::from_utf8_lossy(&part.unwrap()).into_owned())
    };
    assert!(next().await.is_some_and(|part| part.contains("event: change")));
    bench.accept(&id, 1).await;
    assert!(next().await.is_some_and(|part| part.contains("accepted")));
    assert!(next().await.is_some_and(|part| part.contains("event: change")));
    bench.revoke_all_tokens().await;
    bench.accept(&id, 1).await;
    assert_eq!(next().await, None);
}

fn all() -> Vec<Route> {
    let mut all = routes(false).into_list();
    all.retain(|route| !route.path.starts_with("/sign"));
    all
}

#[tokio::test]
async fn no_page_shows_or_changes_a_connection_of_another_account() {
    let bench = Bench::new().await;
    let id = bench.connect("prod", "us-east-1", &Status::Active).await;
    let console = console(&bench);
    let token = bench.token_of_another("other", &[Scope::Admin]).await;
    let session = console.sign_in(&token, None).await.unwrap();
    for route in all() {
        let (status, page) = visit(&console, &session, &route, FORM).await;
        let says = format!("{} {}: {status} {page}", route.method, route.path);
        if route.path.contains('{') {
            assert_eq!(status, 404, "{says}");
        }
        assert!(
            status < 500 && !page.contains("aws.partner/scalr.com/local"),
            "{says}"
        );
    }
    let store = &bench.app.store;
    let row = store.connection_by_id(&id).await.unwrap().unwrap();
    assert_eq!(row.status, Status::Active);
    assert_eq!(store.audit_connection(&row.account_id).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_that_may_only_read_changes_nothing() {
    let bench = Bench::new().await;
    bench.connect("prod", "us-east-1", &Status::Active).await;
    let console = console(&bench);
    let token = bench.token_of_own(&[Scope::Read]).await;
    let session = console.sign_in(&token, None).await.unwrap();
    for route in all() {
        let (status, page) = visit(&console, &session, &route, FORM).await;
        let is_preview = route.path.ends_with("/terraform");
        let refused = route.method == Method::POST && !is_preview;
        assert_eq!(
            status == 403,
            refused,
            "{} {}: {status} {page}",
            route.method,
            route.path
        );
    }
    for (scopes, opens) in [(&[Scope::Intake][..], false), (&[Scope::Admin], true)] {
        let token = bench.token_of_own(scopes).await;
        assert_eq!(console.sign_in(&token, None).await.is_ok(), opens, "{scopes:?}");
    }
}
