//! What was made and tried, and what this machine does not let us make or try.

use std::path::Path;

/// The lines of the summary.
#[derive(Default)]
pub(super) struct Report(Vec<String>);

impl Report {
    /// A file.
    pub(super) fn made(&mut self, what: &str) {
        self.say("made     ", what);
    }

    /// A check that has passed.
    pub(super) fn passed(&mut self, what: &str) {
        self.say("passed   ", what);
    }

    /// What is missing, and why.
    pub(super) fn left_out(&mut self, what: &str, why: &str) {
        self.say("left out ", &format!("{what}: {why}"));
    }

    fn say(&mut self, how: &str, what: &str) {
        let line = format!("{how} {what}");
        println!("{line}");
        self.0.push(line);
    }

    /// Prints all of them.
    pub(super) fn print(&self, out: &Path) {
        println!("\n== {}", out.display());
        for line in &self.0 {
            println!("{line}");
        }
    }
}
