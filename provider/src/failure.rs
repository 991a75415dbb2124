//! What a user reads when a call failed: what failed, what state things are in, what to do next. `aws::Error` and
//! `scalr::Error` feed it.

use std::fmt::Display;

use scalr_events::block_name;
use tfplugin::{Diagnostic, Diagnostics};

/// The state of things after a call that was refused.
pub const UNCHANGED: &str = "The call changed nothing.";

/// A failed call, as the side that made it knows it. As text it is what happened, without a full stop.
pub trait Cause: Display {
    /// Who was called.
    const CALLED: &'static str;

    /// What failed: the summary. `doing` reads as in "make the event bus `x`".
    fn what(&self, doing: &str) -> String {
        format!("Cannot {doing}")
    }

    /// What the call may have changed.
    fn effect(&self) -> Effect;

    /// What to do next.
    fn next(&self) -> Option<String>;

    /// The diagnostics for what was being done, with the state of things.
    fn during_with(&self, doing: impl Display, standing: &Standing) -> Diagnostics {
        diagnostic(self, doing, standing).into()
    }

    /// [`Cause::during_with`], where the call itself is all that could have changed anything.
    fn during(&self, doing: impl Display) -> Diagnostics {
        self.during_with(doing, &Standing::of::<Self>())
    }
}

/// What a failed call may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it was not sent, since something that every call needs is missing.
    NotSent,
    /// Nothing: it was refused.
    Refused,
    /// Its answer was lost, or was an error of the server: it may have been carried out.
    Unknown,
}

/// The state of things after a call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    refused: String,
    unknown: String,
}

impl Standing {
    /// What is true when the call was refused, and when its answer was lost.
    pub fn new(refused: impl Into<String>, unknown: impl Into<String>) -> Self {
        Self {
            refused: refused.into(),
            unknown: unknown.into(),
        }
    }

    /// One text for both.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::new(text.clone(), text)
    }

    /// After a call whose effect the next plan shows.
    pub fn of<C: Cause + ?Sized>() -> Self {
        let called = C::CALLED;
        Self::new(
            UNCHANGED,
            format!("Whether {called} carried the call out is not known; the next plan shows it."),
        )
    }

    /// A further sentence for both.
    pub fn and(mut self, more: &str) -> Self {
        for text in [&mut self.refused, &mut self.unknown] {
            text.extend([" ", more]);
        }
        self
    }

    /// What is true now.
    pub fn after(&self, effect: Effect) -> &str {
        match effect {
            Effect::NotSent => "Nothing was changed.",
            Effect::Refused => &self.refused,
            Effect::Unknown => &self.unknown,
        }
    }
}

/// One diagnostic for a failed call.
pub fn diagnostic<C: Cause + ?Sized>(cause: &C, doing: impl Display, standing: &Standing) -> Diagnostic {
    explained(Diagnostic::error(cause.what(&doing.to_string())), cause, standing)
}

/// The diagnostic with a paragraph each on what happened, the state of things, what to do next.
pub fn explained<C: Cause + ?Sized>(diagnostic: Diagnostic, cause: &C, standing: &Standing) -> Diagnostic {
    diagnostic
        .quoting(cause)
        .standing(standing.after(cause.effect()))
        .next(cause.next().unwrap_or_default())
}

/// The block that imports what exists as a resource of this type (as in `R::NAME`). Each line is indented: Terraform wraps lines
/// that start at column 0. A provider does not know the address of its resource: the block has the name that an export gives the
/// object, after these parts, and the reader compares.
pub fn import_block(resource: &str, named: &[&str], id: impl Display) -> String {
    let address = format!("scalr_{resource}.{}", block_name(named));
    format!(
        "  import {{\n    to = {address}\n    id = \"{id}\"\n  }}\n\nIf the address shown after \"with\" above is another than \
         `{address}`, write that one."
    )
}

/// An error and its causes, each once.
pub fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    struct Failed(Effect);

    impl Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no")
        }
    }

    impl Cause for Failed {
        const CALLED: &'static str = "X";

        fn effect(&self) -> Effect {
            self.0
        }

        fn next(&self) -> Option<String> {
            (self.0 == Effect::Unknown).then(|| "Look.".to_owned())
        }
    }

    #[test]
    fn an_import_block_has_the_name_that_an_export_gives() {
        let block = import_block("eventbridge_rule", &["prod", "runs.errored"], "a/b@us-east-1");
        let (code, words) = block.split_once("\n\n").unwrap();
        assert_eq!(
            code,
            "  import {\n    to = scalr_eventbridge_rule.prod_runs_errored\n    id = \"a/b@us-east-1\"\n  }"
        );
        assert!(
            words.contains("`scalr_eventbridge_rule.prod_runs_errored`"),
            "{words}"
        );
    }

    #[test]
    fn a_paragraph_for_what_happened_for_the_state_and_for_what_is_next() {
        let own = Standing::new("No.", "Perhaps.").and("More.");
        for (effect, standing, want) in [
            (Effect::NotSent, &own, "no.\n\nNothing was changed."),
            (Effect::Refused, &own, "no.\n\nNo. More."),
            (Effect::Unknown, &own, "no.\n\nPerhaps. More.\n\nLook."),
            (Effect::Refused, &Standing::same("Same."), "no.\n\nSame."),
            (
                Effect::Refused,
                &Standing::of::<Failed>(),
                "no.\n\nThe call changed nothing.",
            ),
        ] {
            let diagnostic = diagnostic(&Failed(effect), "do it", standing);
            assert_eq!(
                (diagnostic.summary.as_str(), diagnostic.detail.as_str()),
                ("Cannot do it", want)
            );
        }
    }
}
