//! Tokens that end by themselves: who makes them, what they permit, and how they end.

use super::*;

const OWN: &str = "/api/iacp/v3/access-tokens";
const ENVIRONMENTS: &str = "/api/iacp/v3/environments";
const MINUTE_MS: i64 = 60_000;

fn input(attributes: &Value) -> Value {
    json!({ "data": { "type": "access-tokens", "attributes": attributes } })
}

/// Makes a token; its id and its text.
async fn make(bench: &Bench, attributes: &Value) -> (String, String) {
    let (status, made) = call(bench, "POST", OWN, &input(attributes)).await;
    assert_eq!(status, 201, "{made}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let made = &made["data"];
    (text(&made["id"]), text(&made["attributes"]["token"]))
}

/// What a call with this token is answered.
async fn opens(bench: &Bench, token: &str, method: &str, path: &str) -> u16 {
    let body = json!({ "data": { "type": "x", "attributes": {} } });
    call_with(bench, token, method, path, &body).await.0
}

#[tokio::test]
async fn a_token_made_by_another_ends_when_it_is_revoked() {
    let bench = Bench::new().await;
    let (status, made) = call(&bench, "POST", OWN, &input(&json!({}))).await;
    let attributes = &made["data"]["attributes"];
    assert_eq!((status, &attributes["expires-in"]), (201, &json!(60)), "{made}");
    assert_eq!(
        (&attributes["scopes"], &attributes["is-expired"]),
        (&json!(["admin"]), &json!(false))
    );
    let attributes = json!({ "description": "release", "expires-in": 5, "scopes": ["read"] });
    let (id, token) = make(&bench, &attributes).await;
    assert!(token.starts_with("seba_"), "{token}");
    assert_eq!(opens(&bench, &token, "GET", ENVIRONMENTS).await, 200);
    assert_eq!(opens(&bench, &token, "POST", PATH).await, 403, "it may only read");
    assert_eq!(
        opens(&bench, &token, "POST", OWN).await,
        403,
        "it makes none itself"
    );
    let one = format!("{OWN}/{id}");
    let (status, read) = call(&bench, "GET", &one, &json!({})).await;
    assert_eq!(
        (status, &read["data"]["attributes"]["name"]),
        (200, &json!("release")),
        "{read}"
    );
    assert!(read["data"]["attributes"]["token"].is_null(), "{read}");
    for _ in 0..2 {
        assert_eq!(opens(&bench, TOKEN, "DELETE", &one).await, 204);
        assert_eq!(opens(&bench, &token, "GET", ENVIRONMENTS).await, 401);
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_counts_no_more() {
    let bench = Bench::new().await;
    let (_, token) = make(&bench, &json!({ "expires-in": 5 })).await;
    bench.app.clock.advance(5 * MINUTE_MS - 1_000);
    assert_eq!(opens(&bench, &token, "GET", ENVIRONMENTS).await, 200);
    bench.app.clock.advance(1_000);
    let (status, refused) = call_with(&bench, &token, "GET", ENVIRONMENTS, &json!({})).await;
    assert_eq!(status, 401);
    assert!(refused.to_string().contains("has expired"), "{refused}");
    // With the account's own token these are a hundred, the most that an account has.
    for _ in 0..99 {
        make(&bench, &json!({})).await;
    }
    let (status, full) = call(&bench, "POST", OWN, &input(&json!({}))).await;
    assert_eq!(status, 422, "{full}");
    bench.app.clock.advance(60 * MINUTE_MS);
    make(&bench, &json!({})).await;
}

#[tokio::test]
async fn a_token_that_ends_makes_none_that_outlives_it() {
    let bench = Bench::new().await;
    let (_, token) = make(&bench, &json!({ "expires-in": 5 })).await;
    bench.app.clock.advance(2 * MINUTE_MS);
    let (status, made) = call_with(&bench, &token, "POST", OWN, &input(&json!({ "expires-in": 60 }))).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["data"]["attributes"]["expires-in"], 3, "{made}");
    let next = made["data"]["attributes"]["token"].as_str().unwrap();
    assert_eq!(opens(&bench, next, "GET", ENVIRONMENTS).await, 200);
    bench.app.clock.advance(3 * MINUTE_MS);
    assert_eq!(opens(&bench, next, "GET", ENVIRONMENTS).await, 401);
}

#[tokio::test]
async fn what_cannot_be_made_or_ended_is_refused() {
    let bench = Bench::new().await;
    for (attributes, pointer) in [
        (json!({ "expires-in": 0 }), "expires-in"),
        (json!({ "expires-in": 1441 }), "expires-in"),
        (json!({ "scopes": [] }), "scopes"),
        (json!({ "scopes": ["write"] }), "scopes"),
        (json!({ "name": "a\nb" }), "name"),
    ] {
        let (status, refused) = call(&bench, "POST", OWN, &input(&attributes)).await;
        assert_eq!(status, 422, "{attributes}: {refused}");
        assert_eq!(
            refused["errors"][0]["source"]["pointer"],
            json!(format!("/data/attributes/{pointer}")),
            "{refused}"
        );
    }
    // The token of the account itself, another account's, and one that is not there.
    let operator = operator_token(&bench).await;
    let other = token_of(&bench, &operator, "other", &["admin"]).await;
    let (id, token) = make(&bench, &json!({})).await;
    for (by, of, want) in [
        (TOKEN, "at-v0owner", 404),
        (other.as_str(), id.as_str(), 404),
        (TOKEN, "at-none", 404),
        (operator.as_str(), id.as_str(), 403),
    ] {
        assert_eq!(
            opens(&bench, by, "DELETE", &format!("{OWN}/{of}")).await,
            want,
            "{of}"
        );
    }
    assert_eq!(
        opens(&bench, &operator, "POST", OWN).await,
        403,
        "it opens no account"
    );
    assert_eq!(opens(&bench, &token, "GET", ENVIRONMENTS).await, 200);
}

#[tokio::test]
async fn an_operator_makes_tokens_that_end_by_themselves() {
    let bench = Bench::new().await;
    let operator = operator_token(&bench).await;
    let create = async |minutes: i64| {
        let of = json!({ "account": { "data": { "type": "accounts", "id": crate::testing::ACCOUNT } } });
        let new = json!({ "data": {
            "type": "access-tokens", "relationships": of,
            "attributes": { "name": "n", "scopes": ["read"], "expires-in": minutes },
        } });
        call_with(&bench, &operator, "POST", "/_companion/tokens", &new).await
    };
    for minutes in [0, -1, 527_041] {
        assert_eq!(create(minutes).await.0, 422, "{minutes}");
    }
    let (status, made) = create(90).await;
    assert_eq!(status, 201, "{made}");
    assert!(made["data"]["attributes"]["expires-at"].is_string(), "{made}");
    let token = made["data"]["attributes"]["token"].as_str().unwrap();
    assert_eq!(opens(&bench, token, "GET", ENVIRONMENTS).await, 200);
    bench.app.clock.advance(90 * MINUTE_MS);
    assert_eq!(opens(&bench, token, "GET", ENVIRONMENTS).await, 401);
}

/// Making and ending one are in the account's audit log, whoever did it.
#[tokio::test]
async fn the_audit_log_has_each() {
    let bench = Bench::new().await;
    let prod = bench.connect("prod", "us-east-1", &Status::Active).await;
    let account = scalr_api::AccountId::new(crate::testing::ACCOUNT).unwrap();
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.select_audit_connection(&account, Some(&prod)).await.unwrap();
    tx.commit().await.unwrap();
    let (id, _) = make(&bench, &json!({})).await;
    assert_eq!(opens(&bench, TOKEN, "DELETE", &format!("{OWN}/{id}")).await, 204);
    let actions: Vec<Value> = bench
        .held_details(&prod)
        .await
        .iter()
        .map(|detail| detail["request"]["action"].clone())
        .collect();
    assert_eq!(actions, ["create-access-token", "delete-access-token"]);
}
