//! What takes longer than a second says so on stderr, where that is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// How long a wait is silent, and how often it then says how long it has lasted.
const TICK: Duration = Duration::from_secs(1);

/// Waits for the work, and shows what is done meanwhile.
pub(super) async fn during<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    let mut seconds = 0;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                if seconds > 0 {
                    show("\r\u{1b}[K");
                }
                return done;
            }
            _ = ticks.tick() => {
                seconds += 1;
                show(&format!("\r\u{1b}[K{what} … {seconds} s"));
            }
        }
    }
}

fn show(text: &str) {
    let mut err = std::io::stderr().lock();
    // Without a stderr there is nobody to show it to.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
