//! One expression, `{% … %}`: read once, evaluated for each event.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{io, thread};

use super::ast::Program;
use super::error::{Failure, Invalid};
use super::json::{self, Style};
use super::meter::{Limits, Meter};
use super::value::{Value, Written};
use super::{eval, parse};
use crate::clock::{Dice, Millis};

/// What an expression may be long, delimiters included.
const LETTERS_MAX: usize = 8192;

/// What parsing and evaluating recurse on: as much as both can need. Memory is used only as far as they get.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Regular expressions in an expression, or in a whole template.
pub(super) const PATTERNS_MAX: usize = 100;

const OPEN: &str = "{%";
const CLOSE: &str = "%}";

/// An expression that can be evaluated.
#[derive(Debug)]
pub(crate) struct Expression(Program);

/// What an evaluation takes from outside: a time that stands still, randomness from a seed, bounds.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) now: Millis,
    pub(crate) dice: Dice,
    pub(crate) limits: Limits,
    /// The work of all evaluations with this setting, counted as they end.
    pub(crate) spent: Arc<AtomicU64>,
}

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    text: String,
    is_text: bool,
}

impl Output {
    /// What is sent: text without quotes, everything else as JSON.
    pub(crate) fn payload(self) -> String {
        self.text
    }

    /// Whether it is text, and not JSON.
    pub(crate) fn is_text(&self) -> bool {
        self.is_text
    }

    /// The same as JSON.
    pub(super) fn json(self) -> serde_json::Value {
        if self.is_text {
            return serde_json::Value::String(self.text);
        }
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Expression {
    /// Reads `{% … %}`, of 8,192 letters at most.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let mut patterns_left = PATTERNS_MAX;
        Self::parse_within(text, LETTERS_MAX, &mut patterns_left)
    }

    pub(super) fn parse_within(
        text: &str,
        letters_max: usize,
        patterns_left: &mut usize,
    ) -> Result<Self, Invalid> {
        let letters = text.chars().count();
        if letters > letters_max {
            let what = format!("the expression has {letters} letters, and may have {letters_max}");
            return Err(Invalid::new(what, letters_max + 1));
        }
        let Some(inner) = text.strip_prefix(OPEN) else {
            return Err(Invalid::new("an expression has to begin with `{%`", 1));
        };
        let Some(inner) = inner.strip_suffix(CLOSE) else {
            return Err(Invalid::new("an expression has to end with `%}`", letters.max(1)));
        };
        let parsed = on_own_stack(|| parse::parse(inner, patterns_left));
        let parsed = parsed.unwrap_or_else(|broken| Err(Invalid::new(broken, 1)));
        let moved = |invalid: Invalid| Invalid::new(invalid.what, invalid.at + OPEN.len());
        parsed.map(Self).map_err(moved)
    }

    /// The result with `$events` bound to this JSON text. Null and what is undefined are failures.
    pub(crate) fn evaluate(&self, events: &str, setting: &Setting) -> Result<Output, Failure> {
        self.on_own_stack(events, setting, output)
    }

    /// The result as JSON, null where there is none.
    pub(super) fn json(&self, events: &str, setting: &Setting) -> Result<serde_json::Value, Failure> {
        self.on_own_stack(events, setting, |meter, value| match value {
            Value::Undefined | Value::Null => Ok(serde_json::Value::Null),
            value => output(meter, value).map(Output::json),
        })
    }

    fn on_own_stack<T: Send>(
        &self,
        events: &str,
        setting: &Setting,
        make: fn(&std::rc::Rc<Meter>, &Value) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let run = || {
            let meter = Meter::new(setting.limits);
            let result = json::read(&meter, events)
                .and_then(|events| eval::run(&self.0, &meter, events, setting.now, setting.dice.clone()))
                .and_then(|value| make(&meter, &value));
            setting.spent.fetch_add(meter.spent(), Ordering::Relaxed);
            result
        };
        let result = on_own_stack(run).unwrap_or_else(|broken| Err(Failure::Broken(broken)));
        result.map_err(|failure| failure.moved(OPEN.len()))
    }
}

fn output(meter: &std::rc::Rc<Meter>, value: &Value) -> Result<Output, Failure> {
    let mut text = Written::new(meter)?;
    let is_text = match value {
        Value::Undefined | Value::Tuples(_) => return Err(Failure::Nothing("undefined")),
        Value::Null => return Err(Failure::Nothing("null")),
        Value::Function(_) => return Err(Failure::Nothing("a function")),
        Value::Number(number) if !number.is_finite() => return Err(Failure::Nothing("no finite number")),
        Value::Text(value) => {
            text.push(value)?;
            true
        }
        value => {
            json::write(meter, value, Style::Output, &mut text)?;
            false
        }
    };
    if text.len() > meter.limits.output_bytes_max {
        return Err(Failure::Output);
    }
    let text = text.into_text();
    Ok(Output { text, is_text })
}

thread_local! {
    /// Whether this thread has a stack that is large enough.
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Starts a thread on which evaluations need none of their own.
pub(crate) fn start(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let run = || {
        IS_DEEP.set(true);
        run();
    };
    thread::Builder::new()
        .name("jsonata".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(run)
        .map(drop)
}

/// Runs what may recurse, on a stack that is large enough; a panic there ends there.
fn on_own_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, String> {
    let panicked = |_| "an error of its own ended the evaluation".to_owned();
    if IS_DEEP.get() {
        return catch_unwind(AssertUnwindSafe(run)).map_err(panicked);
    }
    thread::scope(|scope| {
        thread::Builder::new()
            .name("jsonata".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, run)
            .map_err(|error| format!("no thread could be started: {error}"))?
            .join()
            .map_err(panicked)
    })
}
