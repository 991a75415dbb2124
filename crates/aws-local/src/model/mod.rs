//! Checks a request against AWS's own service model: members, lengths, ranges, patterns, enums.
//!
//! The tables in `model/` are generated from the models that AWS publishes (`model/generate.py`), so that limits are
//! AWS's own.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

mod check;
mod form;
#[cfg(any(test, fuzzing))]
pub(crate) mod random;

pub(crate) use check::Problems;
pub(crate) use form::Form;

/// The services that are implemented here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    Events,
    Logs,
    Sqs,
    Sts,
    Sns,
    Iam,
    EventsV2,
}

impl Service {
    pub(crate) const ALL: [Self; 7] = [
        Self::Events,
        Self::Logs,
        Self::Sqs,
        Self::Sts,
        Self::Sns,
        Self::Iam,
        Self::EventsV2,
    ];

    /// The part of `X-Amz-Target` before the dot, or the service in the path of a protocol that has none.
    pub(crate) fn target_prefix(self) -> &'static str {
        match self {
            Self::Events => "AWSEvents",
            Self::Logs => "Logs_20140328",
            Self::Sqs => "AmazonSQS",
            Self::Sts => "AWSSecurityTokenServiceV20110615",
            Self::Sns => "AmazonSNS",
            Self::Iam => "AWSIdentityManagementV20100508",
            Self::EventsV2 => "AWSEventsV2",
        }
    }

    /// Its prefix in the names of its calls: that of IAM's actions, but for custom event buses, whose actions are `events:…` too
    /// and which have their command's name.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Logs => "logs",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
            Self::Sns => "sns",
            Self::Iam => "iam",
            Self::EventsV2 => "eventsv2",
        }
    }

    /// Its table.
    pub(crate) fn model(self) -> &'static Model {
        static MODELS: OnceLock<[Model; 7]> = OnceLock::new();
        let models = MODELS.get_or_init(|| {
            [
                Model::read(include_str!("../../model/events.json")),
                Model::read(include_str!("../../model/logs.json")),
                Model::read(include_str!("../../model/sqs.json")),
                Model::read(include_str!("../../model/sts.json")),
                Model::read(include_str!("../../model/sns.json")),
                Model::read(include_str!("../../model/iam.json")),
                Model {
                    strict: true,
                    ..Model::read(include_str!("../../model/eventsv2.json"))
                },
            ]
        });
        &models[self as usize]
    }

    /// The input of an operation, if the model has a shape for it.
    pub(crate) fn input(self, operation: &str) -> Option<Input> {
        let model = self.model();
        model.input(operation).map(|shape| Input { model, shape })
    }

    /// The output of an operation, where the table has outputs.
    pub(crate) fn output(self, operation: &str) -> Option<Output> {
        let model = self.model();
        let shape = model.shape(model.outputs.get(operation)?)?;
        Some(Output { model, shape })
    }
}

/// A part of an operation's output in AWS's model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    model: &'static Model,
    shape: &'static Shape,
}

/// What a protocol writes another way than JSON does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputKind {
    Time,
    Bytes,
    Other,
}

impl Output {
    pub(crate) fn kind(self) -> OutputKind {
        match self.shape.kind {
            Kind::Timestamp => OutputKind::Time,
            Kind::Blob => OutputKind::Bytes,
            _ => OutputKind::Other,
        }
    }

    /// The member of a structure, the items of a list, the values of a map.
    pub(crate) fn below(self, name: &str) -> Option<Self> {
        let shape = self.shape;
        let below = match shape.kind {
            Kind::Structure => shape
                .members
                .iter()
                .find(|(member, _)| member == name)
                .map(|(_, of)| of),
            Kind::List => shape.of.as_ref(),
            _ => shape.value.as_ref(),
        };
        let shape = self.model.shape(below?)?;
        Some(Self { shape, ..self })
    }
}

/// An operation's input in AWS's model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    model: &'static Model,
    shape: &'static Shape,
}

impl Input {
    /// Checks a request's body: members, lengths, ranges, patterns, enums.
    pub(crate) fn check(self, body: &Value) -> Result<(), Problems> {
        check::check(self.model, self.shape, body)
    }

    /// Whether it refuses members that the model does not have.
    pub(crate) fn is_strict(self) -> bool {
        self.model.strict
    }

    /// Takes the members out of a body that the model does not have.
    pub(crate) fn leave_out_unknown(self, body: &mut Value) {
        check::leave_out_unknown(self.model, self.shape, body);
    }

    /// The same as a part that is written: tests and fuzzers write inputs.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn part(self) -> Output {
        let Self { model, shape } = self;
        Output { model, shape }
    }
}

/// One service's operations and request shapes.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    operations: BTreeMap<String, Option<String>>,
    shapes: BTreeMap<String, Shape>,
    /// What operations give, by name; only of services whose protocol needs it.
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    /// The HTTP status of each error; only of those services.
    #[serde(default)]
    errors: BTreeMap<String, u16>,
    /// Members that it does not have are refused.
    #[serde(skip)]
    strict: bool,
}

impl Model {
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|e| unreachable!("the embedded table is well-formed: {e}"))
    }

    /// Whether AWS's service has an operation of this name, built here or not.
    pub(crate) fn knows(&self, operation: &str) -> bool {
        self.operations.contains_key(operation)
    }

    /// The status that the service answers with when it refuses something with this error.
    pub(crate) fn status_of(&self, error: &str) -> Option<u16> {
        self.errors.get(error).copied()
    }

    /// How many operations AWS's service has.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.operations.len()
    }

    fn input(&self, operation: &str) -> Option<&Shape> {
        self.shape(self.operations.get(operation)?.as_deref()?)
    }

    fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }
}

/// One shape of the model and its limits.
#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    rust: Option<String>,
    /// No message shows such a value.
    #[serde(default)]
    sensitive: bool,
    /// It has exactly one of its members.
    #[serde(default)]
    union: bool,
    #[serde(default, rename = "enum")]
    allowed: Vec<String>,
    /// The allowed values are taken in lower case too.
    #[serde(default)]
    any_case: bool,
    #[serde(default, deserialize_with = "in_order")]
    members: Vec<(String, String)>,
    #[serde(default)]
    required: Vec<String>,
    of: Option<String>,
    key: Option<String>,
    value: Option<String>,
    #[serde(skip)]
    regex: OnceLock<Option<Regex>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

impl Shape {
    /// The pattern, compiled once, anchored at both ends as AWS reads it.
    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let pattern = self.rust.as_ref().or(self.pattern.as_ref())?;
            Regex::new(&format!("^(?s:{pattern})$")).ok()
        };
        self.regex.get_or_init(compile).as_ref()
    }
}

/// The pairs of an object in file order: AWS validates members in its model's order.
fn in_order<'de, D: Deserializer<'de>>(object: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("members and their shapes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    object.deserialize_map(Pairs)
}

/// A request body read as the operation's input type.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, serde_json::Error> {
    T::deserialize(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for service in Service::ALL {
            for (name, shape) in &service.model().shapes {
                let compiled = shape.regex().is_some();
                assert_eq!(
                    compiled,
                    shape.pattern.is_some(),
                    "{service:?} {name} {:?} {:?}",
                    shape.pattern,
                    shape.rust
                );
            }
        }
    }
}
