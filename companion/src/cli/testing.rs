//! What unit tests of commands call: a companion's API, over HTTP.

use scalr_api::{Client, Settings, Token};
use tokio_util::sync::CancellationToken;

use crate::server::{self, Limits};
use crate::testing::{Bench, TOKEN};

/// A client of a bench's API, which is served from here on.
pub(super) async fn client(bench: &Bench) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let app = crate::api::router(bench.app.clone());
    let stop = CancellationToken::new();
    tokio::spawn(server::serve(listener, None, app, Limits::default(), stop));
    let (host, token) = (host.parse().unwrap(), Token::new(TOKEN).unwrap());
    Client::new(Settings::new(host, token, "test"))
}
