//! Rules over several attributes of a configuration. The three states of a value (known, null, unknown) are handled here
//! once. A resource, data source or provider names its own in `const RULES`.
//!
//! ```
//! use tfplugin::Attrs;
//! use tfplugin::rules::{Rules, exactly_one_of, is, requires};
//!
//! /// A rule.
//! #[derive(Attrs)]
//! struct Rule {
//!     /// Its name.
//!     #[tf(optional)]
//!     name: Option<String>,
//!     /// How its name begins.
//!     #[tf(optional)]
//!     name_prefix: Option<String>,
//!     /// Whether it logs.
//!     #[tf(optional)]
//!     log: Option<bool>,
//!     /// How many days a log is kept.
//!     #[tf(optional)]
//!     days: Option<i64>,
//! }
//!
//! const RULES: Rules<Rule> = || {
//!     vec![
//!         exactly_one_of((Rule::name(), Rule::name_prefix())),
//!         requires(Rule::days(), is(Rule::log(), true)),
//!     ]
//! };
//! # assert_eq!(RULES().len(), 2);
//! ```
//!
//! An unknown value may become null or any other: a rule that could still hold passes, and is checked again when Terraform
//! validates with the value known, at plan or apply.

use std::marker::PhantomData;

use super::config::Config;
use crate::attr::AttrType;
use crate::attr::{Attr, ValueOf};
use crate::cty::Val;
use crate::diag::Diagnostic;
use crate::path::Path;

/// The rules of a resource, data source or provider: `const RULES: Rules<Self> = || vec![..];`.
pub type Rules<R> = fn() -> Vec<Rule<R>>;

/// A condition on a configuration: true, false, or unknown.
pub struct Condition<R> {
    test: Test,
    root: PhantomData<fn() -> R>,
}

enum Test {
    Set(Path),
    Is(Path, Val),
    Any(Vec<Test>),
}

impl Test {
    /// Whether it is true; `None` while that is unknown.
    fn holds(&self, config: &Val) -> Option<bool> {
        match self {
            Self::Set(path) => {
                let value = config.at(path);
                (!value.is_unknown()).then(|| !value.is_null())
            }
            Self::Is(path, wanted) => {
                let value = config.at(path);
                (value.is_null() || value.is_wholly_known()).then(|| value == wanted)
            }
            Self::Any(all) => {
                let states: Vec<_> = all.iter().map(|one| one.holds(config)).collect();
                if states.contains(&Some(true)) {
                    Some(true)
                } else if states.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
        }
    }

    fn paths(&self) -> Vec<Path> {
        match self {
            Self::Set(path) | Self::Is(path, _) => vec![path.clone()],
            Self::Any(all) => all.iter().flat_map(Self::paths).collect(),
        }
    }

    /// The condition as a message names it.
    fn words(&self) -> String {
        match self {
            Self::Set(path) => format!("`{path}`"),
            Self::Is(path, Val::String(text)) => format!("`{path} = {text:?}`"),
            Self::Is(path, Val::Bool(value)) => format!("`{path} = {value}`"),
            Self::Is(path, Val::Number(value)) => format!("`{path} = {value}`"),
            Self::Is(path, _) => format!("the right value of `{path}`"),
            Self::Any(all) => list(all.iter().map(Self::words), "or"),
        }
    }
}

impl<R> Condition<R> {
    fn new(test: Test) -> Self {
        Self {
            test,
            root: PhantomData,
        }
    }
}

/// An attribute as a condition: it is set.
impl<R, T: AttrType> From<Attr<R, T>> for Condition<R> {
    fn from(attr: Attr<R, T>) -> Self {
        Self::new(Test::Set(attr.into()))
    }
}

/// The configuration sets the attribute to this value. One that it does not set has no value here, whatever its default.
pub fn is<R, T: AttrType>(attr: Attr<R, T>, value: impl ValueOf<T>) -> Condition<R> {
    Condition::new(Test::Is(attr.into(), value.val()))
}

/// At least one of these is true.
pub fn any_of<R>(conditions: impl Conditions<R>) -> Condition<R> {
    Condition::new(Test::Any(tests(conditions)))
}

/// Two to six conditions, or attributes, of one object: a tuple of them.
pub trait Conditions<R> {
    #[doc(hidden)]
    fn list(self) -> Vec<Condition<R>>;
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<R, $($name: Into<Condition<R>>),*> Conditions<R> for ($($name,)*) {
            #[expect(non_snake_case, reason = "a type parameter names its value")]
            fn list(self) -> Vec<Condition<R>> {
                let ($($name,)*) = self;
                vec![$($name.into()),*]
            }
        }
    )*};
}

tuples!((A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

fn tests<R>(conditions: impl Conditions<R>) -> Vec<Test> {
    conditions.list().into_iter().map(|one| one.test).collect()
}

/// A rule over several attributes of `R`.
pub struct Rule<R> {
    kind: Kind,
    message: fn(&Broken) -> Diagnostic,
    unless: Option<fn(&Config<'_, R>) -> bool>,
    then: Option<Box<Rule<R>>>,
}

enum Kind {
    ExactlyOne(Vec<Test>),
    AtMostOne(Vec<Test>),
    Requires(Test, Test),
}

/// How a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    set: Vec<Path>,
    missing: Vec<Path>,
    words: String,
}

impl Broken {
    /// The attributes that are set and exclude each other, or that need another.
    pub fn set(&self) -> &[Path] {
        &self.set
    }

    /// The attributes of which one is needed.
    pub fn missing(&self) -> &[Path] {
        &self.missing
    }
}

/// Exactly one of these is true.
pub fn exactly_one_of<R>(conditions: impl Conditions<R>) -> Rule<R> {
    Rule::new(Kind::ExactlyOne(tests(conditions)))
}

/// At most one of these is true.
pub fn at_most_one_of<R>(conditions: impl Conditions<R>) -> Rule<R> {
    Rule::new(Kind::AtMostOne(tests(conditions)))
}

/// If the first is true, so is the second.
pub fn requires<R>(one: impl Into<Condition<R>>, other: impl Into<Condition<R>>) -> Rule<R> {
    Rule::new(Kind::Requires(one.into().test, other.into().test))
}

impl<R> Rule<R> {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            message: Broken::diagnostic,
            unless: None,
            then: None,
        }
    }

    /// Another message than the general one.
    pub fn message(mut self, message: fn(&Broken) -> Diagnostic) -> Self {
        self.message = message;
        self
    }

    /// An exception: a configuration that the rule refuses and that is valid.
    pub fn unless(mut self, exception: fn(&Config<'_, R>) -> bool) -> Self {
        self.unless = Some(exception);
        self
    }

    /// A rule that is checked only where this one holds.
    pub fn then(mut self, next: Rule<R>) -> Self {
        self.then = Some(match self.then.take() {
            Some(then) => Box::new(then.then(next)),
            None => Box::new(next),
        });
        self
    }

    /// The alternatives that a configuration sets though one is the most, each the attributes that it consists of.
    pub(crate) fn excluding(&self, config: &Val) -> Vec<Vec<Vec<Path>>> {
        let own = match &self.kind {
            Kind::ExactlyOne(tests) | Kind::AtMostOne(tests) => {
                let met = tests.iter().filter(|one| one.holds(config) == Some(true));
                met.map(|one| set_paths(one, config)).collect()
            }
            Kind::Requires(..) => Vec::new(),
        };
        let next = self.then.iter().flat_map(|then| then.excluding(config));
        std::iter::once(own)
            .filter(|all: &Vec<_>| all.len() > 1)
            .chain(next)
            .collect()
    }

    /// What is wrong with a configuration, if anything.
    pub(crate) fn judge(&self, config: &Val) -> Option<Diagnostic> {
        let broken = self
            .kind
            .judge(config)
            .filter(|_| !self.unless.is_some_and(|except| except(&Config::new(config))));
        match broken {
            Some(broken) => Some((self.message)(&broken)),
            None => self.then.as_ref().and_then(|then| then.judge(config)),
        }
    }
}

impl Kind {
    fn judge(&self, config: &Val) -> Option<Broken> {
        match self {
            Self::ExactlyOne(tests) => several(tests, config).or_else(|| none(tests, config)),
            Self::AtMostOne(tests) => several(tests, config),
            Self::Requires(one, other) => {
                let broken = one.holds(config) == Some(true) && other.holds(config) == Some(false);
                broken.then(|| Broken {
                    set: one.paths(),
                    missing: other.paths(),
                    words: other.words(),
                })
            }
        }
    }
}

/// More than one is true.
fn several(tests: &[Test], config: &Val) -> Option<Broken> {
    let met: Vec<&Test> = tests
        .iter()
        .filter(|one| one.holds(config) == Some(true))
        .collect();
    (met.len() > 1).then(|| Broken {
        set: met.iter().flat_map(|one| set_paths(one, config)).collect(),
        missing: Vec::new(),
        words: list(met.iter().map(|one| one.words()), "and"),
    })
}

/// All are false.
fn none(tests: &[Test], config: &Val) -> Option<Broken> {
    tests
        .iter()
        .all(|one| one.holds(config) == Some(false))
        .then(|| Broken {
            set: Vec::new(),
            missing: tests.iter().flat_map(Test::paths).collect(),
            words: list(tests.iter().map(Test::words), "or"),
        })
}

/// The attributes that make a condition true.
fn set_paths(test: &Test, config: &Val) -> Vec<Path> {
    match test {
        Test::Any(all) => all.iter().flat_map(|one| set_paths(one, config)).collect(),
        one if one.holds(config) == Some(true) => one.paths(),
        _ => Vec::new(),
    }
}

impl Broken {
    /// The general message.
    fn diagnostic(&self) -> Diagnostic {
        let words = &self.words;
        match (self.set.as_slice(), self.missing.first()) {
            ([], first) => Diagnostic::error("An attribute is missing")
                .detail(format!("Set {words}."))
                .at(first.cloned().unwrap_or_default()),
            ([one, ..], Some(_)) => Diagnostic::error(format!("`{one}` needs another attribute"))
                .detail(format!("`{one}` has a meaning only with {words}."))
                .at(one),
            ([.., last], None) => Diagnostic::error("Attributes exclude each other")
                .detail(format!("{words} are set; set one of them."))
                .at(last),
        }
    }
}

/// Words as a sentence lists them: `a`, `b` or `c`.
fn list(words: impl Iterator<Item = String>, last: &str) -> String {
    let mut all: Vec<String> = words.collect();
    match all.pop() {
        Some(end) if !all.is_empty() => format!("{} {last} {end}", all.join(", ")),
        only => only.unwrap_or_default(),
    }
}
