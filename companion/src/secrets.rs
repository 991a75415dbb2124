//! The secrets of this process: what it was given, and what it has sent as a credential. No text for people holds one.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Secrets that are sent to others and change: the oldest are forgotten.
const SENT_MAX: usize = 64;
/// Shorter texts are no secrets, and would be found everywhere.
const CHARS_MIN: usize = 8;
/// Hexadecimal digits of a signature, or of a digest that one is made from.
const SIGNATURE_DIGITS: usize = 64;

static KNOWN: Mutex<Known> = Mutex::new(Known {
    given: vec![],
    sent: VecDeque::new(),
});

struct Known {
    given: Vec<String>,
    sent: VecDeque<String>,
}

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a secret that this process was given or has made. A process has one or two.
pub(crate) fn given(secret: &str) {
    known().given(secret);
}

/// Notes what is sent as a credential.
pub(crate) fn sent(secret: &str) {
    known().sent(secret);
}

/// A text without secrets and without signatures.
pub(crate) fn redact(text: &str) -> String {
    known().redact(text)
}

impl Known {
    fn given(&mut self, secret: &str) {
        if !secret.is_empty() && !self.given.iter().any(|given| given == secret) {
            self.given.push(secret.to_owned());
        }
    }

    /// What is sent again is the newest again: a session token outlives the signatures of many requests.
    fn sent(&mut self, secret: &str) {
        if secret.len() < CHARS_MIN {
            return;
        }
        let held = self.sent.iter().position(|sent| sent == secret);
        let held = held.and_then(|at| self.sent.remove(at));
        if self.sent.len() >= SENT_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back(held.unwrap_or_else(|| secret.to_owned()));
    }

    fn redact(&self, text: &str) -> String {
        let secrets = self.given.iter().chain(&self.sent);
        let without = secrets.fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret.as_str()) {
                Cow::Owned(text.replace(secret.as_str(), "…"))
            } else {
                text
            }
        });
        without_signatures(&without)
    }
}

/// A text in which every run of as many hexadecimal digits as a signature has is replaced.
fn without_signatures(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(if digits.len() >= SIGNATURE_DIGITS {
            "…"
        } else {
            digits
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A log whose lines hold no secrets: each is written as a whole.
pub(crate) struct Redacted<W>(pub(crate) W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let redacted = redact(&String::from_utf8_lossy(line));
        self.0.write_all(redacted.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_or_sent_is_in_no_text() {
        given("5ecret-5ecret");
        sent("IQoJ/session+token==");
        sent("short");
        for (text, want) in [
            ("Bearer 5ecret-5ecret!", "Bearer …!"),
            (
                "x-amz-security-token:IQoJ/session+token==\nhost",
                "x-amz-security-token:…\nhost",
            ),
            ("a short text", "a short text"),
            (
                "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, ä",
                "Signature=…, ä",
            ),
            ("e3b0c44298fc1c14, run-0af", "e3b0c44298fc1c14, run-0af"),
            ("", ""),
        ] {
            assert_eq!(redact(text), want);
        }
        let mut log = vec![];
        Redacted(&mut log)
            .write_all(b"WARN sent 5ecret-5ecret\n")
            .unwrap();
        assert_eq!(String::from_utf8(log).unwrap(), "WARN sent …\n");
    }

    #[test]
    fn the_secrets_in_use_stay_known_and_old_ones_are_forgotten() {
        let mut known = Known {
            given: vec![],
            sent: VecDeque::new(),
        };
        for at in 0..1000 {
            let signed = format!("AWS4-HMAC-SHA256 request {at:04}");
            for secret in ["IQoJ/session+token==", &signed, "AKIAIOSFODNN7EXAMPLE"] {
                known.sent(secret);
            }
            for secret in ["IQoJ/session+token==", &signed, "AKIAIOSFODNN7EXAMPLE"] {
                assert_eq!(known.redact(secret), "…", "{at}");
            }
            assert!(known.sent.len() <= SENT_MAX);
        }
        let old = "AWS4-HMAC-SHA256 request 0000";
        assert_eq!(known.redact(old), old);
    }
}
