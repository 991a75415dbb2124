//! The JSON:API body of an answer.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use scalr_api::{Document, MEDIA_TYPE};
use serde::Serialize;

/// A body to send, with JSON:API's media type.
pub(crate) struct Answer<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(body) => (self.0, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A document to send.
pub(crate) fn document<D>(status: StatusCode, data: D) -> Answer<Document<D>> {
    Answer(status, Document { data })
}
