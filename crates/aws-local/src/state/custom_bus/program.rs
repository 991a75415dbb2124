//! The expressions of a subscriber: of its transformer, and in the parameters of its target.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::jsonata::{Expression, Template};

/// The texts are what is stored. What they are compiled to is shared by all copies; texts that this version refuses, though an
/// earlier one took them, fail each delivery.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Program {
    stored: Stored,
    transformer: Arc<OnceLock<Option<Compiled<Expression>>>>,
    parameters: Arc<OnceLock<Option<Compiled<Template>>>>,
}

type Compiled<T> = Result<T, String>;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Stored {
    /// Of a transformer of the type JSONATA.
    transformer: Option<String>,
    /// The parameters of the target: its one block, or the input of a universal target.
    parameters: Option<Value>,
}

impl From<Stored> for Program {
    fn from(stored: Stored) -> Self {
        Self {
            stored,
            ..Self::default()
        }
    }
}

impl From<Program> for Stored {
    fn from(program: Program) -> Self {
        program.stored
    }
}

impl Program {
    /// The expressions of a transformer and of a target's parameters, compiled when they are first needed.
    pub(crate) fn new(transformer: Option<&Value>, invoke: &Value) -> Self {
        let expression = transformer.and_then(|given| given.pointer("/JsonataConfiguration/Expression"));
        Stored {
            transformer: expression.and_then(Value::as_str).map(str::to_owned),
            parameters: parameters(invoke),
        }
        .into()
    }

    /// What is wrong with them, if anything is: which member, and what.
    pub(crate) fn problem(&self) -> Option<String> {
        let of = |what: &str, why: &String| format!("{what}: {why}");
        if let Some(Err(why)) = self.transformer() {
            return Some(of("Transformer.JsonataConfiguration.Expression", why));
        }
        match self.parameters() {
            Some(Err(why)) => Some(of("InvokeConfiguration", why)),
            _ => None,
        }
    }

    pub(crate) fn transformer(&self) -> Option<&Compiled<Expression>> {
        let compile = || {
            let text = self.stored.transformer.as_deref()?;
            Some(Expression::parse(text).map_err(|why| why.to_string()))
        };
        self.transformer.get_or_init(compile).as_ref()
    }

    pub(crate) fn parameters(&self) -> Option<&Compiled<Template>> {
        let compile = || {
            let parameters = self.stored.parameters.as_ref()?;
            Some(Template::parse(parameters).map_err(|why| why.to_string()))
        };
        self.parameters.get_or_init(compile).as_ref()
    }

    /// Whether the parameters of the target have expressions.
    pub(crate) fn has_parameter_expressions(&self) -> bool {
        let compiled = self.parameters().and_then(|compiled| compiled.as_ref().ok());
        compiled.is_some_and(Template::has_expressions)
    }

    /// Whether there is anything to evaluate.
    pub(crate) fn has_expressions(&self) -> bool {
        self.stored.transformer.is_some() || self.has_parameter_expressions()
    }
}

/// The block of a target, or the input of a universal one, which is JSON in a text.
fn parameters(invoke: &Value) -> Option<Value> {
    let input = invoke
        .pointer("/UniversalTargetParameters/Input")
        .and_then(Value::as_str);
    if let Some(input) = input {
        // What is no JSON is one expression, or a text.
        return Some(serde_json::from_str(input).unwrap_or_else(|_| Value::from(input)));
    }
    let block = |(name, block): (&String, &Value)| {
        let is_one = name.ends_with("Parameters") && !block.is_null();
        is_one.then(|| block.clone())
    };
    invoke.as_object()?.iter().find_map(block)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problems_name_the_member() {
        let jsonata =
            |text: &str| json!({ "Type": "JSONATA", "JsonataConfiguration": { "Expression": text } });
        let queue = |group: &str| json!({ "SqsParameters": { "MessageGroupId": group } });
        let check = |transformer: Option<Value>, invoke: Value, expected: Option<&str>| {
            let problem = Program::new(transformer.as_ref(), &invoke).problem();
            let begins = problem
                .as_ref()
                .zip(expected)
                .is_none_or(|(found, expected)| found.starts_with(expected));
            assert!(
                problem.is_some() == expected.is_some() && begins,
                "{invoke} {problem:?}"
            );
        };
        check(None, queue("g"), None);
        check(Some(json!({ "Type": "RAW" })), json!({}), None);
        check(
            Some(jsonata("{% $events.Data %}")),
            queue("{% $events.Data.detail.x %}"),
            None,
        );
        check(
            Some(jsonata("{% ( %}")),
            json!({}),
            Some("Transformer.JsonataConfiguration.Expression: "),
        );
        check(
            None,
            queue("{% ( %}"),
            Some("InvokeConfiguration: `MessageGroupId`: "),
        );
        let input = json!({ "UniversalTargetParameters": { "Input": r#"{"A":["{% ( %}"]}"# } });
        check(None, input, Some("InvokeConfiguration: `A[0]`: "));
    }
}
