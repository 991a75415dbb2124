//! Panics as lines of the log, with the token redacted.
//!
//! Rust's own hook writes the raw message to stderr, and a secret may be formatted into it.

use std::any::Any;
use std::panic::{self, Location};

use tokio::task::JoinError;

use crate::secrets;

/// Logs panics from here on.
pub(crate) fn install() {
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(Location::to_string).unwrap_or_default();
        tracing::error!(at, "panic: {}", message(info.payload()));
    }));
}

/// Why a task panicked or was aborted. Tokio repeats the panic's message there.
pub(crate) fn describe(error: &JoinError) -> String {
    secrets::redact(&error.to_string())
}

/// The message of a panic, without secrets.
fn message(payload: &(dyn Any + Send)) -> String {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    secrets::redact(message.unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::token::Token;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_panicked_task_is_described_without_the_token() {
        let token = Token::new("spawned-token");
        let panicked = tokio::spawn(async move { panic!("cannot send {}", token.reveal()) }).await;
        let described = describe(&panicked.unwrap_err());
        assert!(described.contains("cannot send …"), "{described}");
    }

    #[test]
    fn a_panic_is_logged_without_the_token() {
        let (token, log) = (Token::new("panicking-token"), Log::default());
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        install();
        let panicked = std::thread::spawn(move || {
            tracing::subscriber::with_default(subscriber, || panic!("cannot send {}", token.reveal()));
        })
        .join();
        drop(panic::take_hook());
        assert!(panicked.is_err());
        let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(
            logged.contains("cannot send …") && logged.contains("panics.rs"),
            "{logged}"
        );
        assert!(!logged.contains("panicking-token"), "{logged}");
    }
}
