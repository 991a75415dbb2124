//! `cargo xtask changelog`: moves the fragments of `changelog.d/` to CHANGELOG.md. A fragment is a file of a branch's own,
//! so that two branches never edit one line.

use anyhow::{Context, Result, bail};

use crate::places;

/// The folder of the fragments, from the root.
pub(crate) const FOLDER: &str = "changelog.d";
/// Describes the folder; no fragment.
const README: &str = "README.md";
const UNRELEASED: &str = "## Unreleased\n";
const COLUMNS_MAX: usize = 160;
const PARTS: [&str; 8] = [
    "Provider",
    "Companion",
    "Local AWS",
    "Framework",
    "Event patterns",
    "Examples",
    "Docs",
    "Development",
];

/// Moves them all.
pub(crate) fn run() -> Result<()> {
    let folder = places::root().join(FOLDER);
    let mut files: Vec<_> = std::fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|path| path.file_name().is_some_and(|name| name != README));
    files.sort();
    let mut fragments = Vec::new();
    for path in &files {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| name.to_string())?;
        if let Some(wrong) = faults(&text).first() {
            bail!("{name}: {wrong}");
        }
        fragments.push(text);
    }
    let changelog = places::root().join("CHANGELOG.md");
    let text = std::fs::read_to_string(&changelog)?;
    std::fs::write(&changelog, fold(&text, &fragments)?)?;
    for path in files {
        std::fs::remove_file(path)?;
    }
    println!("{} fragments moved to CHANGELOG.md", fragments.len());
    Ok(())
}

/// Whether a file, by its path from the root, is a fragment.
pub(crate) fn is_fragment(path: &str) -> bool {
    path.strip_prefix(FOLDER)
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|name| name != README)
}

/// What is wrong with a fragment.
pub(crate) fn faults(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |line: usize, what: &str| faults.push(format!("line {}: {what}", line + 1));
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.chars().count() > COLUMNS_MAX {
            say(at, &format!("more than {COLUMNS_MAX} columns"));
        }
        match line.strip_prefix("- ") {
            Some(bullet) if has_part(bullet) => {}
            Some(_) => say(at, &format!("begins with none of {}", PARTS.join(", "))),
            None if at > 0 && line.starts_with("  ") && !line.trim().is_empty() => {}
            None => say(
                at,
                "is neither a bullet (`- Provider: …`) nor the next line of one (two spaces)",
            ),
        }
        let last = lines.get(at + 1).is_none_or(|next| next.starts_with("- "));
        if last && !line.ends_with('.') {
            say(at, "a bullet ends with a full stop");
        }
    }
    if lines.is_empty() {
        say(0, "empty");
    } else if !text.ends_with('\n') {
        say(lines.len() - 1, "no line break at the end");
    }
    faults
}

fn has_part(bullet: &str) -> bool {
    let part = bullet.split_once(": ").map(|(part, _)| part);
    part.is_some_and(|part| PARTS.contains(&part))
}

/// The changelog with the fragments at the end of its section "Unreleased".
fn fold(changelog: &str, fragments: &[String]) -> Result<String> {
    let Some((before, rest)) = changelog.split_once(UNRELEASED) else {
        bail!("CHANGELOG.md has no section \"Unreleased\"");
    };
    let (section, after) = rest.find("\n## ").map_or((rest, ""), |end| rest.split_at(end));
    let mut section = section.trim_end().to_owned();
    let last = section.lines().next_back().unwrap_or_default();
    // An empty line between prose and bullets, none between bullets.
    let bullets = last.starts_with("- ") || last.starts_with("  ");
    if !section.is_empty() {
        section.push('\n');
    }
    if !bullets && !fragments.is_empty() {
        section.push('\n');
    }
    let added = fragments.concat();
    Ok(format!("{before}{UNRELEASED}{section}{added}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{faults, fold};

    #[test]
    fn a_fragment_is_bullets_of_known_parts() {
        let check = |text: &str, expected: &[&str]| {
            let found = faults(text);
            assert_eq!(found.len(), expected.len(), "{text:?}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{text:?}: {found}");
            }
        };
        check("- Provider: a thing.\n", &[]);
        check(
            "- Provider: a thing\n  that goes on.\n- Local AWS: another.\n",
            &[],
        );
        check("", &["empty"]);
        check("- Provider: a thing.", &["line break"]);
        check(
            "- Provider: a thing\n- Docs: another.\n",
            &["line 1: a bullet ends"],
        );
        check("- Someone: a thing.\n", &["begins with none of"]);
        check("Provider: a thing.\n", &["neither a bullet"]);
        check(
            "- Docs: one.\n\n- Docs: two.\n",
            &["neither a bullet", "full stop"],
        );
        check(&format!("- Docs: {}.\n", "a".repeat(160)), &["columns"]);
    }

    #[test]
    fn fragments_come_after_what_is_there() {
        let check = |changelog: &str, expected: &str| {
            let fragments = ["- Docs: b.\n", "- Docs: c.\n"].map(str::to_owned);
            assert_eq!(fold(changelog, &fragments).unwrap(), expected);
        };
        check(
            "# Changelog\n\n## Unreleased\n\nFirst.\n\n- Docs: a\n  goes on.\n",
            "# Changelog\n\n## Unreleased\n\nFirst.\n\n- Docs: a\n  goes on.\n- Docs: b.\n- Docs: c.\n",
        );
        check("## Unreleased\n", "## Unreleased\n\n- Docs: b.\n- Docs: c.\n");
        check(
            "## Unreleased\n\n- Docs: a.\n\n## 0.1.0\n\n- Docs: old.\n",
            "## Unreleased\n\n- Docs: a.\n- Docs: b.\n- Docs: c.\n\n## 0.1.0\n\n- Docs: old.\n",
        );
        assert_eq!(
            fold("## Unreleased\n\n- a\n", &[]).unwrap(),
            "## Unreleased\n\n- a\n"
        );
        assert!(fold("# Changelog\n", &[]).is_err());
    }
}
