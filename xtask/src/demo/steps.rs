//! Runs the tool and describes each resource it completes in the words of Scalr's documentation.

use anyhow::{Result, bail};

use super::companion::Companion;
use super::{Session, must};
use crate::shell;

/// What a resource's completion means on the page, by the start of its address.
const PAGE: [(&str, &str); 7] = [
    (
        "scalr_eventbridge_connection.",
        "connection created, its event source is pending",
    ),
    (
        "scalr_eventbridge_bus.",
        "event source associated with an event bus",
    ),
    ("scalr_eventbridge_rule.", "rule created, pattern tested"),
    ("scalr_eventbridge_target.", "log group made the rule's target"),
    (
        "scalr_eventbridge_activation.",
        "status refreshed: the connection is active",
    ),
    ("scalr_audit_log_setting.", "connection selected for audit logs"),
    (
        "scalr_eventbridge_delivery_check.",
        "a run's event has arrived in its log group",
    ),
];

/// Applies, and describes each resource as it completes.
pub(super) fn apply(session: &Session, companion: &Companion) -> Result<()> {
    companion.print_environment(session);
    let (good, text) = run_and_report(
        session,
        companion,
        &["apply", "-auto-approve", "-input=false", "-no-color"],
    )?;
    must(good, "apply", &text)
}

/// Destroys, and describes each resource as it completes.
pub(super) fn destroy(session: &Session, companion: &Companion) -> Result<()> {
    let (good, text) = run_and_report(
        session,
        companion,
        &["destroy", "-auto-approve", "-input=false", "-no-color"],
    )?;
    must(good, "destroy", &text)
}

/// Plans; nothing may be left to do.
pub(super) fn plan(session: &Session, companion: &Companion) -> Result<()> {
    let args = ["plan", "-detailed-exitcode", "-input=false", "-no-color"];
    let mut text = String::new();
    let good = shell::follow(session.command(companion, &args), |line| {
        text.extend([line, "\n"]);
    })?;
    if !good {
        bail!("the plan is not empty:\n{text}");
    }
    println!("  No changes.");
    Ok(())
}

fn run_and_report(session: &Session, companion: &Companion, args: &[&str]) -> Result<(bool, String)> {
    let mut text = String::new();
    let good = shell::follow(session.command(companion, args), |line| {
        if let Some(words) = describe(line) {
            println!("  {words}");
        }
        text.extend([line, "\n"]);
    })?;
    Ok((good, text))
}

/// What a line of the tool's output means in the words of that page; none for most lines.
fn describe(line: &str) -> Option<String> {
    if line.starts_with("Apply complete") || line.starts_with("Destroy complete") {
        return Some(line.to_owned());
    }
    let (address, event) = line.split_once(": ")?;
    let (_, meaning) = PAGE.into_iter().find(|(start, _)| address.starts_with(start))?;
    let (verb, rest) = event.split_once(" complete after ")?;
    let time = rest.split(' ').next().unwrap_or_default();
    match verb {
        "Creation" => Some(format!("{meaning} ({address}, {time})")),
        "Destruction" => Some(format!("{address} destroyed ({time})")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    fn check(line: &str, wanted: Option<&str>) {
        assert_eq!(describe(line).as_deref(), wanted, "{line}");
    }

    #[test]
    fn only_completions_are_described() {
        check(
            "scalr_eventbridge_bus.this: Creation complete after 1s [id=aws.partner/scalr.com/a/b]",
            Some("event source associated with an event bus (scalr_eventbridge_bus.this, 1s)"),
        );
        check(
            "scalr_eventbridge_rule.this[\"AuditLog\"]: Destruction complete after 0s",
            Some("scalr_eventbridge_rule.this[\"AuditLog\"] destroyed (0s)"),
        );
        check("scalr_eventbridge_bus.this: Creating...", None);
        check("Plan: 9 to add, 0 to change, 0 to destroy.", None);
        check(
            "Apply complete! Resources: 9 added.",
            Some("Apply complete! Resources: 9 added."),
        );
    }
}
