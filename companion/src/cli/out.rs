//! Output: results on stdout, messages on stderr.

use std::io::{self, Write as _};

/// Prints a line of result.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a result for people; its colours stay where they are wanted (a terminal, no `NO_COLOR`).
pub(super) fn styled(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a result of several lines as it is.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints what to do next, apart from the result.
pub(super) fn hint(text: &str) {
    complain(&format!("next: {text}"));
}

/// Prints a message for people, apart from the result.
pub(super) fn complain(text: &str) {
    // Without a stderr there is nowhere to report that.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether an error says that the reader of our output has closed it.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
