//! Every message of the provider, compared with the files in `tests/snapshots`. `UPDATE_EXPECT=1` writes them.
//!
//! A scenario is one of the other tests: here they run again, one after the other on this thread, and what they make the
//! provider say is kept. Messages that need no call are rendered by the unit tests beside them, each into its own file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use expect_test::expect_file;
use tfplugin::{Diagnostic, Severity};

use super::{actions, aws, data_sources, delivery_check, empty, ephemeral, ids, ignored, moved, scalr, walk};

/// Tests by name.
pub(super) type Scenarios = &'static [(&'static str, fn())];

/// The tests of one file.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        pub(in crate::tests) const SCENARIOS: $crate::tests::snapshot::Scenarios = &[$((stringify!($name), $name)),*];
    };
}
pub(super) use scenarios;

/// The files with scenarios, and their source, so that none is forgotten.
const FILES: &[(&str, Scenarios, &str)] = &[
    (
        "aws/api_destination",
        aws::api_destination::SCENARIOS,
        include_str!("aws/api_destination.rs"),
    ),
    ("aws/bus", aws::bus::SCENARIOS, include_str!("aws/bus.rs")),
    (
        "aws/custom_bus",
        aws::custom_bus::SCENARIOS,
        include_str!("aws/custom_bus.rs"),
    ),
    (
        "aws/custom_bus_taken",
        aws::custom_bus_taken::SCENARIOS,
        include_str!("aws/custom_bus_taken.rs"),
    ),
    (
        "aws/event_source",
        aws::event_source::SCENARIOS,
        include_str!("aws/event_source.rs"),
    ),
    (
        "aws/handover",
        aws::handover::SCENARIOS,
        include_str!("aws/handover.rs"),
    ),
    (
        "aws/imports",
        aws::imports::SCENARIOS,
        include_str!("aws/imports.rs"),
    ),
    ("aws/lists", aws::lists::SCENARIOS, include_str!("aws/lists.rs")),
    (
        "aws/incomplete",
        aws::incomplete::SCENARIOS,
        include_str!("aws/incomplete.rs"),
    ),
    (
        "aws/between_kinds",
        aws::between_kinds::SCENARIOS,
        include_str!("aws/between_kinds.rs"),
    ),
    (
        "aws/passed_on",
        aws::passed_on::SCENARIOS,
        include_str!("aws/passed_on.rs"),
    ),
    (
        "aws/planned_group",
        aws::planned_group::SCENARIOS,
        include_str!("aws/planned_group.rs"),
    ),
    ("aws/names", aws::names::SCENARIOS, include_str!("aws/names.rs")),
    ("aws/plans", aws::plans::SCENARIOS, include_str!("aws/plans.rs")),
    ("aws/queue", aws::queue::SCENARIOS, include_str!("aws/queue.rs")),
    (
        "aws/routes",
        aws::routes::SCENARIOS,
        include_str!("aws/routes.rs"),
    ),
    ("aws/rule", aws::rule::SCENARIOS, include_str!("aws/rule.rs")),
    (
        "aws/secrets",
        aws::secrets::SCENARIOS,
        include_str!("aws/secrets.rs"),
    ),
    (
        "aws/settings",
        aws::settings::SCENARIOS,
        include_str!("aws/settings.rs"),
    ),
    (
        "aws/source",
        aws::source::SCENARIOS,
        include_str!("aws/source.rs"),
    ),
    (
        "aws/subscriber",
        aws::subscriber::SCENARIOS,
        include_str!("aws/subscriber.rs"),
    ),
    (
        "aws/subscriber_role",
        aws::subscriber_role::SCENARIOS,
        include_str!("aws/subscriber_role.rs"),
    ),
    (
        "aws/subscriber_role_bounds",
        aws::subscriber_role_bounds::SCENARIOS,
        include_str!("aws/subscriber_role_bounds.rs"),
    ),
    (
        "aws/subscriber_group",
        aws::subscriber_group::SCENARIOS,
        include_str!("aws/subscriber_group.rs"),
    ),
    (
        "aws/subscriber_settings",
        aws::subscriber_settings::SCENARIOS,
        include_str!("aws/subscriber_settings.rs"),
    ),
    (
        "aws/target",
        aws::target::SCENARIOS,
        include_str!("aws/target.rs"),
    ),
    (
        "aws/topic_permission",
        aws::topic_permission::SCENARIOS,
        include_str!("aws/topic_permission.rs"),
    ),
    (
        "aws/log_group",
        aws::log_group::SCENARIOS,
        include_str!("aws/log_group.rs"),
    ),
    ("actions", actions::SCENARIOS, include_str!("actions.rs")),
    ("ephemeral", ephemeral::SCENARIOS, include_str!("ephemeral.rs")),
    (
        "data_sources",
        data_sources::SCENARIOS,
        include_str!("data_sources.rs"),
    ),
    (
        "delivery_check",
        delivery_check::SCENARIOS,
        include_str!("delivery_check.rs"),
    ),
    ("ids", ids::SCENARIOS, include_str!("ids.rs")),
    ("walk", walk::SCENARIOS, include_str!("walk.rs")),
    ("empty", empty::SCENARIOS, include_str!("empty.rs")),
    ("ignored", ignored::SCENARIOS, include_str!("ignored.rs")),
    ("moved", moved::SCENARIOS, include_str!("moved.rs")),
    (
        "scalr/activation",
        scalr::activation::SCENARIOS,
        include_str!("scalr/activation.rs"),
    ),
    (
        "scalr/audit_log_setting",
        scalr::audit_log_setting::SCENARIOS,
        include_str!("scalr/audit_log_setting.rs"),
    ),
    (
        "scalr/connection",
        scalr::connection::SCENARIOS,
        include_str!("scalr/connection.rs"),
    ),
    (
        "scalr/connection_taken",
        scalr::connection_taken::SCENARIOS,
        include_str!("scalr/connection_taken.rs"),
    ),
    (
        "scalr/functions",
        scalr::functions::SCENARIOS,
        include_str!("scalr/functions.rs"),
    ),
    (
        "scalr/provider",
        scalr::provider::SCENARIOS,
        include_str!("scalr/provider.rs"),
    ),
];

thread_local! {
    static KEPT: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
}

/// Keeps a diagnostic, if a scenario runs on this thread.
pub(super) fn keep(diagnostic: &Diagnostic) {
    let text = normal(&rendered(diagnostic));
    KEPT.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.insert(text)));
}

/// A diagnostic as the snapshots show it.
pub(crate) fn rendered(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let at = if diagnostic.path.is_empty() {
        String::new()
    } else {
        format!(" at `{}`", diagnostic.path)
    };
    format!("{severity}{at}: {}\n{}", diagnostic.summary, diagnostic.detail)
}

/// Compares texts that were rendered one by one with a file in `tests/snapshots`.
#[track_caller]
pub(crate) fn check<T: AsRef<str>>(file: &str, texts: impl IntoIterator<Item = T>) {
    let mut whole = String::new();
    for text in texts {
        write(&mut whole, text.as_ref());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(file);
    expect_file![path].assert_eq(&whole);
}

/// One message: its first line, then the rest indented.
fn write(whole: &mut String, text: &str) {
    let mut lines = text.trim_end().lines();
    whole.extend(lines.next().into_iter().chain(["\n"]));
    for line in lines {
        let indent = if line.is_empty() { "" } else { "    " };
        whole.extend([indent, line, "\n"]);
    }
    whole.push('\n');
}

/// The text without what differs from run to run: ports, and the generated ends of names.
fn normal(text: &str) -> String {
    let mut normal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("127.0.0.1:") {
        let (before, after) = rest.split_at(at + "127.0.0.1:".len());
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        normal.extend([before, "PORT"]);
        rest = &after[digits..];
    }
    normal.push_str(rest);
    without_suffixes(&normal)
}

/// `runs-` with 26 hexadecimal digits after it.
fn without_suffixes(text: &str) -> String {
    const DIGITS: usize = 26;
    let parts = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    let one = |part: &str| {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if digits.len() == DIGITS {
            part.replace(digits, "SUFFIX")
        } else {
            part.to_owned()
        }
    };
    parts.map(one).collect()
}

#[test]
fn every_message_is_as_committed() {
    let mut whole = String::new();
    for (file, scenarios, _) in FILES {
        for (name, run) in *scenarios {
            KEPT.set(Some(BTreeSet::new()));
            run();
            let kept = KEPT.take().unwrap_or_default();
            if !kept.is_empty() {
                whole.extend(["=== ", file, ": ", name, "\n\n"]);
            }
            for text in kept {
                write(&mut whole, &text);
            }
        }
    }
    check_whole(&whole);
}

#[track_caller]
fn check_whole(whole: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/diagnostics.txt");
    expect_file![path].assert_eq(whole);
}

#[test]
fn every_test_is_a_scenario() {
    for (file, scenarios, source) in FILES {
        assert_eq!(source.matches("#[tokio::test").count(), scenarios.len(), "{file}");
    }
}
