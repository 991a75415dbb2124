//! Fault injection: calls that go wrong on request, so that clients can be tested against them.
//!
//! A fault is asked for as JSON (`request.rs` has its members). It applies to calls that are named by their operation, and is
//! no part of any state: it is gone with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Dice;
use crate::policy::glob;

mod operation;
mod request;
mod spoil;

pub use request::Refused;
pub use spoil::{Cut, deliver};

/// The most faults at a time.
const FAULTS_MAX: usize = 100;

/// The faults that were asked for.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Listed>);

#[derive(Debug, Default)]
struct Listed {
    faults: Vec<Counted>,
    added: u64,
}

/// A fault, and the calls it has met.
#[derive(Debug, Serialize)]
struct Counted {
    id: u64,
    #[serde(flatten)]
    fault: Fault,
    /// The calls it is for.
    seen: u64,
    /// Those among them that went wrong by it.
    hit: u64,
}

/// One fault.
#[derive(Debug, Clone, Serialize)]
struct Fault {
    /// Which calls: `*` stands for any text.
    operation: String,
    #[serde(flatten)]
    effect: Effect,
    share: f64,
    seed: u64,
    skip: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    delay_ms: u64,
    carried_out: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Effect {
    Error(HttpError),
    Cut,
    Slow,
    Oversized {
        size_bytes: u64,
    },
    Truncated {
        #[serde(skip_serializing_if = "Option::is_none")]
        size_bytes: Option<u64>,
    },
    Empty,
    WrongJson {
        body: String,
    },
}

/// An error to answer with, in the server's own form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpError {
    /// The HTTP status.
    pub status: u16,
    /// The error's code; the server's own one for failures when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The message.
    pub message: String,
}

/// What happens to one call.
#[derive(Debug)]
pub struct Hit {
    effect: Effect,
    delay: Duration,
    carried_out: bool,
}

impl Faults {
    /// Adds the fault that a request's body describes; gives the list. `operations` are those that the server has.
    pub fn add<S: AsRef<str>>(&self, body: &[u8], operations: &[S]) -> Result<Value, Refused> {
        let fault = request::read(body)?;
        operation::check(&fault.operation, operations)?;
        let mut listed = self.lock();
        if listed.faults.len() >= FAULTS_MAX {
            return Err(Refused(format!(
                "There are {FAULTS_MAX} faults already: DELETE removes them."
            )));
        }
        listed.added += 1;
        let id = listed.added;
        listed.faults.push(Counted {
            id,
            fault,
            seen: 0,
            hit: 0,
        });
        Ok(view(&listed))
    }

    /// The faults and how many calls they have met.
    pub fn list(&self) -> Value {
        view(&self.lock())
    }

    /// Removes all of them; gives the list.
    pub fn clear(&self) -> Value {
        let mut listed = self.lock();
        listed.faults.clear();
        view(&listed)
    }

    /// What happens to the next call of an operation: the first fault that hits it, if any does.
    pub fn meet(&self, operation: &str) -> Option<Hit> {
        let mut listed = self.lock();
        let mut first = None;
        for one in &mut listed.faults {
            if one.is_next_hit(operation) && first.is_none() {
                one.hit += 1;
                first = Some(one.fault.hit());
            }
        }
        first
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn view(listed: &Listed) -> Value {
    json!({ "faults": listed.faults })
}

impl Counted {
    /// Counts a call if it is one of the fault's, and says whether the fault hits it.
    fn is_next_hit(&mut self, operation: &str) -> bool {
        if !glob(&self.fault.operation, operation) {
            return false;
        }
        self.seen += 1;
        let is_open = self.fault.times.is_none_or(|times| self.hit < times);
        is_open && self.seen > self.fault.skip && self.fault.is_drawn(self.seen)
    }
}

impl Fault {
    /// Whether the call of that number is in the share: the same for each run with the same seed.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are kept, and a double has as many"
    )]
    fn is_drawn(&self, call: u64) -> bool {
        let mut dice = Dice::new(self.seed ^ call.wrapping_mul(0xA24B_AED4_963E_E407));
        let drawn = (dice.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < self.share
    }

    fn hit(&self) -> Hit {
        Hit {
            effect: self.effect.clone(),
            delay: Duration::from_millis(self.delay_ms),
            carried_out: self.carried_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calls, of ten of an operation, that a fault hits.
    fn hits(fault: &str, operation: &str) -> Vec<usize> {
        let faults = Faults::default();
        faults.add(fault.as_bytes(), &["*"]).unwrap();
        (1..=10).filter(|_| faults.meet(operation).is_some()).collect()
    }

    #[test]
    fn a_fault_hits_the_calls_that_it_says() {
        let all: Vec<usize> = (1..=10).collect();
        for (fault, expected) in [
            (r#"{"kind":"cut"}"#, &all[..]),
            (r#"{"kind":"cut","operation":"events:PutRule"}"#, &all),
            (r#"{"kind":"cut","operation":"events:Put*"}"#, &all),
            (r#"{"kind":"cut","operation":"*:PutRule"}"#, &all),
            (r#"{"kind":"cut","operation":"logs:*"}"#, &[]),
            (r#"{"kind":"cut","operation":"PutRule"}"#, &[]),
            (r#"{"kind":"cut","skip":7}"#, &[8, 9, 10]),
            (r#"{"kind":"cut","times":2}"#, &[1, 2]),
            (r#"{"kind":"cut","skip":1,"times":1}"#, &[2]),
        ] {
            assert_eq!(hits(fault, "events:PutRule"), expected, "{fault}");
        }
    }

    #[test]
    fn a_share_is_the_same_calls_for_the_same_seed() {
        let of = |seed: u64| hits(&format!(r#"{{"kind":"cut","share":0.5,"seed":{seed}}}"#), "o");
        assert_eq!(of(7), of(7));
        assert!((0..8).any(|seed| of(seed) != of(8)));
        let faults = Faults::default();
        let fault = br#"{"kind":"cut","share":0.25,"seed":3}"#;
        faults.add(fault, &["*"]).unwrap();
        let hit = (0..10_000).filter(|_| faults.meet("o").is_some()).count();
        assert!((2_300..2_700).contains(&hit), "{hit} of 10,000");
    }

    #[test]
    fn the_first_fault_that_hits_applies_and_all_count() {
        let faults = Faults::default();
        for fault in [
            r#"{"kind":"error","times":1,"code":"ThrottlingException","status":400}"#,
            r#"{"kind":"empty","operation":"o"}"#,
        ] {
            faults.add(fault.as_bytes(), &["*"]).unwrap();
        }
        let first = faults.meet("o").unwrap();
        let code = first.error().and_then(|error| error.code.as_deref());
        assert_eq!(code, Some("ThrottlingException"));
        assert_eq!(faults.meet("o").unwrap().effect, Effect::Empty);
        assert!(faults.meet("p").is_none());
        let expected = json!({ "faults": [
            {
                "id": 1, "operation": "*", "kind": "error", "status": 400, "code": "ThrottlingException",
                "message": "This fault was asked for.", "share": 1.0, "seed": 0, "skip": 0, "times": 1, "delay_ms": 0,
                "carried_out": false, "seen": 3, "hit": 1,
            },
            {
                "id": 2, "operation": "o", "kind": "empty", "share": 1.0, "seed": 0, "skip": 0, "delay_ms": 0,
                "carried_out": true, "seen": 2, "hit": 1,
            },
        ] });
        assert_eq!(faults.list(), expected);
        assert_eq!(faults.clear(), json!({ "faults": [] }));
        assert!(faults.meet("o").is_none());
    }
}
