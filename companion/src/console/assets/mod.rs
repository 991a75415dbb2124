//! Files that pages load: styles and scripts, part of the program, the same for everybody.
//!
//! `htmx.min.js` is htmx 2.0.11 and `sse.min.js` its extension for event streams 2.2.4, both as published, under the licence
//! `0BSD` (`LICENSE-htmx`, `LICENSE-sse`).

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::gzip;

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    packed: OnceLock<Vec<u8>>,
}

const fn asset(name: &'static str, kind: &'static str, body: &'static str) -> Asset {
    Asset {
        name,
        kind,
        body,
        packed: OnceLock::new(),
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
static ALL: [Asset; 5] = [
    asset(
        "console.css",
        "text/css; charset=utf-8",
        include_str!("console.css"),
    ),
    asset("console.js", SCRIPT, include_str!("console.js")),
    asset("htmx.min.js", SCRIPT, include_str!("htmx.min.js")),
    asset("sse.min.js", SCRIPT, include_str!("sse.min.js")),
    asset("icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

/// What changes with any of the files: part of their addresses, since browsers keep them.
pub(super) fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let all: Vec<u8> = ALL.iter().flat_map(|asset| asset.body.bytes()).collect();
        let mut digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, &all)
            .simple()
            .to_string();
        digest.truncate(12);
        digest
    })
}

/// Answers with a file.
pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ALL.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = [
        (CONTENT_TYPE, asset.kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
    ];
    if gzip::is_accepted(&headers) {
        let packed = asset.packed.get_or_init(|| gzip::pack(asset.body.as_bytes()));
        return (kept, [(CONTENT_ENCODING, "gzip")], packed.as_slice()).into_response();
    }
    (kept, asset.body).into_response()
}
