//! The page of deliveries: pages of its list, what a press does to all of it, and what is left for the next.

use axum::http::Method;
use scalr_api::{AccountId, ConnectionId, Status};

use super::{console, visit};
use crate::caller::Scope;
use crate::console::Console;
use crate::routes::Route;
use crate::store::{Bounds, Settlement};
use crate::testing::{ACCOUNT, BOUNDS, Bench, ending};

const PAGE: &str = "/integrations/in-prod/deliveries";

/// A connection of whose events the oldest have failed.
async fn failed(bounds: Bounds, events: usize) -> (Bench, ConnectionId) {
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("prod", "us-east-1", &Status::Active).await;
    bench.accept(&id, events).await;
    let refused = Settlement::Refused {
        error: "MalformedDetail: <b>".into(),
    };
    let mut tx = bench.app.store.begin().await.unwrap();
    for _ in 0..events {
        let head = tx.sendable(&id, 1, i64::MAX).await.unwrap();
        let seq = head[0].seq;
        tx.lease(head, "l".into(), 1).await.unwrap();
        tx.settle(&[ending("l", seq, &refused)], 1).await.unwrap();
    }
    tx.commit().await.unwrap();
    no_audit_logs(&bench).await;
    (bench, id)
}

/// What is changed here is an event of the account itself otherwise.
async fn no_audit_logs(bench: &Bench) {
    let account = AccountId::new(ACCOUNT).unwrap();
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.select_audit_connection(&account, None).await.unwrap();
    tx.commit().await.unwrap();
}

/// A person who may change what is shown.
struct Person {
    console: Console,
    session: String,
}

impl Person {
    async fn of(bench: &Bench) -> Self {
        let console = console(bench);
        let token = bench.token_of_own(&[Scope::Admin]).await;
        let session = console.sign_in(&token, None).await.unwrap();
        Self { console, session }
    }

    async fn answer(&self, method: Method, path: &str) -> (u16, String) {
        let route = Route {
            method,
            path: path.to_owned(),
        };
        visit(&self.console, &self.session, &route, "").await
    }

    async fn page(&self, path: &str) -> String {
        let (status, page) = self.answer(Method::GET, path).await;
        assert_eq!(status, 200, "{path}: {page}");
        page
    }

    /// Sends the form of the page whose address has this part, with `\0` for its end, and opens the page that it leads to.
    async fn press(&self, page: &str, end: &str) -> String {
        let action = page.split("action=\"").filter_map(|part| part.split('"').next());
        let action = action.map(|action| action.replace("&#38;", "&"));
        let action = action.map(|action| format!("{action}\0"));
        let action = action.filter(|action| action.contains(end)).last().expect(end);
        let action = action.trim_end_matches('\0');
        let (status, to) = self
            .answer(Method::POST, action.strip_prefix("/console").unwrap())
            .await;
        assert_eq!(status, 303, "{action}: {to}");
        self.page(to.strip_prefix("/console").unwrap()).await
    }
}

fn shows(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
}

#[tokio::test]
async fn a_list_has_pages_and_one_press_changes_all_of_them() {
    let (bench, id) = failed(BOUNDS, 450).await;
    let person = Person::of(&bench).await;
    let first = person.page(PAGE).await;
    shows(
        &first,
        &[
            "failed (450)",
            "e-0<",
            "e-99<",
            "AuditLog, 2 bytes",
            "MalformedDetail: &#60;b&#62;",
            "Next page",
        ],
    );
    assert!(
        !first.contains("e-100<") && !first.contains("First page"),
        "{first}"
    );
    let next = first
        .split("href=\"")
        .find(|part| part.contains("after="))
        .unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = person.page(next.strip_prefix("/console").unwrap()).await;
    shows(&second, &["e-100<", "e-199<", "First page", "Next page"]);
    assert!(!second.contains("e-99<"), "{second}");

    let one = person.page(&format!("{PAGE}?event=e-7")).await;
    shows(&one, &["e-7<", "<details open>"]);
    assert!(!one.contains("e-8<"), "{one}");
    shows(
        &person.press(&one, "purge?state=failed&event=e-7").await,
        &["1 delivery: were purged", "failed (449)"],
    );
    let done = person.press(&second, "redeliver?state=failed\0").await;
    shows(
        &done,
        &["449 deliveries: are to be sent again", "failed (0)", "held (449)"],
    );
    assert!(!done.contains("Go on"), "{done}");
    assert_eq!(bench.app.store.details_held_for(&id).await.len(), 449);
}

/// Four of six events have room. The rest goes on where that ended, once there is room for it.
#[tokio::test]
async fn what_has_no_room_is_left_for_the_next_press() {
    let bounds = Bounds {
        bytes_max: 12,
        ..BOUNDS
    };
    let (bench, id) = failed(bounds, 6).await;
    // Two held events take the room of two.
    bench.accept(&id, 2).await;
    no_audit_logs(&bench).await;
    let person = Person::of(&bench).await;
    let page = person.page(PAGE).await;
    let done = person.press(&page, "redeliver?state=failed\0").await;
    shows(
        &done,
        &[
            "4 deliveries: are to be sent again",
            "has no room for the rest",
            "failed (2)",
            "held (6)",
        ],
    );
    let (status, refused) = person
        .answer(Method::POST, &format!("{PAGE}/redeliver?state=failed"))
        .await;
    assert_eq!(status, 409);
    shows(&refused, &["Nothing was sent again", "bound of 12 bytes"]);
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 1, i64::MAX).await.unwrap();
    let seq = head[0].seq;
    tx.lease(head, "l".into(), 1).await.unwrap();
    tx.settle(&[ending("l", seq, &Settlement::Delivered)], 2)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let gone_on = person.press(&done, "&until=").await;
    shows(
        &gone_on,
        &["1 delivery: are to be sent again", "failed (1)", "delivered (1)"],
    );
}

#[tokio::test]
async fn what_has_no_state_or_cannot_be_changed_has_no_page() {
    let (bench, _) = failed(BOUNDS, 1).await;
    let person = Person::of(&bench).await;
    for (method, query, want) in [
        (Method::GET, "?state=held", 200),
        (Method::GET, "?state=unconfirmed&after=3", 200),
        (Method::GET, "?state=delivered&from=2026-01-01T00:00:00Z", 200),
        (Method::GET, "?state=dropped", 404),
        (Method::GET, "?state=failed&from=noon", 400),
        (Method::POST, "/redeliver?state=held", 404),
        (Method::POST, "/redeliver?state=unconfirmed", 422),
        (Method::POST, "/purge?state=delivered", 422),
        (Method::POST, "/purge?state=failed&event=e-9", 303),
    ] {
        let (status, page) = person.answer(method.clone(), &format!("{PAGE}{query}")).await;
        assert_eq!(status, want, "{method} {query}: {page}");
    }
    let page = person.page(PAGE).await;
    shows(&page, &["failed (1)"]);
}
