//! The Host header, of which a request has one at most. Any host is taken, since the token is what admits.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use super::error::ApiError;

/// Refuses what servers behind proxies would read in different ways.
pub(super) async fn check(request: Request, next: Next) -> Result<Response, ApiError> {
    match aws_local::host(request.headers()) {
        Ok(_) => Ok(next.run(request).await),
        Err(_) => Err(ApiError::Host),
    }
}
