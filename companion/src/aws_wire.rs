//! What every call to AWS passes: what it sends as a credential is noted, so that nothing repeats it, and its answer is read
//! up to a bound.

use aws_sdk_eventbridge::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_eventbridge::config::{AppName, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_eventbridge::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::secrets;

/// The largest answer that is read: a page of log events has at most 1 MiB of them, which JSON may escape.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a client calls itself in its `User-Agent`, as `app/…`: AWS's logs show which part of this program called.
pub(crate) fn app_name(part: &str) -> Option<AppName> {
    AppName::new(format!("scalr-eventbridge-{part}")).ok()
}

/// An interceptor for the clients of AWS's SDK.
#[derive(Debug)]
pub(crate) struct AwsWire;

impl Intercept for AwsWire {
    fn name(&self) -> &'static str {
        "AwsWire"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request().headers();
        for name in ["x-amz-security-token", "authorization"] {
            let Some(value) = headers.get(name) else { continue };
            secrets::sent(value);
            if let Some(id) = access_key_id(value) {
                secrets::sent(id);
            }
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let inner = std::mem::replace(body, SdkBody::taken());
        *body = bounded(inner);
        Ok(())
    }
}

/// The access key id of an `Authorization` header. One of the local AWS's is an account, and no secret.
fn access_key_id(header: &str) -> Option<&str> {
    let (_, scope) = header.split_once("Credential=")?;
    let id = scope.split('/').next()?;
    (!id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

/// A body that fails once it is longer than the bound.
fn bounded(body: SdkBody) -> SdkBody {
    SdkBody::from_body_1_x(Limited::new(body, BODY_BYTES_MAX).map_err(|error| {
        if error.is::<LengthLimitError>() {
            format!("AWS's answer has more than {BODY_BYTES_MAX} bytes").into()
        } else {
            error
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::response::{IntoResponse as _, Response};
    use serde_json::{Value, json};

    use crate::aws_error::{AwsError, EntryError, SourceHealth, SourceState};
    use crate::partner::Partner;
    use crate::store::{Entry, SourceKey};
    use crate::testing::entry;

    const TOKEN: &str = "a-session/token+of-the-operator==";
    const KEY_ID: &str = "ASIAEXAMPLEKEYID0000";

    /// An AWS that makes one answer of each request's headers.
    async fn aws(answer: impl Fn(&HeaderMap) -> Response + Send + Sync + 'static) -> Partner {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        let app = Router::new().fallback(move |headers: HeaderMap| {
            let answer = Arc::clone(&answer);
            async move { answer(&headers) }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Partner::with_keys(endpoint, KEY_ID, "a-secret", Some(TOKEN))
    }

    async fn aws_with(status: u16, body: String) -> Partner {
        aws(move |_| (StatusCode::from_u16(status).unwrap(), body.clone()).into_response()).await
    }

    fn source() -> SourceKey {
        SourceKey {
            name: "aws.partner/scalr.com/local/prod".into(),
            region: "us-east-1".into(),
            aws_account_id: "123456789012".into(),
        }
    }

    fn entries() -> Vec<Entry> {
        vec![entry("prod"); 2]
    }

    #[tokio::test]
    async fn an_error_repeats_nothing_that_was_sent_as_a_credential() {
        for repeats in [
            |headers: &HeaderMap| {
                let signed: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| format!("{name}:{value:?}"))
                    .collect();
                format!(
                    "The request signature we calculated does not match. {}",
                    signed.join(" ")
                )
            },
            |headers: &HeaderMap| format!("no, {:?}", headers["x-amz-security-token"]),
            |headers: &HeaderMap| format!("{:?} is not authorised", headers["authorization"]),
            |_: &HeaderMap| format!("{KEY_ID} is unknown"),
        ] {
            let refuses = aws(move |headers| {
                let code = format!("SignatureDoesNotMatch-{TOKEN}");
                let body = json!({ "__type": code, "message": repeats(headers) });
                (StatusCode::BAD_REQUEST, body.to_string()).into_response()
            });
            let error = refuses.await.state(&source()).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            for secret in [TOKEN, KEY_ID, "Signature=0", "Signature=a"] {
                assert!(!shown.contains(secret), "{secret} is in {shown}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_a_bound() {
        let long = "x".repeat(1 << 20);
        let error = aws_with(400, json!({ "__type": long, "message": long }).to_string()).await;
        let AwsError::Refused { code, message } = error.state(&source()).await.unwrap_err() else {
            panic!("a refusal")
        };
        assert!(code.chars().count() <= 128 && message.chars().count() <= 500);
        let slot = json!({ "ErrorCode": long, "ErrorMessage": long });
        let failed = aws_with(200, json!({ "Entries": [slot, slot] }).to_string()).await;
        let results = failed.put("us-east-1", &entries()).await.unwrap();
        let Err(EntryError { code, message }) = &results[0] else {
            panic!("a refusal")
        };
        assert!(code.chars().count() <= 128 && message.chars().count() <= 500);
        let endless = aws_with(200, format!("{{{}", " ".repeat(16 << 20))).await;
        let error = endless.state(&source()).await.unwrap_err();
        assert!(matches!(error, AwsError::Retryable(_)), "{error}");
        assert!(error.to_string().contains("more than 8388608 bytes"), "{error}");
    }

    /// What an answer means for the health of the connection's source.
    async fn health(body: &str) -> SourceHealth {
        let aws = aws_with(200, body.to_owned()).await;
        aws.state(&source()).await.into()
    }

    #[tokio::test]
    async fn an_answer_without_what_it_must_have_is_an_unknown_outcome() {
        let accounts = |account: Value| json!({ "PartnerEventSourceAccounts": [account] }).to_string();
        let named = |state: Value| accounts(json!({ "Account": "123456789012", "State": state }));
        for body in ["", "{}", "null", "[]", &named(Value::Null), &named(json!("NEW"))] {
            let health = health(body).await;
            assert!(matches!(health, SourceHealth::Unknown(_)), "{body}: {health:?}");
            let aws = aws_with(200, body.to_owned()).await;
            let made = aws.create(&source()).await;
            assert!(matches!(made, Err(AwsError::Retryable(_))), "{body}: {made:?}");
            let put = aws.put("us-east-1", &entries()).await;
            assert!(matches!(put, Err(AwsError::Retryable(_))), "{body}: {put:?}");
        }
        assert_eq!(health(&named(json!("ACTIVE"))).await, SourceHealth::Active);
        let none = json!({ "PartnerEventSourceAccounts": [] }).to_string();
        let aws = aws_with(200, none).await;
        assert_eq!(aws.state(&source()).await, Ok(SourceState::Missing));
        // An entry that was neither taken nor refused is sent again.
        let slots = json!({ "Entries": [{ "EventId": "1" }, {}] });
        let aws = aws_with(200, slots.to_string()).await;
        let results = aws.put("us-east-1", &entries()).await.unwrap();
        assert!(results[0].is_ok() && results[1].is_err(), "{results:?}");
    }
}
