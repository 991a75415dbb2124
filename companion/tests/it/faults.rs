//! Faults on request: calls of Scalr's API that go wrong, as the local AWS's do. What the delivery does in faults, and which test has
//! which, is in `src/delivery/faults/mod.rs`.

use serde_json::{Value, json};

use crate::companion::Companion;
use crate::stage;

const FAULTS: &str = "/_companion/faults";
const CONNECTIONS: &str = "/api/iacp/v3/integrations/aws-event-bridge";

async fn add(c: &Companion, fault: Value) -> (u16, Value) {
    c.request("POST", FAULTS, Some(fault)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_wrong_as_it_was_asked_for() {
    let (_aws, c, _dir) = stage::empty().await;
    let id = c.connect("prod", stage::REGION).await;
    let path = format!("{CONNECTIONS}/{id}");
    let fault =
        json!({ "operation": format!("GET {CONNECTIONS}/*"), "kind": "error", "status": 503, "times": 1 });
    let (status, list) = add(&c, fault).await;
    assert_eq!((status, &list["faults"][0]["hit"]), (200, &json!(0)), "{list}");
    let (status, refused) = c.request("GET", &path, None).await.unwrap();
    assert_eq!(
        (status, &refused["errors"][0]["code"]),
        (503, &json!("internal-error")),
        "{refused}"
    );
    assert_eq!(
        c.request("GET", &path, None).await.unwrap().0,
        200,
        "it hits once"
    );
    let (_, list) = c.request("GET", FAULTS, None).await.unwrap();
    assert_eq!(
        (&list["faults"][0]["seen"], &list["faults"][0]["hit"]),
        (&json!(2), &json!(1)),
        "{list}"
    );
    for (fault, want) in [
        (json!({ "kind": "empty", "times": 1 }), Some((200, Value::Null))),
        (
            json!({ "kind": "wrong_json", "times": 1 }),
            Some((200, json!({}))),
        ),
        (json!({ "kind": "cut", "times": 1 }), None),
    ] {
        add(&c, fault.clone()).await;
        assert_eq!(c.request("GET", &path, None).await, want, "{fault}");
    }
    // What was asked for is carried out before the connection ends.
    let fault = json!({ "operation": "DELETE *", "kind": "cut", "carried_out": true });
    assert_eq!(add(&c, fault).await.0, 200);
    assert_eq!(c.request("DELETE", &path, None).await, None);
    assert_eq!(c.request("GET", &path, None).await.unwrap().0, 404);
    let (status, list) = c.request("DELETE", FAULTS, None).await.unwrap();
    assert_eq!(
        (status, list),
        (200, json!({ "faults": [] })),
        "faults hit no call of this path"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_is_not_understood_is_refused_in_the_apis_form() {
    let (_aws, c, _dir) = stage::empty().await;
    let (status, refused) = add(&c, json!({ "kind": "bang" })).await;
    assert_eq!(
        (status, &refused["errors"][0]["code"]),
        (400, &json!("invalid-body")),
        "{refused}"
    );
    let detail = refused["errors"][0]["detail"].to_string();
    assert!(detail.contains("bang"), "{detail}");
}
