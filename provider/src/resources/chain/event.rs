//! The event that a run must have sent, as far as it can be known, and whether a rule's pattern matches it.

use event_pattern::{Explanation, Leaf, Pattern};
use scalr_api::{Object, Run};
use scalr_events::EventType;
use scalr_events::catalogue::{TAGS, WORKSPACE_NAME_TAG, WORKSPACE_TAG};
use serde_json::{Value, json};

/// Fields that only Scalr knows the value of: a pattern that tests one is not blamed. Of the tags, those of the workspace are known.
const NOT_KNOWN: [&str; 9] = [
    "id",
    "time",
    "detail.title",
    "detail.event_type",
    "detail.event.duration",
    "detail.event.environment",
    "detail.event.user-email",
    "detail.event.is-agent",
    "detail.event.is-postponed",
];

/// The event of a run that ended, and the fields whose values are not known here.
#[derive(Clone, Debug)]
pub(super) struct RunEvent {
    event: Value,
    open: Vec<&'static str>,
    /// What the tags begin with that are known.
    tags: Vec<&'static str>,
}

impl RunEvent {
    /// Whether a leaf tests what is not known.
    fn is_open(&self, leaf: &Leaf) -> bool {
        let wanted: Vec<Value> = serde_json::from_str(&leaf.expected).unwrap_or_default();
        if leaf.path != TAGS {
            // Each event has them all.
            let is_presence = |one: &Value| one.get("exists").is_some();
            return self.open.contains(&leaf.path.as_str()) && !wanted.iter().all(is_presence);
        }
        // The other tags only add to what passes.
        if leaf.matched {
            return false;
        }
        let is_known = |one: &Value| {
            let tag = one.as_str().unwrap_or_default();
            self.tags.iter().any(|beginning| tag.starts_with(beginning))
        };
        wanted.is_empty() || !wanted.iter().all(is_known)
    }
}

/// What a pattern makes of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It matches.
    Yes,
    /// It does not, because of this.
    No(Mismatch),
    /// It depends on these fields, whose values are not known here.
    Open(Vec<String>),
}

/// Why a pattern does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// The rule has no pattern.
    NoPattern,
    /// The pattern is not valid.
    Invalid(String),
    /// It tests a field that the event does not have, or has with other values.
    Field {
        path: String,
        expected: String,
        found: Vec<String>,
        /// A field of the event that is spelt like it.
        nearest: Option<String>,
    },
    /// It has no field.
    NothingToMatch,
    /// Each field matches, but not in one element of a list.
    AcrossElements,
    /// The engine refused the event.
    Unmatchable(String),
    /// It tests metadata, which a partner's event does not have.
    NoMetadata,
}

/// Where the event comes from and goes.
#[derive(Clone, Debug)]
pub(super) struct Route<'a> {
    pub(super) source: &'a str,
    pub(super) aws_account: &'a str,
    pub(super) region: &'a str,
    pub(super) workspace_id: &'a str,
    /// Its name.
    pub(super) workspace: Option<&'a str>,
}

/// The event of a run that ended.
pub(super) fn of_run(run: &Object<Run>, route: &Route<'_>) -> RunEvent {
    let mut open = NOT_KNOWN.to_vec();
    let mut event = scalr_events::sample(EventType::RunExecuted);
    let attributes = &run.attributes;
    let account = route.source.split('/').nth(2).unwrap_or_default();
    event["version"] = json!("0");
    event["source"] = json!(route.source);
    event["account"] = json!(route.aws_account);
    event["region"] = json!(route.region);
    let mut known = vec![(WORKSPACE_TAG, route.workspace_id)];
    known.extend(route.workspace.map(|name| (WORKSPACE_NAME_TAG, name)));
    let tags: Vec<String> = known
        .iter()
        .map(|(beginning, value)| format!("{beginning}{value}"))
        .collect();
    event["detail"]["tags"] = json!(tags);
    let detail = &mut event["detail"]["event"];
    detail["run-id"] = json!(run.id.as_str());
    detail["is-dry"] = json!(attributes.is_dry);
    detail["is-destroy"] = json!(attributes.is_destroy);
    detail["result"] = json!(attributes.status.as_str());
    detail["account"] = json!(account);
    let mut fill = |name: &str, path: &'static str, value: Option<&str>| match value {
        Some(value) => detail[name] = json!(value),
        None => open.push(path),
    };
    fill("source", "detail.event.source", attributes.source.as_deref());
    fill("workspace", "detail.event.workspace", route.workspace);
    RunEvent {
        event,
        open,
        tags: known.into_iter().map(|(beginning, _)| beginning).collect(),
    }
}

/// What EventBridge notes of the event on a custom event bus. What it makes up is not known, and whose name it notes as the source is not
/// documented.
pub(super) fn noted_of(route: &Route<'_>) -> RunEvent {
    const MADE_UP: [&str; 7] = [
        "aws:Source",
        "aws:EventId",
        "aws:IngestionTime",
        "aws:SequenceNumber",
        "EventGroupId",
        "ContentType",
        "DeduplicationId",
    ];
    let mut event = json!({ "aws:DetailType": EventType::RunExecuted.as_str(), "aws:DeliveryType": "LIVE" });
    for name in MADE_UP {
        event[name] = json!(route.source);
    }
    RunEvent {
        event,
        open: MADE_UP.to_vec(),
        tags: Vec::new(),
    }
}

/// What several patterns make of an event that have to match all of them.
pub(super) fn all(judged: impl IntoIterator<Item = Match>) -> Match {
    let mut open = Vec::new();
    for one in judged {
        match one {
            Match::Yes => {}
            Match::No(why) => return Match::No(why),
            Match::Open(fields) => open.extend(fields),
        }
    }
    if open.is_empty() {
        Match::Yes
    } else {
        Match::Open(open)
    }
}

/// Whether a rule's pattern matches the event.
pub(super) fn judge(pattern: &str, sent: &RunEvent) -> Match {
    let compiled = match Pattern::compile(pattern) {
        Ok(compiled) => compiled,
        Err(error) => return Match::No(Mismatch::Invalid(error.to_string())),
    };
    match compiled.explain(&sent.event.to_string()) {
        Ok(explanation) => verdict(&explanation, sent),
        Err(error) => Match::No(Mismatch::Unmatchable(error.to_string())),
    }
}

/// The alternative that comes nearest decides: the fewest leaves that miss for a reason that is known, then the fewest that are open.
/// An open leaf proves nothing, whether or not the sample's value passes.
fn verdict(explanation: &Explanation, sent: &RunEvent) -> Match {
    let leaves = &explanation.leaves;
    let last = leaves.iter().map(|leaf| leaf.alternative).max();
    let judged = (0..=last.unwrap_or_default()).map(|alternative| {
        let of_it = leaves.iter().filter(move |leaf| leaf.alternative == alternative);
        let (open, known): (Vec<&Leaf>, Vec<&Leaf>) = of_it.partition(|leaf| sent.is_open(leaf));
        let wrong = known.into_iter().filter(|leaf| !leaf.matched).collect::<Vec<_>>();
        (open, wrong)
    });
    let (open, wrong) = judged
        .min_by_key(|(open, wrong)| (wrong.len(), open.len()))
        .unwrap_or_default();
    if let Some(leaf) = wrong.first() {
        return Match::No(of_leaf(leaf));
    }
    if !open.is_empty() {
        return Match::Open(open.iter().map(|leaf| leaf.path.clone()).collect());
    }
    match (explanation.matched, leaves.is_empty()) {
        (true, _) => Match::Yes,
        (false, true) => Match::No(Mismatch::NothingToMatch),
        (false, false) => Match::No(Mismatch::AcrossElements),
    }
}

fn of_leaf(leaf: &Leaf) -> Mismatch {
    Mismatch::Field {
        path: leaf.path.clone(),
        expected: leaf.expected.clone(),
        found: leaf.found.clone(),
        nearest: leaf.nearest.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, want: &Match) {
        let mut event = scalr_events::sample(EventType::RunExecuted);
        event["detail"]["event"]["result"] = json!("errored");
        event["detail"]["tags"] = json!(["scalr-workspace:ws-1"]);
        let sent = RunEvent {
            event,
            open: NOT_KNOWN.to_vec(),
            tags: vec![WORKSPACE_TAG],
        };
        assert_eq!(&judge(pattern, &sent), want, "{pattern}");
    }

    fn misses(path: &str, expected: &str, found: &[&str], nearest: Option<&str>) -> Match {
        Match::No(Mismatch::Field {
            path: path.to_owned(),
            expected: expected.to_owned(),
            found: found.iter().map(|text| (*text).to_owned()).collect(),
            nearest: nearest.map(str::to_owned),
        })
    }

    #[test]
    fn a_miss_names_the_field() {
        check(r#"{"detail-type": ["RunExecuted"]}"#, &Match::Yes);
        check(
            r#"{"detail-type": ["AuditLog"]}"#,
            &misses("detail-type", r#"["AuditLog"]"#, &[r#""RunExecuted""#], None),
        );
        check(
            r#"{"detail": {"event": {"reslt": ["errored"]}}}"#,
            &misses(
                "detail.event.reslt",
                r#"["errored"]"#,
                &[],
                Some("detail.event.result"),
            ),
        );
    }

    #[test]
    fn what_is_not_known_is_not_blamed() {
        let open = Match::Open(vec!["detail.event.environment".to_owned()]);
        check(r#"{"detail": {"event": {"environment": ["prod"]}}}"#, &open);
        check(
            r#"{"detail": {"event": {"environment": ["prod"], "result": ["errored"]}}}"#,
            &open,
        );
        check(
            r#"{"detail": {"event": {"environment": ["prod"], "result": ["applied"]}}}"#,
            &misses("detail.event.result", r#"["applied"]"#, &[r#""errored""#], None),
        );
    }

    #[test]
    fn what_is_not_known_proves_nothing() {
        for (field, value) in [
            ("is-agent", "[false]"),
            ("environment", r#"["environment-name"]"#),
        ] {
            let pattern = format!(r#"{{"detail": {{"event": {{"{field}": {value}}}}}}}"#);
            check(&pattern, &Match::Open(vec![format!("detail.event.{field}")]));
        }
        check(
            r#"{"detail": {"event_type": ["success"], "event": {"result": ["errored"]}}}"#,
            &Match::Open(vec!["detail.event_type".to_owned()]),
        );
        // Another alternative is certain; each event has an id.
        check(
            r#"{"detail": {"$or": [{"event_type": ["success"]}, {"event": {"result": ["errored"]}}]}}"#,
            &Match::Yes,
        );
        check(r#"{"id": [{"exists": true}]}"#, &Match::Yes);
    }

    #[test]
    fn the_tags_of_the_workspace_are_known() {
        let other = r#"["scalr-workspace:ws-2"]"#;
        check(r#"{"detail": {"tags": ["scalr-workspace:ws-1"]}}"#, &Match::Yes);
        check(
            &format!(r#"{{"detail": {{"tags": {other}}}}}"#),
            &misses(TAGS, other, &[r#""scalr-workspace:ws-1""#], None),
        );
        for open in [
            r#"["scalr-environment:env-1"]"#,
            r#"["scalr-workspace-name:network"]"#,
            r#"["scalr-workspace:ws-2", "scalr-environment:env-1"]"#,
            r#"[{"prefix": "scalr-environment:"}]"#,
        ] {
            let pattern = format!(r#"{{"detail": {{"tags": {open}}}}}"#);
            check(&pattern, &Match::Open(vec![TAGS.to_owned()]));
        }
    }

    #[test]
    fn filters_have_to_match_all() {
        let (yes, open) = (|| Match::Yes, |field: &str| Match::Open(vec![field.to_owned()]));
        let no = || Match::No(Mismatch::NoMetadata);
        for (judged, want) in [
            (vec![], yes()),
            (vec![yes(), yes()], yes()),
            (
                vec![yes(), open("a"), open("b")],
                Match::Open(vec!["a".to_owned(), "b".to_owned()]),
            ),
            (vec![open("a"), no(), yes()], no()),
        ] {
            assert_eq!(all(judged), want);
        }
    }

    /// The type is certain; whatever EventBridge makes up is not.
    #[test]
    fn what_eventbridge_notes_is_known_in_part() {
        let noted = noted_of(&Route {
            source: "aws.partner/scalr.com/acme/prod",
            aws_account: "123456789012",
            region: "us-east-1",
            workspace_id: "ws-1",
            workspace: None,
        });
        let open = |field: &str| Match::Open(vec![field.to_owned()]);
        for (pattern, want) in [
            (r#"{"aws:DetailType": ["RunExecuted"]}"#, Match::Yes),
            (
                r#"{"aws:DetailType": ["AuditLog"]}"#,
                misses("aws:DetailType", r#"["AuditLog"]"#, &[r#""RunExecuted""#], None),
            ),
            (
                r#"{"aws:Source": [{"prefix": "aws.partner/"}]}"#,
                open("aws:Source"),
            ),
            (r#"{"aws:EventId": ["e-1"]}"#, open("aws:EventId")),
            (r#"{"aws:EventId": [{"exists": true}]}"#, Match::Yes),
        ] {
            assert_eq!(judge(pattern, &noted), want, "{pattern}");
        }
    }

    #[test]
    fn what_scalr_did_not_say_is_open() {
        let run = |source: Option<&str>| {
            let run = json!({ "type": "runs", "id": "run-1", "attributes": { "status": "applied", "source": source } });
            serde_json::from_value::<Object<Run>>(run).unwrap()
        };
        let route = |workspace| Route {
            source: "aws.partner/scalr.com/acme/prod",
            aws_account: "123456789012",
            region: "us-east-1",
            workspace_id: "ws-1",
            workspace,
        };
        for (field, known, want) in [
            ("workspace", false, "open"),
            ("workspace", true, "no"),
            ("source", false, "open"),
            ("source", true, "no"),
        ] {
            let pattern = format!(r#"{{"detail": {{"event": {{"{field}": ["x"]}}}}}}"#);
            let sent = of_run(&run(known.then_some("ui")), &route(known.then_some("network")));
            let judged = judge(&pattern, &sent);
            let have = match &judged {
                Match::Open(_) => "open",
                Match::No(_) => "no",
                Match::Yes => "yes",
            };
            assert_eq!(have, want, "{field}, known: {known}");
        }
    }
}
