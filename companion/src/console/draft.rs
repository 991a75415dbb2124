//! The form "Create rule": its five steps, and what is wrong with what was entered. Pure.

use std::collections::BTreeMap;

use event_pattern::Pattern;
use scalr_events::EventType;
use serde::Deserialize;

use super::chain;
use super::text::Shown;

/// The steps, as the AWS console names them.
pub(super) const STEPS: [&str; 5] = [
    "Define rule detail",
    "Build event pattern",
    "Select target",
    "Configure tags",
    "Review and create",
];

/// The pattern that a new rule begins with.
const PATTERN: &str =
    "{\n  \"source\": [{\n    \"prefix\": \"aws.partner/scalr.com\"\n  }],\n  \"detail-type\": [\"TYPE\"]\n}";
const TAGS_MAX: usize = 50;
const DESCRIPTION_CHARS_MAX: usize = 512;
/// Leaves of a pattern that are explained.
const LEAVES_SHOWN_MAX: usize = 50;

/// What was entered so far, and which button was pressed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) step: usize,
    pub(super) go: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) sample: String,
    pub(super) pattern: String,
    pub(super) group: String,
    pub(super) tags: String,
}

/// Which field, and what is wrong with it.
pub(super) type Problem = (&'static str, Shown);

/// What became of "Test pattern".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) class: &'static str,
    pub(super) text: Shown,
    /// Each field of the pattern, and what the event has there.
    pub(super) leaves: Vec<Shown>,
    /// Why the pattern, or a part of it, matches none of Scalr's events.
    pub(super) warnings: Vec<Shown>,
}

impl Default for Draft {
    fn default() -> Self {
        let mut draft = Self {
            step: 1,
            go: String::new(),
            name: String::new(),
            description: String::new(),
            sample: String::new(),
            pattern: String::new(),
            group: "/aws/events/scalr".to_owned(),
            tags: String::new(),
        };
        draft.fill_in(EventType::RunExecuted);
        draft
    }
}

impl Draft {
    /// Enters sample and pattern for a type of event.
    pub(super) fn fill_in(&mut self, event_type: EventType) {
        self.sample = scalr_events::sample_text(event_type).to_string();
        self.pattern = PATTERN.replace("TYPE", event_type.as_str());
    }

    /// Every field but those of a step, to be kept in the form.
    pub(super) fn beside(&self, step: usize) -> Vec<(&'static str, String)> {
        let all = [
            (1, "name", &self.name),
            (1, "description", &self.description),
            (2, "sample", &self.sample),
            (2, "pattern", &self.pattern),
            (3, "group", &self.group),
            (4, "tags", &self.tags),
        ];
        let beside = all.into_iter().filter(|(of, ..)| *of != step);
        beside.map(|(_, name, value)| (name, value.clone())).collect()
    }

    /// What is wrong with the fields of a step.
    pub(super) fn problems(&self, step: usize) -> Vec<Problem> {
        let problem = match step {
            1 if !is_name(&self.name) => Some((
                "name",
                "A rule's name has 1 to 64 letters, digits, `.`, `-` and `_`.".to_owned(),
            )),
            1 if self.description.chars().count() > DESCRIPTION_CHARS_MAX => Some((
                "description",
                format!("A description has at most {DESCRIPTION_CHARS_MAX} characters."),
            )),
            2 => Pattern::compile_for_eventbridge(&self.pattern)
                .err()
                .map(|error| {
                    (
                        "pattern",
                        format!("AWS would refuse this pattern: {}.", error.reason()),
                    )
                }),
            3 if !is_group(&self.group) => Some((
                "group",
                "A log group's name has 1 to 512 letters, digits, `_`, `-`, `/`, `.` and `#`.".to_owned(),
            )),
            4 => self.tags().err().map(|why| ("tags", why)),
            _ => None,
        };
        let problem = problem.map(|(field, why)| (field, Shown::new(why)));
        problem.into_iter().collect()
    }

    /// The tags, one in a line.
    pub(super) fn tags(&self) -> Result<BTreeMap<String, String>, String> {
        let mut tags = BTreeMap::new();
        let lines = self.tags.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in lines {
            let Some((key, value)) = line.split_once('=') else {
                return Err(format!("`{line}` is no tag: write it as `key=value`."));
            };
            let (key, value) = (key.trim(), value.trim());
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(format!(
                    "The key of a tag has 1 to 128 characters and its value at most 256: `{line}`."
                ));
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(format!("The tag `{key}` is there twice."));
            }
        }
        if tags.len() > TAGS_MAX {
            return Err(format!("A rule has at most {TAGS_MAX} tags."));
        }
        Ok(tags)
    }

    /// Why the sample does not match the pattern, where AWS says that it does or does not.
    pub(super) fn verdict(&self, matched: bool) -> Verdict {
        let explained = Pattern::compile(&self.pattern)
            .ok()
            .and_then(|pattern| pattern.explain(&self.sample).ok())
            .filter(|_| !matched);
        let leaves = explained.map(|explained| explained.leaves).unwrap_or_default();
        let text = if matched {
            "The sample event matched the pattern."
        } else {
            "The sample event did not match the pattern. Each field of the pattern, and what the event has there:"
        };
        Verdict {
            class: if matched { "ok" } else { "bad" },
            text: Shown::new(text),
            leaves: leaves.iter().take(LEAVES_SHOWN_MAX).map(explain).collect(),
            warnings: self.warnings(),
        }
    }

    /// That AWS refuses the pattern or the sample.
    pub(super) fn refused(&self, why: &str) -> Verdict {
        Verdict {
            class: "bad",
            text: Shown::new(format!("AWS refuses this test: {why}.")),
            leaves: Vec::new(),
            warnings: self.warnings(),
        }
    }

    fn warnings(&self) -> Vec<Shown> {
        let misses = chain::misses(&self.pattern);
        let said = |why: &String| Shown::new(format!("This pattern matches none of Scalr's events: {why}."));
        misses.iter().map(said).collect()
    }
}

fn explain(leaf: &event_pattern::Leaf) -> Shown {
    let verdict = if leaf.matched { "matches" } else { "does not match" };
    Shown::new(format!("{verdict}: {}", scalr_events::leaf_in_words(leaf, None)))
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn is_group(name: &str) -> bool {
    (1..=512).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The draft with one field replaced, and the field that is wrong in a step.
    #[track_caller]
    fn check(step: usize, set: impl FnOnce(&mut Draft), want: Option<&str>) {
        let mut draft = Draft {
            name: "r".to_owned(),
            ..Draft::default()
        };
        set(&mut draft);
        let problems = draft.problems(step);
        assert_eq!(problems.first().map(|(field, _)| *field), want, "{problems:?}");
    }

    #[test]
    fn what_is_wrong_is_said_at_its_step() {
        for step in 1..=5 {
            check(step, |_| {}, None);
        }
        check(1, |draft| draft.name.clear(), Some("name"));
        check(1, |draft| draft.name = "a b".into(), Some("name"));
        check(1, |draft| draft.name = "<script>".into(), Some("name"));
        check(
            1,
            |draft| draft.description = "x".repeat(513),
            Some("description"),
        );
        check(2, |draft| draft.pattern = "{".into(), Some("pattern"));
        check(2, |draft| draft.pattern = r#"{"a":[]}"#.into(), Some("pattern"));
        check(3, |draft| draft.group = "a b".into(), Some("group"));
        check(3, |draft| draft.group.clear(), Some("group"));
        check(4, |draft| draft.tags = "a=1\n\nb = ".into(), None);
        check(4, |draft| draft.tags = "a".into(), Some("tags"));
        check(4, |draft| draft.tags = "=1".into(), Some("tags"));
        check(4, |draft| draft.tags = "a=1\na=2".into(), Some("tags"));
        let many: Vec<String> = (0..51).map(|at| format!("k{at}=v")).collect();
        check(4, |draft| draft.tags = many.join("\n"), Some("tags"));
    }

    #[test]
    fn a_miss_is_explained() {
        for event_type in [EventType::RunExecuted, EventType::AuditLog] {
            let mut draft = Draft::default();
            draft.fill_in(event_type);
            let (pattern, warnings) = Pattern::compile_for_eventbridge(&draft.pattern).unwrap();
            assert!(warnings.is_empty());
            assert_eq!(pattern.matches(&draft.sample), Ok(true), "{event_type}");
            assert_eq!(draft.verdict(true).leaves, []);
        }
        let draft = Draft {
            pattern: r#"{"detail-type":["RunExecuted"],"detail":{"event":{"result":["errored"]}}}"#
                .to_owned(),
            ..Draft::default()
        };
        let verdict = draft.verdict(false);
        let said = verdict.leaves.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(
            said.iter().any(
                |leaf| leaf.starts_with("does not match: `detail.event.result` wants")
                    && leaf.contains("applied")
            ),
            "{said:?}"
        );
        let other = Draft {
            pattern: r#"{"detail-type":["Other"]}"#.to_owned(),
            ..Draft::default()
        };
        assert!(!other.verdict(false).warnings.is_empty());
    }
}
