//! The IAM policies of the registry's pages, from `provider/permissions.json`: a section of each page whose code calls AWS, and
//! the whole policies of the guide.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

/// The declared calls, from the repository's root.
pub(crate) const TABLE: &str = "provider/permissions.json";
/// The guide that has the whole policies, each in the block of code after a line that names it.
const GUIDE: &str = "docs/guides/permissions.md";
const MARK: &str = "<!-- policy: ";

/// What a managed policy may have, white space aside (IAM's quotas).
const CHARS_MAX: usize = 6_144;
/// Pages of the table that are no pages of the registry: parts of the companion.
const PROGRAMS: &str = "programs/";

/// What actions are for: the name in the table, and the `Sid` in a page's policy.
const PURPOSES: [(&str, &str); 4] = [
    ("read", "Read"),
    ("checks", "Checks"),
    ("write", "Apply"),
    ("delete", "Destroy"),
];
/// The kinds of pages of the provider.
const FOLDERS: [&str; 5] = [
    "resources",
    "data-sources",
    "list-resources",
    "actions",
    "ephemeral-resources",
];

/// Adds the sections to the pages, and fills the guide.
pub(crate) fn add(pages: &mut BTreeMap<String, String>, table: &str) -> Result<()> {
    let table = Table(serde_json::from_str(table).context(TABLE)?);
    table.names_all_of(pages)?;
    for (name, needs) in table.pages() {
        let Some(page) = pages.get_mut(&format!("docs/{name}.md")) else {
            ensure!(
                name.starts_with("programs/"),
                "{TABLE}: there is no page `{name}`"
            );
            continue;
        };
        if needs.is_empty() {
            continue;
        }
        let section = table.section(name, needs)?;
        *page = format!("{}\n\n{section}", page.trim_end());
    }
    let guide = pages
        .get_mut(GUIDE)
        .with_context(|| format!("{GUIDE} is missing"))?;
    *guide = filled(guide, |policy| table.policy(policy))?;
    Ok(())
}

/// The guide with each policy in the block of code after its mark.
fn filled(guide: &str, policy: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut out = String::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        out.extend([line, "\n"]);
        let Some(name) = line.strip_prefix(MARK).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        ensure!(
            lines.next() == Some("```json"),
            "{GUIDE}: no ```json after `{line}`"
        );
        ensure!(
            lines.any(|line| line == "```"),
            "{GUIDE}: the block after `{line}` does not end"
        );
        out.extend(["```json\n", &policy(name)?, "\n```\n"]);
    }
    Ok(out)
}

/// The declared calls.
struct Table(Value);

/// One statement of a policy.
#[derive(Debug, Default)]
struct Statement {
    sid: String,
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    condition: Option<Value>,
}

/// What a page needs for one purpose, or with one option.
struct Need<'a> {
    sid: &'a str,
    actions: Vec<&'a str>,
    /// A plan needs it.
    reads: bool,
    /// Everybody needs it: it does not come with an option, and not for warnings alone.
    always: bool,
}

impl Table {
    fn pages(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let pages = self.0["pages"].as_object().into_iter().flatten();
        pages.filter_map(|(name, needs)| Some((name.as_str(), needs.as_object()?)))
    }

    /// Each page of the provider's is declared, one that calls nothing as empty.
    fn names_all_of(&self, pages: &BTreeMap<String, String>) -> Result<()> {
        let declared: BTreeSet<_> = self.pages().map(|(name, _)| name).collect();
        for name in pages.keys() {
            let name = name
                .strip_prefix("docs/")
                .and_then(|name| name.strip_suffix(".md"));
            let of_ours = name.filter(|name| {
                FOLDERS
                    .iter()
                    .any(|folder| name.split('/').next() == Some(folder))
            });
            if let Some(name) = of_ours {
                ensure!(
                    declared.contains(name),
                    "{TABLE} does not say which calls `{name}` makes"
                );
            }
        }
        Ok(())
    }

    fn section(&self, name: &str, needs: &Map<String, Value>) -> Result<String> {
        let about = needs.get("about").map(texts).unwrap_or_default();
        let (mut statements, mut optional) = (Vec::new(), Vec::new());
        for need in needs_of(needs) {
            let of_option = options_of(needs)
                .iter()
                .any(|option| text_of(option, "sid") == need.sid);
            let into = if of_option { &mut optional } else { &mut statements };
            into.extend(self.statements(&need, &about)?);
        }
        let used = |purpose: &str| needs.contains_key(purpose);
        let lead = match used("read") || used("write") {
            true if optional.is_empty() => "The AWS credentials need:",
            true => "Without the options below, the AWS credentials need:",
            false => "It works without AWS permissions. With these, the provider can warn of more mistakes:",
        };
        let mut note =
            "Replace `REGION`, `ACCOUNT_ID` and the other names in capitals with your own.".to_owned();
        if name.starts_with("resources/") && used("write") {
            note += " A plan needs only `Read…`. An apply also needs `Apply…`, and a destroy also needs `Destroy…`.";
        }
        if used("checks") {
            note += " `Checks…` is optional: without it the provider does not warn of what it cannot read, and nothing fails.";
        }
        let mut parts = vec![
            "## AWS Permissions".to_owned(),
            lead.to_owned(),
            format!("```json\n{}\n```", document(&statements)),
            note,
        ];
        if !optional.is_empty() {
            let row =
                |option: &Value| format!("| `{}…` | {} |", text_of(option, "sid"), text_of(option, "when"));
            let rows: Vec<_> = options_of(needs).iter().map(row).collect();
            parts.push("An option needs its statements, too:".to_owned());
            parts.push(format!(
                "| `Sid` begins with | only with |\n|---|---|\n{}",
                rows.join("\n")
            ));
            parts.push(format!("```json\n{}\n```", document(&optional)));
        }
        statements.append(&mut optional);
        let sources = self.sources(&statements)?;
        parts.push(format!(
            "The guide [Permissions](../guides/permissions.md) has policies for the whole provider. Sources: {sources}."
        ));
        Ok(parts.join("\n\n") + "\n")
    }

    /// A whole policy of the guide.
    fn policy(&self, name: &str) -> Result<String> {
        let takes = |page: &str, need: &Need<'_>| match name {
            "everything" => !page.starts_with(PROGRAMS),
            "plan" => !page.starts_with(PROGRAMS) && need.reads,
            name => match self.0["policies"].get(name) {
                Some(pages) => need.always && texts(pages).contains(&page),
                None => page == name,
            },
        };
        let mut merged: BTreeMap<String, Statement> = BTreeMap::new();
        for (page, needs) in self.pages() {
            let about = needs.get("about").map(texts).unwrap_or_default();
            let needs = needs_of(needs).into_iter().filter(|need| takes(page, need));
            for action in needs.flat_map(|need| need.actions) {
                self.merge(&mut merged, action, &about)?;
            }
        }
        ensure!(!merged.is_empty(), "{GUIDE}: there is no policy `{name}`");
        let text = document(&merged.into_values().collect::<Vec<_>>());
        let chars = text.chars().filter(|c| !c.is_whitespace()).count();
        ensure!(
            chars <= CHARS_MAX,
            "{GUIDE}: the policy `{name}` has {chars} characters, more than a managed one may have"
        );
        Ok(text)
    }

    /// One statement for what a service's actions can be limited to, one for all that cannot be limited, one each for conditions.
    fn merge(&self, merged: &mut BTreeMap<String, Statement>, action: &str, about: &[&str]) -> Result<()> {
        let one = self.statement("", action, about)?;
        let service = action.split(':').next().unwrap_or_default();
        let sid = match &one.condition {
            Some(_) => capitalized(action.split(':').next_back().unwrap_or_default()),
            None if one.resources.contains("*") => "WithoutResource".to_owned(),
            None => capitalized(service),
        };
        let into = merged.entry(sid.clone()).or_default();
        into.sid = sid;
        into.actions.extend(one.actions);
        into.resources.extend(one.resources);
        into.condition = one.condition;
        Ok(())
    }

    /// The statements of a need: what can be limited to a resource, what cannot, and what has a condition.
    fn statements(&self, need: &Need<'_>, about: &[&str]) -> Result<Vec<Statement>> {
        let mut limited = Statement::default();
        let mut any = Statement::default();
        let mut all = Vec::new();
        for action in &need.actions {
            let mut one = self.statement(need.sid, action, about)?;
            if one.condition.is_some() {
                if need.actions.len() > 1 {
                    let name = action.split(':').next_back().unwrap_or_default();
                    one.sid = format!("{}{}", need.sid, capitalized(name));
                }
                all.push(one);
                continue;
            }
            let into = if one.resources.contains("*") {
                &mut any
            } else {
                &mut limited
            };
            into.actions.extend(one.actions);
            into.resources.extend(one.resources);
        }
        need.sid.clone_into(&mut limited.sid);
        any.sid = format!("{}WithoutResource", need.sid);
        all.splice(
            0..0,
            [limited, any].into_iter().filter(|one| !one.actions.is_empty()),
        );
        Ok(all)
    }

    /// An action on what IAM can limit it to, of several kinds those that the page is about.
    fn statement(&self, sid: &str, action: &str, about: &[&str]) -> Result<Statement> {
        let kinds = &self.0["actions"][action];
        ensure!(kinds.is_array(), "{TABLE}: `actions` lacks `{action}`");
        let all = texts(kinds);
        let chosen: Vec<_> = all.iter().copied().filter(|kind| about.contains(kind)).collect();
        let kinds = if chosen.is_empty() { all } else { chosen };
        let mut one = Statement {
            sid: sid.to_owned(),
            actions: BTreeSet::from([action.to_owned()]),
            ..Statement::default()
        };
        for kind in &kinds {
            let resource = &self.0["resources"][kind];
            let arns = texts(&resource["arns"]);
            ensure!(!arns.is_empty(), "{TABLE}: `resources` lacks `{kind}`");
            one.resources.extend(arns.into_iter().map(str::to_owned));
            one.condition = resource.get("condition").cloned();
        }
        if kinds.is_empty() {
            one.resources.insert("*".to_owned());
        }
        Ok(one)
    }

    /// Links to the pages that say what each action can be limited to.
    fn sources(&self, statements: &[Statement]) -> Result<String> {
        let actions = statements.iter().flat_map(|one| &one.actions);
        let services: BTreeSet<_> = actions.filter_map(|action| action.split(':').next()).collect();
        let link = |service: &&str| {
            let source = &self.0["sources"][service];
            let (title, url) = (text_of(source, "title"), text_of(source, "url"));
            ensure!(!url.is_empty(), "{TABLE}: `sources` lacks `{service}`");
            Ok(format!("[{title}]({url})"))
        };
        let links: Result<Vec<_>> = services.iter().map(link).collect();
        Ok(links?.join(", "))
    }
}

fn needs_of(needs: &Map<String, Value>) -> Vec<Need<'_>> {
    let is_read = |purpose: &&str| ["read", "checks"].contains(purpose);
    let purposes = PURPOSES.iter().filter_map(move |(purpose, sid)| {
        let actions = texts(needs.get(*purpose)?);
        (!actions.is_empty()).then_some(Need {
            sid,
            actions,
            reads: is_read(purpose),
            always: *purpose != "checks",
        })
    });
    let options = options_of(needs).iter().map(move |option| Need {
        sid: text_of(option, "sid"),
        actions: texts(&option["actions"]),
        reads: texts(&option["for"]).iter().any(is_read),
        always: false,
    });
    purposes.chain(options).collect()
}

fn options_of(needs: &Map<String, Value>) -> &[Value] {
    needs
        .get("options")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn text_of<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A policy document, its members in the order in which AWS writes them.
fn document(statements: &[Statement]) -> String {
    let statements: Vec<_> = statements.iter().map(Statement::text).collect();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{}\n  ]\n}}",
        statements.join(",\n")
    )
}

impl Statement {
    fn text(&self) -> String {
        // The condition's own lines stand deeper.
        let condition = self.condition.as_ref().map(|condition| {
            let text = format!("{condition:#}").replace('\n', "\n      ");
            format!(",\n      \"Condition\": {text}")
        });
        format!(
            "    {{\n      \"Sid\": {},\n      \"Effect\": \"Allow\",\n      \"Action\": {},\n      \"Resource\": {}{}\n    }}",
            quoted(&self.sid),
            list(&self.actions),
            list(&self.resources),
            condition.unwrap_or_default()
        )
    }
}

fn list(all: &BTreeSet<String>) -> String {
    let lines: Vec<_> = all.iter().map(|one| quoted(one)).collect();
    match lines.as_slice() {
        [one] => one.clone(),
        _ => format!("[\n        {}\n      ]", lines.join(",\n        ")),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"{
      "sources": { "e": { "title": "Events", "url": "https://e" }, "iam": { "title": "IAM", "url": "https://i" } },
      "resources": {
        "rule": { "arns": ["arn:rule"] },
        "bus": { "arns": ["arn:bus"] },
        "role": { "arns": ["arn:role"], "condition": { "StringEquals": { "k": "v" } } }
      },
      "actions": { "e:Get": ["bus", "rule"], "e:List": [], "e:Put": ["rule"], "iam:PassRole": ["role"] },
      "policies": { "least": ["resources/rule"] },
      "pages": {
        "resources/rule": {
          "about": ["rule"],
          "read": ["e:Get"],
          "checks": ["e:List"],
          "write": ["e:Put"],
          "options": [{ "sid": "PassRole", "when": "`role_arn`.", "for": ["write"], "actions": ["iam:PassRole"] }]
        },
        "resources/role": { "about": ["rule"], "write": ["e:Put", "iam:PassRole"] },
        "data-sources/nothing": {},
        "programs/export": { "read": ["e:Get"] }
      }
    }"#;

    fn pages(guide: &str) -> BTreeMap<String, String> {
        let page = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        BTreeMap::from([
            page("docs/resources/rule.md", "# Rule\n"),
            page("docs/resources/role.md", "# Role\n"),
            page("docs/data-sources/nothing.md", "# Nothing\n"),
            page("docs/guides/setup.md", "# Other\n"),
            page(GUIDE, guide),
        ])
    }

    #[track_caller]
    fn check(guide: &str, want: &[(&str, &str)]) {
        let mut pages = pages(guide);
        add(&mut pages, TABLE).unwrap();
        for (name, part) in want {
            assert!(pages[*name].contains(part), "{name}: {}", pages[*name]);
        }
        let once = pages[GUIDE].clone();
        add(&mut pages, TABLE).unwrap();
        assert_eq!(pages[GUIDE], once, "filled again");
    }

    #[test]
    fn pages_get_a_policy_with_a_statement_for_each_purpose() {
        let statement = |sid: &str, action: &str, resource: &str| {
            format!(
                "\"Sid\": \"{sid}\",\n      \"Effect\": \"Allow\",\n      \"Action\": \"{action}\",\n      \"Resource\": \"{resource}\""
            )
        };
        let rule = "docs/resources/rule.md";
        check(
            "x\n",
            &[
                (rule, "# Rule\n\n## AWS Permissions\n"),
                (rule, &statement("Read", "e:Get", "arn:rule")),
                // IAM takes no name twice.
                ("docs/resources/role.md", &statement("Apply", "e:Put", "arn:rule")),
                (
                    "docs/resources/role.md",
                    &statement("ApplyPassRole", "iam:PassRole", "arn:role"),
                ),
                (rule, &statement("ChecksWithoutResource", "e:List", "*")),
                (rule, &statement("Apply", "e:Put", "arn:rule")),
                (
                    rule,
                    &(statement("PassRole", "iam:PassRole", "arn:role")
                        + ",\n      \"Condition\": {\n        \"StringEquals\": {\n          \"k\": \"v\"\n        }\n      }"),
                ),
                (rule, "| `PassRole…` | `role_arn`. |\n\n```json\n"),
                (rule, "Without the options below, the AWS credentials need:\n"),
                ("docs/resources/role.md", "\n\nThe AWS credentials need:\n"),
                (rule, "[Events](https://e), [IAM](https://i)"),
                ("docs/data-sources/nothing.md", "# Nothing\n"),
            ],
        );
    }

    #[test]
    fn the_guide_has_whole_policies() {
        let guide = "a\n<!-- policy: everything -->\n```json\nold\n```\nb\n<!-- policy: programs/export -->\n```json\n```\n";
        check(
            guide,
            &[
                (GUIDE, "a\n<!-- policy: everything -->\n```json\n{\n"),
                (
                    GUIDE,
                    "\"Action\": [\n        \"e:Get\",\n        \"e:Put\"\n      ]",
                ),
                (GUIDE, "\n```\nb\n<!-- policy: programs/export -->\n```json\n{\n"),
            ],
        );
    }

    /// What comes with an option, or for warnings alone, is not in it.
    #[test]
    fn the_policy_of_a_minimal_configuration_has_no_options() {
        let mut pages = pages("<!-- policy: least -->\n```json\n```\n");
        add(&mut pages, TABLE).unwrap();
        let guide = &pages[GUIDE];
        assert!(guide.contains("e:Get") && guide.contains("e:Put"), "{guide}");
        assert!(!guide.contains("iam:") && !guide.contains("e:List"), "{guide}");
    }

    #[track_caller]
    fn refused(pages: &mut BTreeMap<String, String>, table: &str, words: &str) {
        let error = add(pages, table).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut more = pages("x\n");
        more.insert("docs/actions/new.md".to_owned(), String::new());
        refused(&mut more, TABLE, "`actions/new`");
        refused(
            &mut pages("<!-- policy: none -->\n```json\n```\n"),
            TABLE,
            "`none`",
        );
        refused(&mut pages("<!-- policy: plan -->\ntext\n"), TABLE, "no ```json");
        refused(
            &mut pages("x\n"),
            &TABLE.replace("\"e:Put\": [\"rule\"]", "\"e:Other\": []"),
            "`e:Put`",
        );
        refused(
            &mut pages("x\n"),
            &TABLE.replace("resources/rule\"", "resources/gone\""),
            "`resources/rule`",
        );
    }
}
