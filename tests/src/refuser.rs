//! An AWS that accepts no signature. Its answer repeats what was signed, as AWS's does (AWS Signature Version 4,
//! "Troubleshooting"): the canonical string, and with it every header, and the `Authorization` header.

use std::fmt::Write as _;

use anyhow::Result;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::runtime::{block_on, spawn};

/// Listens, and returns the address to use as AWS's endpoint.
///
/// # Errors
/// When no port is free.
pub fn start() -> Result<String> {
    let listener = block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = format!("http://{}", listener.local_addr()?);
    spawn(async move { axum::serve(listener, Router::new().fallback(refuse)).await });
    Ok(address)
}

async fn refuse(headers: HeaderMap) -> Response {
    let mut message = String::from(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
         signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have \
         been\n'POST\n/\n\n",
    );
    for (name, value) in &headers {
        // Writing into a text cannot fail.
        let _ = writeln!(message, "{name}:{}", value.to_str().unwrap_or_default());
    }
    let form = headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().ends_with(b"urlencoded"));
    if form {
        let error = format!("<Code>SignatureDoesNotMatch</Code><Message>{message}</Message>");
        let body = format!("<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>");
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let body = json!({ "__type": "InvalidSignatureException", "message": message }).to_string();
    (StatusCode::BAD_REQUEST, body).into_response()
}
