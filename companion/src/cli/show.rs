//! What a command shows: a table for people on a terminal, JSON where the output goes elsewhere or `--json` asks for it.
//!
//! Names come from others: what could move the cursor, colour a line or turn its direction is escaped.

use std::io::{self, IsTerminal as _};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::out;
use crate::letters::spelled_out;

/// The form of the output.
#[derive(clap::Args)]
pub(super) struct Form {
    /// Print JSON, also on a terminal.
    #[arg(long)]
    json: bool,
    /// Print the table for people, also where the output is no terminal.
    #[arg(long, conflicts_with = "json")]
    table: bool,
}

impl Form {
    /// Prints the JSON of a value, or the text for people.
    pub(super) fn print(&self, value: &impl Serialize, human: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.json || (!self.table && !io::stdout().is_terminal()) {
            out::json(value)?;
        } else {
            out::styled(&human())?;
        }
        Ok(())
    }
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Good,
    Doubtful,
    Bad,
    Dim,
}

impl Look {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Good => colour(AnsiColor::Green),
            Self::Doubtful => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red),
            Self::Dim => Style::new().dimmed(),
        }
    }

    /// A text that looks so. It is escaped.
    pub(super) fn paint(self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let (style, text) = (self.style(), escaped(text));
        format!("{style}{text}{style:#}")
    }
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    look: Look,
}

impl Cell {
    pub(super) fn new(look: Look, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            look,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Look::Plain, text)
    }
}

/// Columns under their headings, with two spaces between.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[Cell; N]]) -> String {
    let mut widths = headings.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(escaped(&cell.text).width());
        }
    }
    let mut text = line(&headings.map(|heading| Cell::new(Look::Dim, heading)), &widths);
    for row in rows {
        text.push('\n');
        text.push_str(&line(row, &widths));
    }
    text
}

fn line<const N: usize>(cells: &[Cell; N], widths: &[usize; N]) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        line.push_str(&cell.look.paint(&cell.text));
        if at + 1 < N {
            let used = escaped(&cell.text).width();
            line.push_str(&" ".repeat(width.saturating_sub(used) + 2));
        }
    }
    line.trim_end().to_owned()
}

/// Names and values under each other.
pub(super) fn fields(rows: &[(&str, Cell)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let line = |(name, cell): &(&str, Cell)| {
        let name = format!("{name:width$}");
        format!("{}  {}", Look::Dim.paint(&name), cell.look.paint(&cell.text))
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A text on one line that does nothing to a terminal.
pub(super) fn escaped(text: &str) -> String {
    spelled_out(text, |_| false)
}

/// A word of a command to paste, quoted for a shell, that does nothing to a terminal.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", escaped(&text.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_a_terminal_shows() {
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        let rows = [
            [Cell::from("größe"), Cell::new(Look::Good, "active")],
            ["漢字".into(), "x".into()],
            ["a\nb\u{1b}[31m\u{202e}c".into(), "y".into()],
            ["\u{61c}\u{ad}\u{e0041}".into(), "z".into()],
        ];
        let want = "NAME                     STATUS
größe                    active
漢字                     x
a\\nb\\u{1b}[31m\\u{202e}c  y
\\u{61c}\\u{ad}\\u{e0041}   z";
        assert_eq!(plain(&table(["NAME", "STATUS"], &rows)), want);
        let rows = [("id", Cell::from("in-1")), ("region", "us-east-1".into())];
        assert_eq!(plain(&fields(&rows)), "id      in-1\nregion  us-east-1");
    }

    #[test]
    fn words_of_commands_are_quoted_for_a_shell() {
        for (text, want) in [
            (
                "aws.partner/scalr.com/acme/prod",
                "aws.partner/scalr.com/acme/prod",
            ),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm -rf ~)", "'$(rm -rf ~)'"),
            ("it's; x", r"'it'\''s; x'"),
            ("a\u{1b}b\u{61c}", r"'a\u{1b}b\u{61c}'"),
        ] {
            assert_eq!(quoted(text), want, "{text:?}");
        }
    }
}
