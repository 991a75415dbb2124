//! What users read of what a pattern makes of an event.

use event_pattern::{Explanation, Leaf};

/// More leaves than this are not told of.
const TOLD_MAX: usize = 20;

/// Whether the event matches, and each leaf that it misses.
pub(super) fn explained(explained: &Explanation) -> String {
    if explained.matched {
        return "The event matches the pattern.".to_owned();
    }
    if explained.split_over_elements {
        return "The event does not match the pattern: each field matches by itself, but by values in different elements of a \
                list, and EventBridge wants them in one element."
            .to_owned();
    }
    let missed: Vec<&Leaf> = explained.leaves.iter().filter(|leaf| !leaf.matched).collect();
    let has_alternatives = explained.leaves.iter().any(|leaf| leaf.alternative > 0);
    let mut lines = vec!["The event does not match the pattern:".to_owned()];
    lines.extend(missed.iter().take(TOLD_MAX).map(|leaf| {
        let of = if has_alternatives {
            format!("alternative {}: ", leaf.alternative)
        } else {
            String::new()
        };
        format!("  - {of}{}", missed_leaf(leaf))
    }));
    let untold = missed.len().saturating_sub(TOLD_MAX) + explained.leaves_left_out;
    if untold > 0 {
        lines.push(format!("  - and {untold} more"));
    }
    lines.join("\n")
}

fn missed_leaf(leaf: &Leaf) -> String {
    let found = match (leaf.found.as_slice(), &leaf.nearest) {
        ([], None) => "the event has no such field".to_owned(),
        ([], Some(near)) => format!("the event has no such field; the nearest is `{near}`"),
        (found, _) => format!("the event has {}", found.join(", ")),
    };
    format!("`{}` wants {}: {found}", leaf.path, leaf.expected)
}
