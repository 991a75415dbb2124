//! The network between a service and its PostgreSQL server: it can fall silent, which no server that ends does.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::postgres::Postgres;

/// The name of the server's socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// What the network does.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How often the connections that there were have been forgotten.
    forgotten: usize,
    /// New connections are silent from the start.
    is_silent: bool,
}

/// A link to a server.
pub(crate) struct Link {
    folder: TempDir,
    state: Arc<watch::Sender<State>>,
}

impl Link {
    pub(crate) fn to(postgres: &Postgres) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let state = Arc::new(watch::Sender::new(State::default()));
        let (server, seen) = (postgres.folder().join(SOCKET), Arc::clone(&state));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), seen.subscribe()));
            }
        });
        Self { folder, state }
    }

    /// The host of a URL.
    pub(crate) fn host(&self) -> String {
        self.folder.path().display().to_string().replace('/', "%2F")
    }

    /// Nothing passes any more, and no connection is closed.
    pub(crate) fn fall_silent(&self) {
        self.state.send_modify(|state| {
            state.forgotten += 1;
            state.is_silent = true;
        });
    }

    /// New connections are carried again; those of before are not.
    pub(crate) fn carry_again(&self) {
        self.state.send_modify(|state| state.is_silent = false);
    }
}

/// Carries a connection until the network forgets it; then it stays open, and silent.
async fn carry(mut client: UnixStream, server: PathBuf, mut state: watch::Receiver<State>) {
    let begun = *state.borrow_and_update();
    if begun.is_silent {
        return std::future::pending().await;
    }
    let mut server = UnixStream::connect(server).await.unwrap();
    let is_forgotten = async {
        drop(state.wait_for(|now| now.forgotten > begun.forgotten).await);
    };
    let carried = tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => true,
        () = is_forgotten => false,
    };
    if !carried {
        std::future::pending::<()>().await;
    }
}
