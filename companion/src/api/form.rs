//! The JSON:API body of a request.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use scalr_api::{Input, Kind};
use serde_json::{Value, json};

use super::error::ApiError;

/// How long a request's body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The object in a request's body.
pub(crate) struct Form<K: Kind>(pub(crate) Input<K>);

impl<S: Send + Sync, K: Kind> FromRequest<S> for Form<K> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = bytes(request, state).await?;
        let value = json(&body)?;
        read(&value).map(Self)
    }
}

/// A request's body, bounded in length and time.
pub(crate) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    bytes_within(BODY_TIMEOUT, request, state).await
}

async fn bytes_within<S: Send + Sync>(
    time: Duration,
    request: Request,
    state: &S,
) -> Result<Bytes, ApiError> {
    let read = tokio::time::timeout(time, Bytes::from_request(request, state)).await;
    let late = |_| {
        let detail = format!("The body did not come within {} seconds.", time.as_secs());
        ApiError::Body(StatusCode::REQUEST_TIMEOUT, detail)
    };
    read.map_err(late)?
        .map_err(|error| ApiError::Body(error.status(), error.body_text()))
}

/// A body as JSON.
pub(super) fn json(body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::Body(StatusCode::BAD_REQUEST, format!("The body is not JSON: {error}.")))
}

fn read<K: Kind>(body: &Value) -> Result<Input<K>, ApiError> {
    let mut data = body
        .get("data")
        .cloned()
        .filter(Value::is_object)
        .ok_or_else(|| ApiError::Invalid {
            pointer: "/data".into(),
            detail: format!(
                "The body is not `{{\"data\": …}}` with an object of type `{}`.",
                K::TYPE
            ),
        })?;
    // Some clients send an empty id with a POST.
    if let Some(members) = data
        .as_object_mut()
        .filter(|members| members.get("id").is_some_and(|id| id == ""))
    {
        members.remove("id");
    }
    serde_json::from_value(data.clone()).map_err(|error| blame::<K>(&data, &error.to_string()))
}

/// Finds the part of the body that cannot be read: serde's error does not say which.
fn blame<K: Kind>(data: &Value, whole: &str) -> ApiError {
    let parse = |part: Value| serde_json::from_value::<Input<K>>(part).map_err(|error| error.to_string());
    let invalid = |pointer: String, detail: &str| ApiError::Invalid {
        pointer,
        detail: format!("{detail}."),
    };
    if data.get("type").and_then(Value::as_str) != Some(K::TYPE) {
        return invalid("/data/type".into(), &format!("The type is `{}`", K::TYPE));
    }
    for group in ["attributes", "relationships"] {
        for (name, value) in data.get(group).and_then(Value::as_object).into_iter().flatten() {
            if let Err(error) = parse(json!({ "type": K::TYPE, group: { name: value } })) {
                return invalid(format!("/data/{group}/{name}"), &error);
            }
        }
    }
    invalid("/data".into(), whole)
}

#[cfg(test)]
mod tests {
    use scalr_api::{Connection, Run};

    use super::*;

    #[track_caller]
    fn check<K: Kind>(body: &Value, want: Option<&str>) {
        let have = match read::<K>(body) {
            Ok(_) => None,
            Err(ApiError::Invalid { pointer, .. }) => Some(pointer),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(have.as_deref(), want, "{body}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_times_out() {
        let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        let request = Request::new(axum::body::Body::from_stream(never));
        let read = bytes_within(Duration::from_millis(10), request, &()).await;
        assert!(
            matches!(read, Err(ApiError::Body(StatusCode::REQUEST_TIMEOUT, _))),
            "{read:?}"
        );
    }

    #[test]
    fn the_error_points_at_the_wrong_part() {
        let kind = "aws-event-bridge-integrations";
        check::<Connection>(
            &json!({ "data": { "type": kind, "attributes": { "name": "a" } } }),
            None,
        );
        check::<Connection>(
            &json!({ "data": { "type": kind, "id": "", "attributes": { "name": "a" } } }),
            None,
        );
        check::<Connection>(&json!({ "data": { "type": kind, "id": "a/b" } }), Some("/data"));
        check::<Connection>(&json!({}), Some("/data"));
        check::<Connection>(&json!({ "data": [] }), Some("/data"));
        check::<Connection>(&json!({ "data": { "type": "runs" } }), Some("/data/type"));
        check::<Connection>(
            &json!({ "data": { "type": kind, "attributes": { "name": "a", "region": 1 } } }),
            Some("/data/attributes/region"),
        );
        check::<Run>(
            &json!({ "data": { "type": "runs", "relationships": { "workspace": { "data": { "type": "x", "id": "y" } } } } }),
            Some("/data/relationships/workspace"),
        );
    }
}
