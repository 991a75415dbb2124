//! What cannot work, told before anything is made.

use serde_json::Value as Json;
use tfplugin::{Config, Diagnostic, Diagnostics, Value};

use super::{InputTransformer, LogGroup};
use crate::aws::arn;

/// Refuses combinations that no single attribute's check can judge.
pub(super) fn refuse(config: &Config<'_>, diags: &mut Diagnostics) {
    let (arn, group) = (
        config.value::<String>("arn"),
        config.value::<LogGroup>("log_group"),
    );
    if arn.is_null() && group.is_null() {
        diags.push(
            Diagnostic::error("The target has no destination")
                .detail("Set `log_group` for a CloudWatch log group, or `arn` for anything else."),
        );
    } else if !arn.is_null() && !group.is_null() {
        diags.push(
            Diagnostic::error("The target has two destinations")
                .detail("Set one of `arn` and `log_group`; `log_group` sees to the permission as well.")
                .at("arn"),
        );
    }
    refuse_inputs(config, diags);
    let to_group = !group.is_null() || arn.known().is_some_and(|arn| arn::log_group_name(&arn).is_some());
    if to_group {
        refuse_for_group(config, diags);
    }
    if !group.is_null() {
        refuse_unowned(config, diags);
    }
}

/// What AWS takes, but not as it looks.
pub(super) fn warnings(destination: &str, has_role: bool) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let service = arn::parse(destination).map_or("", |arn| arn.service);
    let kind = match service {
        "sqs" => "SQS queues",
        "sns" => "SNS topics",
        "lambda" => "Lambda functions",
        _ => "",
    };
    if has_role && !kind.is_empty() {
        warnings.push(
            Diagnostic::warning(format!(
                "EventBridge reaches {kind} by their own policy, not by a role"
            ))
            .detail(format!(
                "`role_arn` has no effect for `{destination}`: {kind} say in a resource policy that \
                     `events.amazonaws.com` may reach them. Remove `role_arn`, and see to that policy."
            ))
            .at("role_arn"),
        );
    }
    if let Some(name) = arn::log_group_name(destination) {
        warnings.push(
            Diagnostic::warning("The permission to write to the log group is not seen to")
                .detail(format!(
                    "With `arn`, the log group's resource policy is left to you; without one that lets EventBridge in, \
                     nothing arrives and no error says so. `log_group = {{ name = \"{name}\" }}` sees to it."
                ))
                .at("arn"),
        );
    }
    warnings
}

fn refuse_inputs(config: &Config<'_>, diags: &mut Diagnostics) {
    let inputs = [
        ("input", config.value::<String>("input").is_null()),
        ("input_path", config.value::<String>("input_path").is_null()),
        (
            "input_transformer",
            config.value::<InputTransformer>("input_transformer").is_null(),
        ),
    ];
    let set: Vec<&str> = inputs
        .iter()
        .filter_map(|(name, null)| (!null).then_some(*name))
        .collect();
    if set.len() > 1 {
        diags.push(
            Diagnostic::error("The target says more than one thing about its input")
                .detail(format!(
                    "`{}` are set; EventBridge takes one of them.",
                    set.join("` and `")
                ))
                .at(set[1]),
        );
    }
    if let Value::Known(input) = config.value::<String>("input")
        && serde_json::from_str::<Json>(&input).is_err()
    {
        diags.push(
            Diagnostic::error("`input` is not JSON")
                .detail("Write it with `jsonencode(…)`.")
                .at("input"),
        );
    }
}

fn refuse_for_group(config: &Config<'_>, diags: &mut Diagnostics) {
    if !config.value::<String>("role_arn").is_null() {
        diags.push(
            Diagnostic::error("A log group takes no role")
                .detail(
                    "EventBridge reaches log groups by their resource policy; with `role_arn` AWS refuses the target or \
                     delivers nothing. Remove `role_arn`.",
                )
                .at("role_arn"),
        );
    }
    if let Value::Known(template) = config.value::<String>("input_transformer.input_template")
        && !gives_log_event(&template)
    {
        diags.push(
            Diagnostic::error("The input template does not give what a log group takes")
                .detail(
                    "For a log group the template gives an object of just `timestamp` and `message`, such as \
                     `{\"timestamp\": <time>, \"message\": <text>}`, with `input_paths = { time = \"$.time\", … }`. Anything \
                     else AWS drops without an error.",
                )
                .at("input_transformer.input_template"),
        );
    }
}

fn refuse_unowned(config: &Config<'_>, diags: &mut Diagnostics) {
    let create = config.value::<bool>("log_group.create");
    if create.is_unknown() || create.known() == Some(true) {
        return;
    }
    let only = |what: &str, at: &str| {
        Diagnostic::error(format!("`{what}` without `create = true`"))
            .detail(format!(
                "A log group that this resource did not make is left as it is. Set `create = true` as well, or remove `{what}`."
            ))
            .at(at)
    };
    if !config.value::<i64>("log_group.retention_in_days").is_null() {
        diags.push(only("retention_in_days", "log_group.retention_in_days"));
    }
    if config.value::<bool>("log_group.delete_on_destroy").known() == Some(true) {
        diags.push(only("delete_on_destroy", "log_group.delete_on_destroy"));
    }
}

/// The template, with some value in each `<name>`, is an object of just `timestamp` and `message`.
fn gives_log_event(template: &str) -> bool {
    let mut filled = String::with_capacity(template.len());
    let mut letters = template.chars();
    let (mut quoted, mut escaped) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '<' if !quoted => {
                letters.by_ref().find(|letter| *letter == '>');
                filled.push('0');
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        filled.push(letter);
    }
    let value = serde_json::from_str::<Json>(&filled);
    let keys = value
        .ok()
        .and_then(|value| Some(value.as_object()?.keys().cloned().collect::<Vec<_>>()));
    keys.is_some_and(|mut keys| {
        keys.sort();
        keys == ["message", "timestamp"]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_for_log_groups() {
        for (template, want) in [
            (r#"{"timestamp": <time>, "message": <id>}"#, true),
            (r#"{ "message": "run <id> \"done\" <", "timestamp" : <t> }"#, true),
            (r#"{"timestamp": <time>}"#, false),
            (r#"{"timestamp": <time>, "message": <id>, "more": 1}"#, false),
            (r#""run <id>""#, false),
            ("<event>", false),
            (r#"{"timestamp": <time, "message": 1}"#, false),
            ("", false),
        ] {
            assert_eq!(gives_log_event(template), want, "{template}");
        }
    }

    #[test]
    fn roles_that_have_no_effect_are_warned_of() {
        for (arn, has_role, want) in [
            ("arn:aws:sqs:r:1:q", true, 1),
            ("arn:aws:sns:r:1:t", true, 1),
            ("arn:aws:lambda:r:1:function:f", true, 1),
            ("arn:aws:lambda:r:1:function:f", false, 0),
            ("arn:aws:kinesis:r:1:stream/s", true, 0),
            ("arn:aws:logs:r:1:log-group:g", false, 1),
        ] {
            assert_eq!(warnings(arn, has_role).len(), want, "{arn}");
        }
    }
}
