//! HCL of a page as a configuration that a tool accepts: blocks that go together, and what they refer to and the page leaves out.

use std::collections::BTreeSet;

use crate::blocks::Block;

/// Which file a block belongs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A configuration, `*.tf`.
    Config,
    /// Tests of a module, `tests/*.tftest.hcl`.
    Test,
    /// `*.tfquery.hcl`.
    Query,
    /// Settings of the command line.
    Cli,
}

/// What a block is, by its top-level blocks.
pub fn kind(hcl: &str) -> Kind {
    let holds =
        |words: &[&str]| heads(hcl).any(|head| words.contains(&head.split(' ').next().unwrap_or_default()));
    if holds(&["mock_provider", "run"]) {
        Kind::Test
    } else if holds(&["list"]) {
        Kind::Query
    } else if holds(&["provider_installation"]) {
        Kind::Cli
    } else {
        Kind::Config
    }
}

/// The blocks of a page, those together that declare nothing twice.
pub fn packs(blocks: Vec<Block>) -> Vec<Vec<Block>> {
    let mut packs: Vec<(BTreeSet<String>, Vec<Block>)> = Vec::new();
    for block in blocks {
        let declared = declared(&block.text);
        match packs.last_mut() {
            Some((known, pack)) if kind(&block.text) == Kind::Config && known.is_disjoint(&declared) => {
                known.extend(declared);
                pack.push(block);
            }
            _ => packs.push((declared, vec![block])),
        }
    }
    packs.into_iter().map(|(_, pack)| pack).collect()
}

/// The first lines of the top-level blocks.
fn heads(hcl: &str) -> impl Iterator<Item = &str> {
    hcl.lines()
        .filter(|line| line.ends_with('{') || line.ends_with("{}"))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// What a configuration must not have twice: addresses, the ends of moves and imports, settings.
fn declared(hcl: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = heads(hcl)
        .filter(|head| head.contains('"') || head.starts_with("terraform"))
        .map(address)
        .collect();
    for end in ["from", "to"] {
        let ends = hcl.lines().filter_map(|line| line.trim().strip_prefix(end));
        let named = ends.filter_map(|rest| rest.trim_start().strip_prefix('='));
        found.extend(named.map(|name| format!("{end} {}", name.trim())));
    }
    found
}

/// `resource "a" "b" {` is `a.b`, `variable "a" {` is `variable.a`.
fn address(head: &str) -> String {
    let mut words: Vec<&str> = head
        .split([' ', '"', '{', '}'])
        .filter(|word| !word.is_empty())
        .collect();
    if words.first() == Some(&"resource") {
        words.remove(0);
    }
    words.join(".")
}

/// References of a configuration to what it lacks, as configuration.
pub fn missing(hcl: &str) -> String {
    let mut whole = hcl.to_owned();
    let mut added = String::new();
    // A stand-in may refer to another one.
    while let Some(text) = references(&whole).iter().find_map(|name| stand_in(name)) {
        whole += &text;
        added += &text;
    }
    added
}

/// A configuration in which the references to objects of other providers are ARNs: their schemas are not here.
pub fn without_others(hcl: &str) -> String {
    let others = names(hcl).filter(|name| name.starts_with("aws_") && name.split('.').count() > 2);
    let mut found = hcl.to_owned();
    for name in others.collect::<BTreeSet<_>>() {
        let last = name.split('.').nth(1).unwrap_or_default();
        let service = if name.starts_with("aws_sns") {
            "sns:us-east-1"
        } else {
            "iam:"
        };
        let arn = match service {
            "iam:" => format!("\"arn:aws:iam::123456789012:role/{last}\""),
            _ => format!("\"arn:aws:sns:us-east-1:123456789012:{last}\""),
        };
        found = found.replace(name, &arn);
    }
    found
}

/// The words of a configuration that have a dot in them.
fn names(hcl: &str) -> impl Iterator<Item = &str> {
    let code = hcl.lines().filter(|line| !line.trim_start().starts_with("from"));
    code.flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c))))
        .filter(|word| word.contains('.'))
}

/// What is referred to and not declared, as addresses.
fn references(hcl: &str) -> BTreeSet<String> {
    let declared = declared(hcl);
    let mut found = BTreeSet::new();
    for name in names(hcl) {
        let parts: Vec<&str> = name.split('.').collect();
        let address = match *parts.as_slice() {
            ["var", variable, ..] => format!("variable.{variable}"),
            ["module", module, ..] => format!("module.{module}"),
            ["action", kind, action, ..] => format!("action.{kind}.{action}"),
            [kind, resource, ..] if kind.starts_with("scalr_") => format!("{kind}.{resource}"),
            _ => continue,
        };
        if !declared.contains(&address) {
            found.insert(address);
        }
    }
    found
}

/// A declaration for an address, with what its type needs.
fn stand_in(address: &str) -> Option<String> {
    let parts: Vec<&str> = address.split('.').collect();
    let (kind, name) = match *parts.as_slice() {
        ["variable", name] => return Some(format!("\nvariable \"{name}\" {{}}\n")),
        ["module", "events"] => return Some(EVENTS.to_owned()),
        ["action", kind, name] => {
            return Some(format!(
                "\naction \"{kind}\" \"{name}\" {{\n  config {{\n    connection_id = \"in-v0o1exampleid\"\n  }}\n}}\n"
            ));
        }
        [kind, name] => (kind, name),
        _ => return None,
    };
    let arguments = match kind {
        "scalr_eventbridge_connection" => {
            "  name           = \"prod\"\n  aws_account_id = \"123456789012\"\n  region         = \"us-east-1\"\n"
        }
        "scalr_eventbridge_bus" => "  event_source_name = \"aws.partner/scalr.com/acme/prod\"\n",
        "scalr_eventbridge_rule" => {
            "  name           = \"runs\"\n  event_bus_name = \"aws.partner/scalr.com/acme/prod\"\n  \
             event_pattern  = provider::scalr::event_pattern(\"RunExecuted\", {})\n"
        }
        "scalr_eventbridge_target" => {
            "  rule           = \"runs\"\n  event_bus_name = \"aws.partner/scalr.com/acme/prod\"\n  \
             log_group      = { name = \"/scalr/runs\", create = true }\n"
        }
        "scalr_eventbridge_activation" => "  connection_id = \"in-v0o1exampleid\"\n",
        "scalr_eventbridge_queue" => "  name = \"runs\"\n",
        _ => return None,
    };
    Some(format!("\nresource \"{kind}\" \"{name}\" {{\n{arguments}}}\n"))
}

/// What the pages of the modules take from the stream.
const EVENTS: &str = r#"
module "events" {
  source         = "./modules/event-stream"
  name           = "platform"
  aws_account_id = "123456789012"
  region         = "us-east-1"
  rules          = { runs = { type = "RunExecuted", log_group = "/platform/runs" } }
}
"#;

#[cfg(test)]
mod tests {
    use super::{Kind, kind, missing, packs, without_others};
    use crate::blocks::{Block, Language, Mark};

    fn block(text: &str) -> Block {
        Block {
            page: "a.md".to_owned(),
            line: 1,
            language: Language::Hcl,
            mark: Mark::None,
            text: text.to_owned(),
            of_example: false,
        }
    }

    #[test]
    fn blocks_go_together_until_one_declares_the_same() {
        let check = |texts: &[&str], wanted: &[usize]| {
            let found: Vec<usize> = packs(texts.iter().map(|text| block(text)).collect())
                .iter()
                .map(Vec::len)
                .collect();
            assert_eq!(found, wanted, "{texts:?}");
        };
        let resource = "resource \"scalr_a\" \"b\" {\n}\n";
        check(
            &[resource, "moved {\n  from = a.b\n  to   = scalr_a.b\n}\n"],
            &[2],
        );
        check(&[resource, "variable \"c\" {}\n", resource], &[2, 1]);
        check(
            &[
                "moved {\n  from = a.b\n  to   = c.d\n}\n",
                "removed {\n  from = a.b\n}\n",
            ],
            &[1, 1],
        );
        check(
            &[resource, "run \"a\" {\n}\n", "list \"a\" \"b\" {\n}\n"],
            &[1, 1, 1],
        );
        check(&["provider \"scalr\" {}\n", "provider \"scalr\" {\n}\n"], &[1, 1]);
    }

    #[test]
    fn a_block_belongs_in_a_file() {
        let check = |text: &str, wanted: Kind| assert_eq!(kind(text), wanted, "{text}");
        check("mock_provider \"scalr\" {}\n", Kind::Test);
        check("variables {\n}\n\nrun \"a\" {\n}\n", Kind::Test);
        check("list \"a\" \"b\" {\n}\n", Kind::Query);
        check("provider_installation {\n}\n", Kind::Cli);
        check("provider \"scalr\" {}\n", Kind::Config);
    }

    #[test]
    fn what_is_referred_to_is_added() {
        let check = |text: &str, wanted: &[&str]| {
            let added = missing(text);
            let found: Vec<&str> = added
                .lines()
                .filter(|line| line.ends_with('{') || line.ends_with("{}"))
                .collect();
            assert_eq!(found, wanted, "{added}");
        };
        check(
            "a = scalr_eventbridge_bus.b.name\n",
            &["resource \"scalr_eventbridge_bus\" \"b\" {"],
        );
        check(
            "resource \"scalr_eventbridge_bus\" \"b\" {\n}\na = scalr_eventbridge_bus.b.name\n",
            &[],
        );
        check(
            "a = var.b\nc = [action.scalr_eventbridge_refresh.d]\n",
            &[
                "action \"scalr_eventbridge_refresh\" \"d\" {",
                "  config {",
                "variable \"b\" {}",
            ],
        );
        check("  from = scalr_eventbridge_bus.b\nb = scalr_other.b\n", &[]);
    }

    #[test]
    fn objects_of_others_are_arns() {
        assert_eq!(
            without_others("a = aws_iam_role.b.arn\n  from = aws_iam_role.c\n"),
            "a = \"arn:aws:iam::123456789012:role/b\"\n  from = aws_iam_role.c\n"
        );
    }
}
