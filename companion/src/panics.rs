//! What a panic writes: a line of the log, with the token struck out of it.
//!
//! Rust's own hook writes the raw text to stderr, whatever somebody formatted into it.

use std::any::Any;
use std::panic::{self, Location};

use tokio::task::JoinError;

use crate::token;

/// From here on panics are told through the log.
pub(crate) fn install() {
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(Location::to_string).unwrap_or_default();
        tracing::error!(at, "the program broke: {}", text(info.payload()));
    }));
}

/// Why a task did not come to its end. Tokio repeats the panic's text there.
pub(crate) fn told(error: &JoinError) -> String {
    token::strike(&error.to_string())
}

/// What a panic says, without secrets.
fn text(payload: &(dyn Any + Send)) -> String {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    token::strike(said.unwrap_or("no reason given"))
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
    async fn a_broken_task_is_told_of_without_the_token() {
        let token = Token::new("spawned-token");
        let broke = tokio::spawn(async move { panic!("cannot send {}", token.reveal()) }).await;
        let said = told(&broke.unwrap_err());
        assert!(said.contains("cannot send …"), "{said}");
    }

    #[test]
    fn a_panic_is_told_without_the_token() {
        let (token, log) = (Token::new("panicking-token"), Log::default());
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        install();
        let broke = std::thread::spawn(move || {
            tracing::subscriber::with_default(subscriber, || panic!("cannot send {}", token.reveal()));
        })
        .join();
        drop(panic::take_hook());
        assert!(broke.is_err());
        let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(
            told.contains("cannot send …") && told.contains("panics.rs"),
            "{told}"
        );
        assert!(!told.contains("panicking-token"), "{told}");
    }
}
