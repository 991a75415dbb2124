//! The HCL of a guide, as its reader pastes it.

use anyhow::{Context, Result, ensure};

use crate::paths;

const FENCE: &str = "```terraform\n";

/// A guide of `docs/guides`.
pub struct Guide(String);

impl Guide {
    /// Reads one by the name of its page.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(name: &str) -> Result<Self> {
        let path = paths::root().join("docs/guides").join(format!("{name}.md"));
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Self(text))
    }

    /// The headings of the sections that have HCL.
    pub fn sections(&self) -> Vec<&str> {
        self.split()
            .filter(|(_, text)| text.contains(FENCE))
            .map(|(heading, _)| heading)
            .collect()
    }

    /// The top-level blocks of a section whose first word is `kind`, one after the other.
    ///
    /// # Errors
    /// When the section has none.
    pub fn blocks(&self, section: &str, kind: &str) -> Result<String> {
        let text = self.split().find(|(heading, _)| *heading == section);
        let (_, text) = text.with_context(|| format!("no section `{section}`"))?;
        let fenced = text
            .split(FENCE)
            .skip(1)
            .filter_map(|rest| rest.split("\n```").next());
        let mut found = String::new();
        for block in fenced.flat_map(|hcl| hcl.split("\n\n")) {
            if block.trim_start().starts_with(kind) {
                found.push_str(block.trim_end());
                found.push('\n');
            }
        }
        ensure!(!found.is_empty(), "no {kind} in `{section}`");
        Ok(found)
    }

    fn split(&self) -> impl Iterator<Item = (&str, &str)> {
        let headed = self.0.split("\n## ").flat_map(|section| section.split("\n### "));
        headed.filter_map(|section| section.split_once('\n'))
    }
}
